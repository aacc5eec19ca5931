import { z } from "zod";
import { AnnealError } from "@anneal/core/errors";
import { nameSchema, trainingSettingsSchema } from "@anneal/core/loop/settings";
import { recordAudit } from "@anneal/db/queries/audit";
import { listUsesOfDataset } from "@anneal/db/queries/dataset";
import {
  getTrainingRun,
  listLatestMetrics,
  listTrainingLog,
  listTrainingMetrics,
  listTrainingRuns,
  listTrainingSamples,
  requestTrainingStop,
} from "@anneal/db/queries/train";
import { mayReadWhole } from "#server/dataset/dataset-view.ts";
import { thinMetrics } from "#server/train/thin-metrics.ts";
import { loadTrainAgain, trainAgain } from "#server/train/train-again.ts";
import { parseAdmission, toTrainingView } from "#server/train/training-view.ts";
import { memberProcedure, router, scientistProcedure } from "#server/trpc.ts";

/** More points than a chart has pixels say nothing more. */
const maxPoints = 1_500;
const byId = z.object({ trainingRunId: z.uuid() });

export const trainRouter = router({
  list: memberProcedure.query(async ({ ctx: { scope } }) => {
    const runs = await listTrainingRuns(scope, 500);
    const latest = await listLatestMetrics(
      scope,
      runs.filter((run) => run.result === null).map((run) => run.id),
    );
    return runs.map((run) => toTrainingView(run, latest.get(run.id)));
  }),

  get: memberProcedure.input(byId).query(async ({ ctx: { scope }, input }) => {
    const run = await getTrainingRun(scope, input.trainingRunId);
    const [latest, uses] = await Promise.all([
      listLatestMetrics(scope, [run.id]),
      listUsesOfDataset(scope, run.datasetVersionId),
    ]);
    const adapters = uses.adapterVersions.filter((version) => version.trainingRunId === run.id);
    return { ...toTrainingView(run, latest.get(run.id)), admission: parseAdmission(run.admission), adapters };
  }),

  /** The measured steps, thinned to what a chart can show; `every` says to how many steps each. */
  metrics: memberProcedure.input(byId).query(async ({ ctx: { scope }, input }) => {
    const metrics = await listTrainingMetrics(scope, input.trainingRunId);
    const { points, every } = thinMetrics(metrics, maxPoints);
    return {
      every,
      points: points.map(
        ({ step, at, loss, evalLoss, learningRate, gradNorm, tokensPerSecond, memoryBytes, etaMs, checkpoint }) => ({
          step,
          at,
          loss,
          evalLoss,
          learningRate,
          gradNorm,
          tokensPerSecond,
          memoryBytes,
          etaMs,
          checkpoint,
        }),
      ),
    };
  }),

  log: memberProcedure.input(byId).query(async ({ ctx: { scope }, input }) => {
    const lines = await listTrainingLog(scope, input.trainingRunId);
    return lines.map(({ seq, at, level, message }) => ({ seq, at, level, message }));
  }),

  /**
   * What it answered to a few held-out questions at each evaluation. They hold words of documents, so only who may
   * read all of the dataset's documents sees them.
   */
  samples: memberProcedure.input(byId).query(async ({ ctx, input }) => {
    const run = await getTrainingRun(ctx.scope, input.trainingRunId);
    if (!(await mayReadWhole(ctx, run.datasetVersionId))) return { readable: false as const };
    return { readable: true as const, evaluations: await listTrainingSamples(ctx.scope, run.id) };
  }),

  /** The settings that a training was made with, to change them and train again on the same dataset. */
  settings: memberProcedure
    .input(byId)
    .query(async ({ ctx: { scope }, input }) => loadTrainAgain(scope, input.trainingRunId)),

  /** Trains again on the same dataset with other settings, then registers the result and serves it under an alias. */
  again: scientistProcedure
    .input(byId.extend({ training: trainingSettingsSchema, alias: nameSchema }))
    .mutation(({ ctx, input }) => trainAgain(ctx, input)),

  /** The trainer saves a checkpoint and ends; retrying the run's train stage goes on from it. */
  stop: scientistProcedure.input(byId).mutation(async ({ ctx: { scope, identity }, input }) => {
    const run = await getTrainingRun(scope, input.trainingRunId);
    const notRunning = new AnnealError("CONFLICT", `This training is ${run.status}, so there is nothing to stop.`, {
      action:
        run.status === "queued" ? "It has not started: stop its run instead." : "Reload the page to see how it ended.",
    });
    if (run.status !== "running") throw notRunning;
    await recordAudit(scope, { actor: identity.email, action: "training.stop", subject: `training:${run.id}` });
    if (!(await requestTrainingStop(scope, run.id))) throw notRunning;
  }),
});
