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
  /** How well this version and the one that the alias points at do on what was held out; null where nothing was. */
  evaluation: { version: Evaluation | null; current: Evaluation | null };
  /** The assistants whose model is this alias. */
  assistants: readonly string[];
};

export type Evaluation = {
  loss: number;
  /** The base model's on the same examples. */
  baseLoss: number | null;
  /** How many examples were held out; null when the dataset is gone. */
  examples: number | null;
  datasetVersionId: string;
};

export type DeploymentPlan = {
  servingName: string;
  change: "first" | "same" | "forward" | "back";
  replaces: { version: number; servingName: string } | null;
  steps: { step: DeployStep; text: string; skipped: boolean }[];
  /** Why it cannot start; empty when it can. */
  blockers: string[];
  warnings: string[];
  evaluation: Facts["evaluation"];
  /** Whose answers change. */
  assistants: readonly string[];
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
  evaluation,
  assistants,
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
    warnings: [
      ...(ready.length === 0
        ? ["No inference engine is ready now. The deployment waits a few minutes for one, then fails without a change."]
        : []),
      ...evaluationWarnings(version.version, evaluation, replaced?.version),
    ],
    evaluation,
    assistants: change === "same" ? [] : assistants,
  };
}

/** Losses are of held-out examples; those of two datasets are of different examples, which is then said. */
function evaluationWarnings(
  version: number,
  { version: mine, current }: Facts["evaluation"],
  replaced: number | undefined,
): string[] {
  if (mine === null)
    return [`Version ${version} was not measured: nothing was held out, so nothing tells whether it is better.`];
  const on = mine.examples === null ? "the held-out examples" : countExamples(mine.examples);
  const warnings = [];
  if (mine.baseLoss !== null && mine.loss > mine.baseLoss)
    warnings.push(
      `Version ${version} does worse than the base model on ${on}: loss ${round(mine.loss)}, base ${round(mine.baseLoss)}.`,
    );
  if (replaced !== undefined && current !== null && mine.loss > current.loss) {
    const others =
      mine.datasetVersionId === current.datasetVersionId
        ? "the same examples"
        : current.examples === null
          ? "other examples"
          : `other examples (${current.examples})`;
    warnings.push(
      `Version ${version} does worse than version ${replaced}, which serves: loss ${round(mine.loss)} on ${on}, ${round(current.loss)} on ${others}.`,
    );
  }
  return warnings;
}

function countExamples(count: number): string {
  return count === 1 ? "1 held-out example" : `${count} held-out examples`;
}

function round(loss: number): string {
  return loss.toFixed(3);
}

function countReplicas(count: number): string {
  return count === 1 ? "1 replica" : `${count} replicas`;
}
