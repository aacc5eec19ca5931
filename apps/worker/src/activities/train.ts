import { AnnealError } from "@anneal/core/errors";
import type { StageInput } from "@anneal/core/loop/contract";
import { canonicalJson } from "@anneal/core/canonical-json";
import { stableUuid } from "@anneal/core/indexing/point-id";
import { assertTrainingServeable, engineLimitsOf } from "@anneal/core/register/serveability";
import { trainerConfigSchema, type TrainerConfig } from "@anneal/core/train/trainer-config";
import { trainingConfigOf } from "@anneal/core/train/training-config";
import type { Database, Scope } from "@anneal/db/database";
import type { PoolNode } from "@anneal/db/schema";
import { getDatasetVersion } from "@anneal/db/queries/dataset";
import { replaceDrops, addRunOutputs, getRun } from "@anneal/db/queries/loop";
import { listReplicas } from "@anneal/db/queries/serving";
import {
  endPlacement,
  getPlacedGpus,
  getPlacement,
  listActivePlacements,
  listPools,
  measurePlacement,
  schedulePending,
  submitPlacement,
  teamOf,
  type PlacedGpus,
} from "@anneal/db/queries/pools";
import { createTrainingRun, findFinishedTraining, getTrainingRun, updateTrainingRun } from "@anneal/db/queries/train";
import type { ObjectStore } from "@anneal/objects/object-store";
import type { TrainingSettings } from "@anneal/core/loop/settings";
import { awaitGpuMemory } from "@anneal/processes/query-gpus";
import type { Decision } from "@anneal/sizing/placement/decision";
import { trainingContextBytes } from "@anneal/sizing/training/estimate-training";
import { cancellationSignal, heartbeat } from "@temporalio/activity";
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startTrainer } from "../drivers/trainer-process.ts";
import type { StageCounts } from "../workflows/run-stage.ts";
import { explainRefusal } from "./explain-refusal.ts";
import { createProgressReporter } from "./progress.ts";
import { recordTrainerEvent } from "./record-trainer-event.ts";
import { settleTraining, type TrainerEnd } from "./settle-training.ts";
import { sizeTraining, type TrainingDemand } from "./size-training.ts";
import type { BaseModel } from "../base-model.ts";

export type TrainActivities = ReturnType<typeof createTrainActivities>;

/** The machine that the worker runs on. */
export const machinePool = "this-machine";
const placePollMs = 2000;
/** How long a training waits for memory of its GPU that what ran there before has not given back yet. */
const memoryWaitMs = 120_000;

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** What the trainer's allocator may reserve of its GPU: its share of it, without the CUDA context beside the allocator. */
const grantedBytes = ({ gpu, milli }: PlacedGpus) =>
  Math.floor((gpu.memoryGib * 2 ** 30 * milli) / 1000) - trainingContextBytes;

