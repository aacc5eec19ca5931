import { AnnealError } from "@anneal/core/errors";
import type { StageInput } from "@anneal/core/loop/contract";
import { canonicalJson } from "@anneal/core/audit/chain";
import { stableUuid } from "@anneal/core/indexing/point-id";
import { assertRankServeable } from "@anneal/core/register/serveability";
import { trainerConfigSchema } from "@anneal/core/train/trainer-config";
import type { TrainerEvent } from "@anneal/core/train/trainer-events";
import { trainingResultSchema } from "@anneal/core/train/training-result";
import type { Database, Scope } from "@anneal/db/database";
import { getDatasetVersion } from "@anneal/db/queries/dataset";
import { addDrops, addRunOutputs, getRun } from "@anneal/db/queries/loop";
import { listReplicas } from "@anneal/db/queries/deploy";
import { admit, measureAllocation, releaseAllocation } from "@anneal/db/queries/pools";
import {
  addTrainingLog,
  createTrainingRun,
  findFinishedTraining,
  getTrainingRun,
  saveTrainingMetric,
  updateTrainingRun,
} from "@anneal/db/queries/train";
import type { ObjectStore } from "@anneal/objects/object-store";
import { decideAdmission, type AdmissionDecision } from "@anneal/sizing/admission";
import { estimateTrainingMemory, trainingLogitsPerPass } from "@anneal/sizing/training-memory";
import { cancellationSignal } from "@temporalio/activity";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { startTrainer } from "../drivers/trainer-process.ts";
import type { StageCounts } from "../workflows/run-stage.ts";
import { createProgressReporter } from "./progress.ts";
import { smallestRankLimit } from "./rank-limit.ts";
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
}) {
  const { db, objects, baseModel } = deps;
  const scopeOf = (input: { workspaceId: string }): Scope => ({ db, workspaceId: input.workspaceId });
  const directoryOf = (trainingRunId: string) => join(deps.stateDir, "training", trainingRunId);
  const subjectOf = (trainingRunId: string) => `training:${trainingRunId}`;

  /** Everything but paths: two runs with equal settings and data make the same adapter. */
  function configOf(input: StageInput, hasEval: boolean) {
    const { earlyStoppingPatience, batchTokens, maxLength, ...training } = input.settings.training;
    return {
      ...training,
      maxLength,
      batchTokens: Math.max(batchTokens, maxLength),
      earlyStopping: hasEval && earlyStoppingPatience !== null ? { patience: earlyStoppingPatience } : null,
      evalEverySteps: 20,
      // A checkpoint of an adapter is cheap; a short training has some as well, to resume from.
      saveEverySteps: Math.min(20, Math.ceil((training.maxSteps ?? 80) / 4)),
      threads: availableParallelism(),
    };
  }

  return {
    /** Writes the run's row; an equal run that is done already stands for it, unless the settings say retrain. */
    async prepareTraining(
      input: StageInput,
    ): Promise<{ status: "unchanged"; counts: StageCounts } | { status: "new"; trainingRunId: string }> {
      const scope = scopeOf(input);
      assertRankServeable(input.settings.training.rank, smallestRankLimit(await listReplicas(db), deps.maxLoraRank));
      const { outputs } = await getRun(scope, input.runId);
      const dataset = await getDatasetVersion(scope, outputs.datasetVersionId ?? "");
      const config = configOf(input, dataset.evalCount > 0);
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
        let end: Extract<TrainerEvent, { type: "finished" | "stopped" | "failed" }> | null = null;
        for await (const event of trainer.events) {
          await storeEvent(scope, trainingRunId, event);
          if (event.type === "step") {
            last = { done: event.step, total: event.totalSteps };
            await progress.report(event.step, event.totalSteps, `loss ${event.loss.toFixed(3)}`);
            if (event.step % 10 === 1) await measureAllocation(db, subjectOf(trainingRunId), event.memoryBytes);
          }
          if (event.type === "started") {
            await addDrops(scope, input.runId, "train", event.dropped);
          }
          if (event.type === "finished" || event.type === "stopped" || event.type === "failed") end = event;
        }
        const code = await trainer.exited;
        return await settle(scope, trainingRunId, dataset.trainCount, end, code, directory);
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

  async function storeEvent(scope: Scope, trainingRunId: string, event: TrainerEvent): Promise<void> {
    const at = new Date(event.at);
    switch (event.type) {
      case "started": {
        const { type: _, dropped, ...started } = event;
        await updateTrainingRun(scope, trainingRunId, { started });
        const from = event.resumedFromStep === 0 ? "" : `, resumed from step ${event.resumedFromStep}`;
        const message = `${event.trainExamples} examples, ${event.totalSteps} steps${from}; ${event.trainableParameters.toLocaleString("en")} trainable parameters.`;
        return addTrainingLog(scope, trainingRunId, { at, level: "info", message });
      }
      case "step": {
        const { step, loss, learningRate, gradNorm, tokensPerSecond, memoryBytes, etaMs } = event;
        const metric = { step, at, loss, learningRate, gradNorm, tokensPerSecond, memoryBytes, etaMs };
        return saveTrainingMetric(scope, trainingRunId, metric);
      }
      case "eval":
        return saveTrainingMetric(scope, trainingRunId, { step: event.step, at, evalLoss: event.evalLoss });
      case "checkpoint":
        return saveTrainingMetric(scope, trainingRunId, { step: event.step, at, checkpoint: `step-${event.step}` });
      case "log":
        return addTrainingLog(scope, trainingRunId, { at, level: event.level, message: event.message });
      case "finished":
        return addTrainingLog(scope, trainingRunId, {
          at,
          level: "info",
          message: `Finished after ${event.steps} steps; the best weights are those of step ${event.bestStep}.`,
        });
      case "stopped":
        return addTrainingLog(scope, trainingRunId, { at, level: "info", message: `Stopped at step ${event.step}.` });
      case "failed":
        return addTrainingLog(scope, trainingRunId, { at, level: "error", message: event.message });
    }
  }

  async function settle(
    scope: Scope,
    trainingRunId: string,
    trainCount: number,
    end: Extract<TrainerEvent, { type: "finished" | "stopped" | "failed" }> | null,
    exitCode: number | null,
    directory: string,
  ): Promise<StageCounts> {
    if (end?.type === "finished") {
      const adapterKey = `training/${trainingRunId}/adapter`;
      for (const file of await readdir(end.adapterDir)) {
        await objects.put(`${adapterKey}/${file}`, await readFile(join(end.adapterDir, file)));
      }
      const result = trainingResultSchema.parse(end);
      await updateTrainingRun(scope, trainingRunId, {
        status: "done",
        result,
        adapterKey,
        endedAt: new Date(),
        error: null,
      });
      const evalLoss =
        result.evalLossFirst === null || result.evalLossBest === null
          ? ""
          : `; evaluation ${result.evalLossFirst.toFixed(2)} → ${result.evalLossBest.toFixed(2)}`;
      const note = `Loss ${result.lossFirst.toFixed(2)} → ${result.lossLast.toFixed(2)}${evalLoss} at ${Math.round(result.tokensPerSecond)} tokens/s.`;
      return { inCount: trainCount, outCount: trainCount, note };
    }
    const error =
      end?.type === "stopped"
        ? new AnnealError("CANCELLED", `The training was stopped at step ${end.step}; its checkpoint is kept.`, {
            action: "Retry the train stage to go on from there.",
          })
        : end?.type === "failed"
          ? new AnnealError(end.code, end.message, { action: end.action })
          : new AnnealError(
              "TRAINING_FAILED",
              `The trainer ended without a result (exit code ${exitCode ?? "signal"}).`,
              {
                action: "It is started again from its newest checkpoint; if that fails too, see its log.",
                details: {
                  stderr: (await readFile(join(directory, "stderr.log"), "utf8").catch(() => "")).slice(-1500),
                },
                // A killed trainer resumes; one that says why it failed does not.
                retryable: true,
              },
            );
    const status = end?.type === "stopped" ? "stopped" : error.retryable ? "running" : "failed";
    await updateTrainingRun(scope, trainingRunId, { status, error: error.toReport(), endedAt: new Date() });
    throw error;
  }
}
