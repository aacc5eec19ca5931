import type { ErrorReport } from "@anneal/core/errors";
import type { Progress, Stage, StageStatus } from "@anneal/core/loop/contract";
import { loopSettingsSchema } from "@anneal/core/loop/settings";
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

type NamedSource = { id: string; name: string };

/** How far a run is: without the workflow's own affairs. */
export function toRunProgress(run: Run & { stages: RunStage[] }) {
  const { id, status, startedBy, createdAt, endedAt, error } = run;
  return { id, status, startedBy, createdAt, endedAt, error: withoutDrops(error), stages: run.stages.map(toStageView) };
}

/**
 * A run as the portal shows it, and what it was told to do.
 * @param sources those of the workspace that are not removed
 */
export function toRunView(run: Run & { stages: RunStage[] }, sources: readonly NamedSource[]) {
  const settings = loopSettingsSchema.parse(run.settings);
  return { ...toRunProgress(run), settings, sources: namedSources(settings.sourceIds, sources) };
}

/** The sources that a run was told to read; null for all of them. One without a name was removed since. */
function namedSources(
  sourceIds: readonly string[] | null,
  sources: readonly NamedSource[],
): { id: string; name: string | null }[] | null {
  const names = new Map(sources.map(({ id, name }) => [id, name]));
  return sourceIds?.map((id) => ({ id, name: names.get(id) ?? null })) ?? null;
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
