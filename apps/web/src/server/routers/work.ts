import { z } from "zod";
import { syncWorkflowId, syncWorkflowName } from "@anneal/core/connect/contract";
import type { Progress } from "@anneal/core/loop/contract";
import type { Scope } from "@anneal/db/database";
import { listSources } from "@anneal/db/queries/connect";
import { listRuns } from "@anneal/db/queries/loop";
import { listLatestMetrics, listTrainingRuns } from "@anneal/db/queries/train";
import { toRunView } from "#server/loop/run-view.ts";
import { listRunningWorkflows } from "#server/temporal.ts";
import { toTrainingView } from "#server/train/training-view.ts";
import { memberProcedure, router } from "#server/trpc.ts";

const recent = 12;
/** What a sync's activity says with each heartbeat. */
const heartbeatSchema = z.object({ done: z.number(), total: z.number().nullable() });

export const workRouter = router({
  /** What has not ended, for the tray and the rail: runs, trainings outside of them, and syncs outside of them. */
  active: memberProcedure.query(async ({ ctx: { scope } }) => {
    const [allRuns, allTrainings, syncs] = await Promise.all([
      listRuns(scope, recent),
      listTrainingRuns(scope, recent),
      listRunningSyncs(scope),
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
      runs: runs.map(toRunView),
      trainings: trainings.map((training) => toTrainingView(training, latest.get(training.id))),
      syncs,
    };
  }),
});

/** A sync has no row of its own: the workflow service knows that it runs and how far it has come. */
async function listRunningSyncs(scope: Scope) {
  const running = await listRunningWorkflows(syncWorkflowName);
  if (running.length === 0) return [];
  return (await listSources(scope)).flatMap(({ id, name }) => {
    // A schedule appends the time of its firing.
    const workflow = running.find(({ workflowId }) => workflowId.startsWith(syncWorkflowId(id)));
    if (!workflow) return [];
    const heartbeat = heartbeatSchema.safeParse(workflow.heartbeat).data;
    return [
      { sourceId: id, name, startedAt: workflow.startedAt, progress: heartbeat && toProgress(heartbeat, workflow) },
    ];
  });
}

function toProgress({ done, total }: z.infer<typeof heartbeatSchema>, { startedAt }: { startedAt: Date }): Progress {
  const perMs = done / Math.max(1, Date.now() - startedAt.getTime());
  const etaMs = total === null || done === 0 ? null : Math.round((total - done) / perMs);
  return { done, total, unit: "documents", ratePerSecond: done === 0 ? null : perMs * 1000, etaMs, note: null };
}