const isSame = (placed: PlacedGpus, now: PlacedGpus | null) => placed.ids.join() === now?.ids.join();

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

  /** One trainer from start to end; null when the scheduler took its place away and it stopped at a checkpoint. */
  async function trainUntilStopped(
    input: StageInput & { trainingRunId: string },
    { directory, config }: { directory: string; config: TrainerConfig },
    trainCount: number,
  ): Promise<StageCounts | null> {
    const scope = scopeOf(input);
    const { trainingRunId } = input;
    const { startedAt } = await getTrainingRun(scope, trainingRunId);
    const placed = await getPlacedGpus(db, subjectOf(trainingRunId));
    if (placed === null && (await needsGpus(trainingRunId))) {
      // Its GPU is gone: it waits for another one.
      await schedulePending(db);
      await sleep(placePollMs, undefined, { signal: cancellationSignal() });
      return null;
    }
    if (placed !== null) await awaitMemory(placed, input.settings.training);
    await updateTrainingRun(scope, trainingRunId, { status: "running", startedAt: startedAt ?? new Date() });
    const configPath = join(directory, "config.json");
    await writeFile(configPath, JSON.stringify({ ...config, gpuMemoryBytes: placed && grantedBytes(placed) }, null, 2));
    const python = { python: deps.python, pythonPath: deps.pythonPath };
    const trainer = await startTrainer({ ...python, directory, configPath, devices: placed?.ids ?? [] });
    const signal = cancellationSignal();
    signal.addEventListener("abort", () => trainer.stop(), { once: true });
    const progress = createProgressReporter({ scope, runId: input.runId, stage: "train", unit: "steps" });
    // Loading the base model and evaluations are silent for a while: the heartbeat must not depend on events.
    let displaced = false;
    let last = { done: 0, total: null as number | null };
    const pulse = setInterval(() => {
      void (async () => {
        await progress.report(last.done, last.total);
        if ((await getTrainingRun(scope, trainingRunId)).status === "stopping") trainer.stop();
        const hasMoved = placed !== null && !isSame(placed, await getPlacedGpus(db, subjectOf(trainingRunId)));
        if (hasMoved || (await getPlacement(db, subjectOf(trainingRunId)))?.status === "waiting") {
          displaced = true;
          trainer.stop();
        }
      })().catch(() => undefined);
    }, 2000);
    try {
      let end: TrainerEnd | null = null;
      for await (const event of trainer.events) {
        await recordTrainerEvent(scope, trainingRunId, event);
        if (event.type === "step") {
          last = { done: event.step, total: event.totalSteps };
          await progress.report(event.step, event.totalSteps, `loss ${event.loss.toFixed(3)}`);
          if (event.step % 10 === 1) await measurePlacement(db, subjectOf(trainingRunId), event.memoryBytes);
        }
        if (event.type === "started") {
          await replaceDrops(scope, input.runId, "train", event.dropped);
        }
        if (event.type === "finished" || event.type === "stopped" || event.type === "failed") end = event;
      }
      const code = await trainer.exited;
      if (displaced && end?.type === "stopped") return null;
      return await settleTraining({ scope, objects, trainingRunId, directory }, trainCount, end, code);
    } finally {
      clearInterval(pulse);
    }
  }

  /** Until the scheduler has given the training its place; its page says what it waits for. */
  async function awaitPlace(scope: Scope, trainingRunId: string, estimate: object): Promise<void> {
    const signal = cancellationSignal();
    for (;;) {
      signal.throwIfAborted();
      heartbeat();
      const placement = await getPlacement(db, subjectOf(trainingRunId));
      const place = placement?.status === "running" ? placement : null;
      const node = place?.members[0]?.node ?? null;
      const { reason = "It is not asked for any more.", action = null } = placement ?? {};
      const status = place === null ? "queued" : "admitted";
      await updateTrainingRun(scope, trainingRunId, { admission: { status, node, reason, action, estimate } });
      if (place !== null) return;
      await sleep(placePollMs, undefined, { signal });
      await schedulePending(db);
    }
  }

  const needsGpus = async (trainingRunId: string) =>
    (await getPlacement(db, subjectOf(trainingRunId)))?.request.gang.some(({ gpus }) => gpus > 0) ?? false;

  /** What was freed for it may take a while to be given back by who had it. */
  async function awaitMemory(placed: PlacedGpus, training: TrainingSettings): Promise<void> {
    const neededBytes = sizeTraining(baseModel, training, placed.gpu).leastGpuBytes ?? 0;
    const beat = setInterval(() => heartbeat(), placePollMs);
    try {
      await awaitGpuMemory({ ids: placed.ids, neededBytes, timeoutMs: memoryWaitMs, signal: cancellationSignal() });
    } finally {
      clearInterval(beat);
    }
  }

  async function refuse(
    scope: Scope,
    decision: Extract<Decision, { status: "refused" }>,
    { trainingRunId, training, demand }: { trainingRunId: string; training: TrainingSettings; demand: TrainingDemand },
  ): Promise<AnnealError> {
    const node = await findMachine();
    const held = (await listActivePlacements(db)).flatMap(({ request, members }) =>
      members
        .filter((each) => each.node === node?.name)
        .map((each) => ({ ...each, memoryMib: request.gang[each.member]?.memoryMib ?? 0 })),
    );
    const request = { pool: machinePool, node, held };
    const { reason, action } = explainRefusal(decision, request, { demand, model: baseModel, training });
    const { estimate } = demand;
    await updateTrainingRun(scope, trainingRunId, { admission: { status: "refused", reason, action, estimate } });
    const error = new AnnealError("ADMISSION_REFUSED", reason, {
      action,
      details: { estimate: estimate.breakdown, neededBytes: estimate.totalBytes },
    });
    await updateTrainingRun(scope, trainingRunId, { status: "failed", error: error.toReport(), endedAt: new Date() });
    return error;
  }

  /** The machine that trains: of the pool's the largest. */
  async function findMachine(): Promise<PoolNode | null> {
    const pool = (await listPools(db)).find(({ name }) => name === machinePool);
    return pool?.nodes.toSorted((left, right) => right.memoryMib - left.memoryMib)[0] ?? null;
  }

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

    /** Sizes the job, then waits until it has its place on the pool; what can never fit is refused with the numbers. */
    async admitTraining(input: StageInput & { trainingRunId: string }): Promise<void> {
      const scope = scopeOf(input);
      const { trainingRunId, workspaceId } = input;
      const { training } = input.settings;
      const demand = sizeTraining(baseModel, training, (await findMachine())?.devices?.gpu ?? null);
      const { estimate, member } = demand;
      const decision = await submitPlacement(db, {
        request: {
          id: subjectOf(trainingRunId),
          team: await teamOf(db, workspaceId),
          kind: "training",
          priority: 0,
          gang: [member],
          pools: [machinePool],
        },
        workspaceId,
        predictedBytes: estimate.totalBytes,
        breakdown: estimate.breakdown,
      });
      if (decision.status === "refused") throw await refuse(scope, decision, { trainingRunId, training, demand });
      await awaitPlace(scope, trainingRunId, estimate);
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
      const config = trainerConfigSchema.parse({
        ...run.config,
        sampleCount: deps.sampleCount,
        baseModel: baseModel.path,
        baseModelId: baseModel.name,
        trainFile,
        evalFile,
        outputDir,
      });
      const files = { directory, config };
      let counts = await trainUntilStopped(input, files, dataset.trainCount);
      while (counts === null) {
        // Its place was given to work of more weight; its checkpoint waits with it.
        await updateTrainingRun(scope, trainingRunId, { status: "queued" });
        await awaitPlace(
          scope,
          trainingRunId,
          (await getTrainingRun(scope, trainingRunId)).admission?.["estimate"] ?? {},
        );
        counts = await trainUntilStopped(input, files, dataset.trainCount);
      }
      return counts;
    },

    /** Whatever way the training went, its memory is free again, and its row does not say for ever that it runs. */
    async releaseTraining(input: StageInput & { trainingRunId: string }): Promise<void> {
      const { trainingRunId } = input;
      await endPlacement(db, subjectOf(trainingRunId));
      const { status, error } = await getTrainingRun(scopeOf(input), trainingRunId);
      if (status === "done" || status === "failed" || status === "stopped") return;
      const end = error === null ? "stopped" : "failed";
      await updateTrainingRun(scopeOf(input), trainingRunId, { status: end, endedAt: new Date() });
    },
  };
}
