import { AnnealError } from "@anneal/core/errors";
import type { StageInput } from "@anneal/core/loop/contract";
import { canonicalJson } from "@anneal/core/canonical-json";
import { stableUuid } from "@anneal/core/indexing/point-id";
import { assertTrainingServeable, engineLimitsOf } from "@anneal/core/register/serveability";
import { trainerConfigSchema } from "@anneal/core/train/trainer-config";
import { trainingConfigOf } from "@anneal/core/train/training-config";
import type { Database, Scope } from "@anneal/db/database";
import { getDatasetVersion } from "@anneal/db/queries/dataset";
import { replaceDrops, addRunOutputs, getRun } from "@anneal/db/queries/loop";
import { listReplicas } from "@anneal/db/queries/serving";
import { admit, measureAllocation, releaseAllocation } from "@anneal/db/queries/pools";
import { createTrainingRun, findFinishedTraining, getTrainingRun, updateTrainingRun } from "@anneal/db/queries/train";
import type { ObjectStore } from "@anneal/objects/object-store";
import { decideAdmission, type AdmissionDecision } from "@anneal/sizing/admission";
import { estimateTrainingMemory, trainingLogitsPerPass } from "@anneal/sizing/training-memory";
import { cancellationSignal } from "@temporalio/activity";
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { startTrainer } from "../drivers/trainer-process.ts";
import type { StageCounts } from "../workflows/run-stage.ts";
import { createProgressReporter } from "./progress.ts";
import { recordTrainerEvent } from "./record-trainer-event.ts";
import { settleTraining, type TrainerEnd } from "./settle-training.ts";
import type { BaseModel } from "../base-model.ts";

export type TrainActivities = ReturnType<typeof createTrainActivities>;

export const trainingPoolName = "this-machine";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

