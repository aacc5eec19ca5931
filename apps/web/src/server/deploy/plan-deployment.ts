import { deploySteps, servingName, type DeployStep } from "@anneal/core/deploy/contract";
import type { Replica } from "@anneal/db/queries/serving";

type Facts = {
  adapter: { name: string; baseModel: string };
  version: { id: string; version: number; digest: string; rank: number };
  alias: string;
  /** Where every alias of this adapter points now. */
  current: readonly { alias: string; adapterVersionId: string; servingName: string; version: number }[];
  replicas: readonly Pick<Replica, "id" | "url" | "baseModel" | "status" | "maxLoraRank">[];
  residencies: readonly { replicaId: string; servingName: string; observed: string }[];
  /** Another deployment to the same alias that has not ended. */
  underWay: boolean;
};

export type DeploymentPlan = {
  servingName: string;
  change: "first" | "same" | "forward" | "back";
  replaces: { version: number; servingName: string } | null;
  steps: { step: DeployStep; text: string; skipped: boolean }[];
  /** Why it cannot start; empty when it can. */
  blockers: string[];
  warnings: string[];
};

/** What deploying would do, told before it is done: the same steps in the same order as the workflow's. */
export function planDeployment({
  adapter,
  version,
  alias,
  current,
  replicas,
  residencies,
  underWay,
}: Facts): DeploymentPlan {
  const name = servingName(adapter.name, version.digest);
  const target = `${adapter.name}@${alias}`;
  const now = current.find((each) => each.alias === alias);
  const change =
    now === undefined
      ? "first"
      : now.version === version.version
        ? "same"
        : now.version < version.version
          ? "forward"
          : "back";
  const ready = replicas.filter((replica) => replica.status === "ready");
  const held = ready.filter((replica) =>
    residencies.some(
      (each) => each.replicaId === replica.id && each.servingName === name && each.observed === "resident",
    ),
  );
  const replaced = now !== undefined && change !== "same" ? now : undefined;
  const keeper = replaced && current.find((each) => each.alias !== alias && each.servingName === replaced.servingName);
  const nothingLeaves = replaced === undefined || keeper !== undefined;
  const kept = keeper
    ? `Nothing: ${adapter.name}@${keeper.alias} still serves version ${keeper.version}.`
    : "Nothing: no other version leaves.";
  const texts: Record<DeployStep, string> = {
    load:
      held.length === ready.length && ready.length > 0
        ? `Version ${version.version} is on ${countReplicas(ready.length)} already; loading checks it.`
        : `Load version ${version.version} on ${countReplicas(ready.length - held.length)}${held.length > 0 ? `; ${held.length} hold it already` : ""}. What serves now is not touched.`,
    probe: "Ask each replica for a real completion under the new name.",
    flip:
      now === undefined
        ? `Point ${target} at version ${version.version}; it answers nothing yet.`
        : change === "same"
          ? `${target} stays on version ${version.version}.`
          : `Point ${target} from version ${now.version} to version ${version.version}, for new requests at once.`,
    drain: nothingLeaves ? kept : `Wait until no request runs on version ${replaced.version}.`,
    unload: nothingLeaves
      ? kept
      : `Take version ${replaced.version} out of memory. It stays in the registry, ready to come back.`,
  };
  const wrongBase = ready.filter((replica) => replica.baseModel !== adapter.baseModel);
  const lowRank = ready.filter((replica) => replica.maxLoraRank !== null && replica.maxLoraRank < version.rank);
  return {
    servingName: name,
    change,
    replaces: replaced ? { version: replaced.version, servingName: replaced.servingName } : null,
    steps: deploySteps.map((step) => ({
      step,
      text: texts[step],
      skipped: (step === "drain" || step === "unload") && nothingLeaves,
    })),
    blockers: [
      ...(underWay ? [`Another deployment to ${target} is under way. Wait until it has ended.`] : []),
      ...wrongBase.map(
        (replica) => `${replica.url} serves ${replica.baseModel}, and this adapter needs ${adapter.baseModel}.`,
      ),
      ...lowRank.map(
        (replica) =>
          `${replica.url} takes adapters up to rank ${replica.maxLoraRank}, and this one has rank ${version.rank}.`,
      ),
    ],
    warnings:
      ready.length === 0
        ? ["No inference engine is ready now. The deployment waits a few minutes for one, then fails without a change."]
        : [],
  };
}

function countReplicas(count: number): string {
  return count === 1 ? "1 replica" : `${count} replicas`;
}
