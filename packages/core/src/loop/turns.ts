import { stagesOfDocuments, type Stage, type StageStatus } from "./contract.ts";
import type { RunPurpose } from "./settings.ts";

/**
 * How the runs of a workspace take turns. Two that are for the same go one after the other: they would fetch, train and
 * deploy the same things against each other. Two that are not share only the documents, which one run at a time works on:
 * what was added is made findable while another run trains.
 */
export type RunState = {
  settings: { purpose?: RunPurpose };
  /** In the order of the loop. */
  stages: readonly { stage: Stage; status: StageStatus }[];
};

/** Rows of an earlier release do not say what a run is for: it was everything. */
export const purposeOf = ({ purpose }: { purpose?: RunPurpose }): RunPurpose => purpose ?? "everything";

/** Whether a run that runs works on the documents now. */
export function holdsDocuments(run: RunState): boolean {
  const next = nextStageOf(run);
  if (next === undefined || !stagesOfDocuments.has(next.stage)) return false;
  // A run that trained has left them to others meanwhile, and waits for them before it indexes.
  return !(next.stage === "index" && next.status === "waiting" && purposeOf(run.settings) === "everything");
}

/** Whether `run`, which waits, may not begin while `other` runs. */
export function mayNotBegin(run: RunState, other: RunState): boolean {
  if (purposeOf(run.settings) === purposeOf(other.settings)) return true;
  return holdsDocuments(run) && holdsDocuments(other);
}

/** Whether `run`, which runs, may not go on to its next stage while `other` runs. */
export function mayNotGoOn(run: RunState, other: RunState): boolean {
  const next = nextStageOf(run);
  return next?.status === "waiting" && stagesOfDocuments.has(next.stage) && holdsDocuments(other);
}

function nextStageOf({ stages }: RunState): RunState["stages"][number] | undefined {
  return stages.find(({ status }) => status !== "done" && status !== "skipped");
}