export function createTrainActivities(deps: {
  db: Database;
  objects: ObjectStore;
  stateDir: string;
  python: string;
  pythonPath: string | undefined;
  baseModel: BaseModel;
  maxLoraRank: number | null;
  /** Held-out questions that each training answers at its evaluations; 0 asks none. */
  sampleCount: number;
}) {
  const { db, objects, baseModel } = deps;
  const scopeOf = (input: { workspaceId: string }): Scope => ({ db, workspaceId: input.workspaceId });
  const directoryOf = (trainingRunId: string) => join(deps.stateDir, "training", trainingRunId);
  const subjectOf = (trainingRunId: string) => `training:${trainingRunId}`;

  return {
    /** Writes the run's row; an equal run that is done already stands for it, unless the settings say retrain. */
    async prepareTraining(
      input: StageInput,
    ): Promise<{ status: "unchanged"; counts: StageCounts } | { status: "new"; trainingRunId: string }> {
      const scope = scopeOf(input);
      const limits = engineLimitsOf(await listReplicas(db), deps.maxLoraRank);
      assertTrainingServeable(input.settings.training, baseModel.name, limits);
      const { outputs } = await getRun(scope, input.runId);
      const dataset = await getDatasetVersion(scope, outputs.datasetVersionId ?? "");
      const config = trainingConfigOf(input.settings.training, {
        hasEval: dataset.evalCount > 0,
        threads: availableParallelism(),
      });
      const inputDigest = sha256(canonicalJson({ base: baseModel.digest, dataset: dataset.digest, config }));
      const finished = input.settings.retrain ? undefined : await findFinishedTraining(scope, inputDigest);
      if (finished) {
        await addRunOutputs(scope, input.runId, { trainingRunId: finished.id });
        const note = "Nothing changed: the same base, dataset and settings were trained before.";
        return { status: "unchanged", counts: { inCount: dataset.trainCount, outCount: dataset.trainCount, note } };
      }
      // A retry of the stage resumes the run it left; a wish to train again makes a new one.
      const trainingRunId = stableUuid([input.runId, inputDigest, "training"], sha256);
      await createTrainingRun(scope, {
        id: trainingRunId,
        runId: input.runId,
        datasetVersionId: dataset.id,
        baseModel: baseModel.name,
        inputDigest,
        config,
      });
      await updateTrainingRun(scope, trainingRunId, { status: "queued", error: null, endedAt: null });
      await addRunOutputs(scope, input.runId, { trainingRunId });
      return { status: "new", trainingRunId };
    },

    /** Sizes the job, then books it on the pool or refuses it with the numbers. */
    async admitTraining(input: StageInput & { trainingRunId: string }): Promise<void> {
      const scope = scopeOf(input);
      const { training } = input.settings;
      const estimate = estimateTrainingMemory({
        model: baseModel.shape,
        method: training.method,
        rank: training.rank,
        weightBytes: baseModel.weightBytes,
        tokensPerPass: Math.max(training.batchTokens, training.maxLength),
        logitsPerPass: trainingLogitsPerPass(Math.max(training.batchTokens, training.maxLength)),
      });
      const decision = await admit<AdmissionDecision>(
        db,
        trainingPoolName,
        subjectOf(input.trainingRunId),
        (pool, booked) => {
          const decided = decideAdmission(pool.nodes, booked, { memoryBytes: estimate.totalBytes });
          return {
            decision: decided,
            booking:
              decided.status === "admitted"
                ? {
                    node: decided.node,
                    memoryBytes: estimate.totalBytes,
                    workspaceId: input.workspaceId,
                    explanation: { reason: decided.reason, breakdown: estimate.breakdown },
                  }
                : null,
          };
        },
      );
      const admission = { ...decision, estimate };
      await updateTrainingRun(scope, input.trainingRunId, { admission });
      if (decision?.status === "admitted") return;
      const error = new AnnealError(
        "ADMISSION_REFUSED",
        decision?.reason ?? `There is no pool ${trainingPoolName} to train on.`,
        {
          action: decision?.action ?? "Start the stack, which declares this machine as a pool.",
          details: { estimate: estimate.breakdown, neededBytes: estimate.totalBytes },
        },
      );
      await updateTrainingRun(scope, input.trainingRunId, {
        status: "failed",
        error: error.toReport(),
        endedAt: new Date(),
      });
      throw error;
    },

    async runTraining(input: StageInput & { trainingRunId: string }): Promise<StageCounts> {
      const scope = scopeOf(input);
      const { trainingRunId } = input;
      const run = await getTrainingRun(scope, trainingRunId);
      const dataset = await getDatasetVersion(scope, run.datasetVersionId);
      const directory = directoryOf(trainingRunId);
      const outputDir = join(directory, "output");
      await mkdir(outputDir, { recursive: true });
      const trainFile = join(directory, "train.jsonl");
      const evalFile = dataset.evalCount > 0 ? join(directory, "eval.jsonl") : null;
      await writeFile(trainFile, await objects.get(dataset.trainKey));
      if (evalFile !== null) await writeFile(evalFile, await objects.get(dataset.evalKey));
      const configPath = join(directory, "config.json");
      const config = trainerConfigSchema.parse({
        ...run.config,
        sampleCount: deps.sampleCount,
        baseModel: baseModel.path,
        baseModelId: baseModel.name,
        trainFile,
        evalFile,
        outputDir,
      });
      await writeFile(configPath, JSON.stringify(config, null, 2));
      await updateTrainingRun(scope, trainingRunId, { status: "running", startedAt: run.startedAt ?? new Date() });

      const trainer = await startTrainer({ python: deps.python, pythonPath: deps.pythonPath, directory, configPath });
      const signal = cancellationSignal();
      signal.addEventListener("abort", () => trainer.stop(), { once: true });
      const progress = createProgressReporter({ scope, runId: input.runId, stage: "train", unit: "steps" });
      // Loading the base model and evaluations are silent for a while: the heartbeat must not depend on events.
      let last = { done: 0, total: null as number | null };
      const pulse = setInterval(() => {
        void (async () => {
          await progress.report(last.done, last.total);
          if ((await getTrainingRun(scope, trainingRunId)).status === "stopping") trainer.stop();
        })().catch(() => undefined);
      }, 2000);
      try {
        let end: TrainerEnd | null = null;
        for await (const event of trainer.events) {
          await recordTrainerEvent(scope, trainingRunId, event);
          if (event.type === "step") {
            last = { done: event.step, total: event.totalSteps };
            await progress.report(event.step, event.totalSteps, `loss ${event.loss.toFixed(3)}`);
            if (event.step % 10 === 1) await measureAllocation(db, subjectOf(trainingRunId), event.memoryBytes);
          }
          if (event.type === "started") {
            await replaceDrops(scope, input.runId, "train", event.dropped);
          }
          if (event.type === "finished" || event.type === "stopped" || event.type === "failed") end = event;
        }
        const code = await trainer.exited;
        return await settleTraining({ scope, objects, trainingRunId, directory }, dataset.trainCount, end, code);
      } finally {
        clearInterval(pulse);
      }
    },

    /** Whatever way the training went, its memory is free again, and its row does not say for ever that it runs. */
    async releaseTraining(input: StageInput & { trainingRunId: string }): Promise<void> {
      const { trainingRunId } = input;
      await releaseAllocation(db, subjectOf(trainingRunId));
      const { status, error } = await getTrainingRun(scopeOf(input), trainingRunId);
      if (status === "done" || status === "failed" || status === "stopped") return;
      const end = error === null ? "stopped" : "failed";
      await updateTrainingRun(scopeOf(input), trainingRunId, { status: end, endedAt: new Date() });
    },
  };
}
