import type { Scope } from "@anneal/db/database";
import { listCurrentAliases } from "@anneal/db/queries/deploy";
import { listAdapterVersions } from "@anneal/db/queries/register";
import { env } from "#env.ts";
import type { Identity } from "#server/auth/identity.ts";
import { listModelTargets, mayEmbed, resolveModel, type ModelTarget } from "#server/gateway/resolve-model.ts";
import type { RoutingTable } from "#server/gateway/routing-table.ts";

/** A model in OpenAI's shape, with what it is here beside it. */
type ListedModel = {
  id: string;
  object: "model";
  /** When the version that answers was made, in seconds since 1970; 0 for what was made elsewhere. */
  created: number;
  owned_by: "anneal";
  anneal: { kind: ModelTarget["kind"] | "embedding"; servingName: string };
};

/** Serving names, and when the version behind each was made. */
type MadeAt = ReadonlyMap<string, Date>;

export async function listMadeAt(scope: Scope): Promise<MadeAt> {
  const [aliases, versions] = await Promise.all([listCurrentAliases(scope), listAdapterVersions(scope)]);
  const madeAt = new Map(versions.map(({ version }) => [version.id, version.createdAt]));
  return new Map(aliases.map((alias) => [alias.servingName, madeAt.get(alias.adapterVersionId) ?? alias.at]));
}

/** Everything that this person may call: for chats, then the index's embedding model. */
export async function listModels(table: RoutingTable, identity: Identity, madeAt: MadeAt): Promise<ListedModel[]> {
  const [targets, embeds] = await Promise.all([listModelTargets(table, identity), mayEmbed(table, identity)]);
  return [...targets.map((target) => toListed(target, madeAt)), ...(embeds ? [embeddingModel()] : [])];
}

/** @throws AnnealError MODEL_UNKNOWN, as a call of it does */
export async function retrieveModel(
  table: RoutingTable,
  identity: Identity,
  name: string,
  madeAt: MadeAt,
): Promise<ListedModel> {
  const found = (await listModels(table, identity, madeAt)).find(({ id }) => id === name);
  // Also by another name that a call takes; what it throws names those that there are.
  return found ?? toListed(await resolveModel(table, identity, name), madeAt);
}

function toListed({ name, kind, servingName }: ModelTarget, madeAt: MadeAt): ListedModel {
  const made = madeAt.get(servingName)?.getTime() ?? 0;
  return {
    id: name,
    object: "model",
    created: Math.floor(made / 1000),
    owned_by: "anneal",
    anneal: { kind, servingName },
  };
}

function embeddingModel(): ListedModel {
  const { ANNEAL_EMBEDDINGS_MODEL: name } = env();
  return {
    id: name,
    object: "model",
    created: 0,
    owned_by: "anneal",
    anneal: { kind: "embedding", servingName: name },
  };
}
