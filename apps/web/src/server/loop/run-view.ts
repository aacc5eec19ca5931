import type { ErrorReport } from "@anneal/core/errors";
import type { Progress, Stage, StageStatus } from "@anneal/core/loop/contract";
import type { Run, RunStage } from "@anneal/db/queries/loop";

export type StageView = {
  stage: Stage;
  status: StageStatus;
  durationMs: number | null;
  startedAt: Date | null;
  inCount: number;
  outCount: number;
  droppedCount: number;
  progress: Progress | null;
  note: string | null;
  error: RunStage["error"];
};

/** A run as the portal shows it: without the workflow's own affairs. */
export function toRunView(run: Run & { stages: RunStage[] }) {
  const { id, status, startedBy, createdAt, endedAt, error } = run;
  const stages = run.stages.map(toStageView);
  return { id, status, startedBy, createdAt, endedAt, error: withoutDrops(error), stages };
}

/** What was left out is told by `loop.drops`, to whom may know of it. */
function withoutDrops<E extends ErrorReport>(error: E | null): E | null {
  if (error?.details === undefined) return error;
  const { dropped: _, ...details } = error.details;
  return { ...error, details };
}

function toStageView(row: RunStage): StageView {
  const { stage, status, startedAt, endedAt, inCount, outCount, droppedCount, progress, note, error } = row;
  const durationMs = startedAt && endedAt ? endedAt.getTime() - startedAt.getTime() : null;
  return {
    stage,
    status,
    durationMs,
    startedAt,
    inCount,
    outCount,
    droppedCount,
    progress,
    note,
    error: withoutDrops(error),
  };
}
