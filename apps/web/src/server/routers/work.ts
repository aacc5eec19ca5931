import { purposeOf } from "@anneal/core/loop/turns";
import { listRuns } from "@anneal/db/queries/loop";
import { listActiveSyncs } from "@anneal/db/queries/source-syncs";
import { listLatestMetrics, listTrainingRuns } from "@anneal/db/queries/train";
import { countsAll } from "#server/connect/source-figures.ts";
import { progressOfSync } from "#server/connect/sync-progress.ts";
import { toRunProgress } from "#server/loop/run-view.ts";
import { toTrainingView } from "#server/train/training-view.ts";
import { memberProcedure, router } from "#server/trpc.ts";

const recent = 12;

export const workRouter = router({
  /** What has not ended, for the tray and the rail: runs, trainings outside of them, and syncs outside of them. */
  active: memberProcedure.query(async ({ ctx: { scope, identity } }) => {
    const [allRuns, allTrainings, syncs] = await Promise.all([
      listRuns(scope, recent),
      listTrainingRuns(scope, recent),
      listActiveSyncs(scope),
    ]);
    const runs = allRuns.filter(({ status }) => status === "waiting" || status === "running");
    const inRun = new Set<string | null>(runs.map(({ id }) => id));
    const trainings = allTrainings.filter(
      ({ status, runId }) => (status === "running" || status === "stopping") && !inRun.has(runId),
    );
    const latest = await listLatestMetrics(
      scope,
      trainings.map(({ id }) => id),
    );
    return {
      runs: runs.map((run) => ({ ...toRunProgress(identity, run), purpose: purposeOf(run.settings) })),
      trainings: trainings.map((training) => toTrainingView(training, latest.get(training.id))),
      syncs: syncs.map(({ progress, scanned, ...sync }) => ({
        ...sync,
        progress: countsAll(identity) && sync.waitsUntil === null ? progressOfSync({ scanned, progress }) : null,
      })),
    };
  }),
});
