import { mayReadDataset } from "@anneal/core/dataset/dataset-acl";
import { AnnealError } from "@anneal/core/errors";
import type { Assistant } from "@anneal/db/queries/chat";
import type { Identity } from "#server/auth/identity.ts";
import { readerOf } from "#server/dataset/dataset-view.ts";
import type { Routes, RoutingTable } from "#server/gateway/routing-table.ts";

/** What a model name of the API stands for. `servingName` is what the engine is asked for. */
export type ModelTarget =
  | { kind: "base"; name: string; servingName: string }
  | { kind: "adapter"; name: string; servingName: string }
  | {
      kind: "assistant";
      name: string;
      servingName: string;
      assistant: Assistant;
      /** Its adapter learned from documents that the asker may not read: the base model answers them instead. */
      adapterWithheld: boolean;
    };

/** "base", "adapter:support" or "assistant:helpdesk": what a permission names. */
function resourceOf(kind: ModelTarget["kind"], name: string): string {
  if (kind === "base") return "base";
  return kind === "adapter" ? `adapter:${name.split("@")[0]}` : `assistant:${name}`;
}

export function isGranted(granted: ReadonlySet<string>, resource: string): boolean {
  return granted.has(resource) || granted.has(`${resource.split(":")[0]}:*`);
}

/**
 * Everything this person may use, in the order base, adapters, assistants. No grant, no model; and an adapter can say
 * what it learned word for word, so it also needs the documents behind it, as their permissions are now.
 */
export async function listModelTargets(table: RoutingTable, identity: Identity): Promise<ModelTarget[]> {
  const [routes, granted, replicas] = await Promise.all([
    table.routesOf(identity.workspaceId),
    table.resourcesOf(identity),
    table.replicas(),
  ]);
  const taught = await listReadableAliases(table, identity, routes);
  const bases = [...new Set(replicas.map((replica) => replica.baseModel))];
  const targets: ModelTarget[] = [
    ...bases.map((name) => ({ kind: "base" as const, name, servingName: name })),
    ...[...routes.aliases]
      .filter(([name]) => taught.has(name))
      .map(([name, servingName]) => ({ kind: "adapter" as const, name, servingName })),
  ];
  for (const assistant of routes.assistants) {
    const adapter = routes.aliases.get(assistant.model);
    const adapterWithheld = adapter !== undefined && !taught.has(assistant.model);
    const servingName = assistant.model === "base" || adapterWithheld ? bases[0] : adapter;
    if (servingName !== undefined)
      targets.push({ kind: "assistant", name: assistant.name, servingName, assistant, adapterWithheld });
  }
  return targets.filter((target) => isGranted(granted, resourceOf(target.kind, target.name)));
}

/** The aliases whose adapters learned from nothing but documents that this person may read now. */
async function listReadableAliases(
  table: RoutingTable,
  identity: Identity,
  { datasets }: Routes,
): Promise<ReadonlySet<string>> {
  const reader = readerOf(identity);
  const readable = await Promise.all(
    [...datasets].map(async ([alias, datasetVersionId]) =>
      mayReadDataset(await table.teachersOf(identity.workspaceId, datasetVersionId), reader) ? [alias] : [],
    ),
  );
  return new Set(readable.flat());
}

/** The embedding model is a base model: what an index is built with, without anything learned. */
export async function mayEmbed(table: RoutingTable, identity: Identity): Promise<boolean> {
  return isGranted(await table.resourcesOf(identity), resourceOf("base", ""));
}

/** @throws AnnealError MODEL_UNKNOWN, also for a model that exists and is not granted: its existence is nobody's business. */
export async function resolveModel(table: RoutingTable, identity: Identity, name: string): Promise<ModelTarget> {
  const targets = await listModelTargets(table, identity);
  const found =
    targets.find((target) => target.name === name) ??
    (name === "base" ? targets.find((target) => target.kind === "base") : undefined);
  if (found) return found;
  throw new AnnealError("MODEL_UNKNOWN", `There is no model ${JSON.stringify(name.slice(0, 100))} that you may use.`, {
    action:
      targets.length > 0
        ? `Choose one of: ${targets.map((target) => target.name).join(", ")}.`
        : "Ask an administrator of the workspace for a model permission.",
  });
}
