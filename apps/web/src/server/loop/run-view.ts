import type { ErrorReport } from "@anneal/core/errors";
import {
  stagesOfDocuments,
  type Progress,
  type RunSummary,
  type Stage,
  type StageStatus,
} from "@anneal/core/loop/contract";
import { loopSettingsSchema } from "@anneal/core/loop/settings";
import type { RunStage, RunWithStages } from "@anneal/db/queries/loop";
import type { Identity } from "#server/auth/identity.ts";
import { countsAll, sourceErrorFor } from "#server/connect/source-figures.ts";

/** Null where a figure would tell somebody how many documents there are that they may not read. */
type Figure = number | null;

export type StageView = {
  stage: Stage;
  status: StageStatus;
  durationMs: number | null;
  startedAt: Date | null;
  inCount: Figure;
  outCount: Figure;
  droppedCount: Figure;
  progress: Progress | null;
  note: string | null;
  error: RunStage["error"];
};

type Viewer = Pick<Identity, "role">;
type NamedSource = { id: string; name: string };

const withheldNote = "Figures of documents are told to those who keep the workspace running.";

/** What the stages of documents count is how much the sources have. */
function mayKnowFigures(viewer: Viewer, stage: Stage): boolean {
  return countsAll(viewer) || !stagesOfDocuments.has(stage);
}

/** How far a run is, as far as somebody may know: without the workflow's own affairs. */
export function toRunProgress(viewer: Viewer, run: RunWithStages) {
  const { id, status, startedBy, createdAt, endedAt, error } = run;
  return {
    id,
    status,
    startedBy,
    createdAt,
    endedAt,
    error: errorFor(viewer, error),
    stages: run.stages.map((stage) => toStageView(viewer, stage)),
  };
}

/**
 * A run as the portal shows it, and what it was told to do.
 * @param sources those of the workspace that are not removed
 */
export function toRunView(viewer: Viewer, run: RunWithStages, sources: readonly NamedSource[]) {
  const settings = loopSettingsSchema.parse(run.settings);
  return { ...toRunProgress(viewer, run), settings, sources: namedSources(settings.sourceIds, sources) };
}

/** What a run came to, as far as somebody may know. */
export function toSummaryView(viewer: Viewer, { stages, index, ...facts }: RunSummary) {
  return {
    ...facts,
    stages: stages.map((each) => (mayKnowFigures(viewer, each.stage) ? each : { ...each, in: null, out: null })),
    index: mayKnowFigures(viewer, "index") ? index : { ...index, documents: null, chunks: null },
  };
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

function errorFor<E extends ErrorReport>(viewer: Viewer, error: E | null): E | null {
  return sourceErrorFor(viewer, withoutDrops(error));
}

function toStageView(viewer: Viewer, row: RunStage): StageView {
  const { stage, status, startedAt, endedAt, inCount, outCount, droppedCount, progress, note } = row;
  const durationMs = startedAt && endedAt ? endedAt.getTime() - startedAt.getTime() : null;
  const known = { stage, status, durationMs, startedAt, error: errorFor(viewer, row.error) };
  if (mayKnowFigures(viewer, stage)) return { ...known, inCount, outCount, droppedCount, progress, note };
  const nothing = { inCount: null, outCount: null, droppedCount: null, progress: null };
  return { ...known, ...nothing, note: status === "running" || status === "done" ? withheldNote : null };
}
