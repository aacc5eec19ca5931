import { AnnealError } from "@anneal/core/errors";
import type { Assistant } from "@anneal/db/queries/chat";
import type { Identity } from "#server/auth/identity.ts";
import type { RoutingTable } from "#server/gateway/routing-table.ts";

/** What a model name of the API stands for. `servingName` is what the engine is asked for. */
export type ModelTarget =
  | { kind: "base"; name: string; servingName: string }
  | { kind: "adapter"; name: string; servingName: string }
  | { kind: "assistant"; name: string; servingName: string; assistant: Assistant };

/** "base", "adapter:support" or "assistant:helpdesk": what a permission names. */
function resourceOf(kind: ModelTarget["kind"], name: string): string {
  if (kind === "base") return "base";
  return kind === "adapter" ? `adapter:${name.split("@")[0]}` : `assistant:${name}`;
}

function isGranted(granted: ReadonlySet<string>, resource: string): boolean {
  return granted.has(resource) || granted.has(`${resource.split(":")[0]}:*`);
}

/** Everything this person may use, in the order base, adapters, assistants. No grant, no model. */
export async function listModelTargets(table: RoutingTable, identity: Identity): Promise<ModelTarget[]> {
  const [routes, granted, replicas] = await Promise.all([
    table.routesOf(identity.workspaceId),
    table.resourcesOf(identity),
    table.replicas(),
  ]);
  const bases = [...new Set(replicas.map((replica) => replica.baseModel))];
  const targets: ModelTarget[] = [
    ...bases.map((name) => ({ kind: "base" as const, name, servingName: name })),
    ...[...routes.aliases].map(([name, servingName]) => ({ kind: "adapter" as const, name, servingName })),
  ];
  for (const assistant of routes.assistants) {
    const servingName = assistant.model === "base" ? bases[0] : routes.aliases.get(assistant.model);
    if (servingName !== undefined) targets.push({ kind: "assistant", name: assistant.name, servingName, assistant });
  }
  return targets.filter((target) => isGranted(granted, resourceOf(target.kind, target.name)));
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
