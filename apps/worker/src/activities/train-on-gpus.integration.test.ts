import { nobody } from "@anneal/core/access/acl";
import { loopSettingsSchema } from "@anneal/core/loop/settings";
import { trainingConfigOf } from "@anneal/core/train/training-config";
import type { Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { saveDatasetVersion } from "@anneal/db/queries/dataset";
import { beginStage, createRun } from "@anneal/db/queries/loop";
import {
  endPlacement,
  getPlacement,
  listActivePlacements,
  listPools,
  savePool,
  submitPlacement,
} from "@anneal/db/queries/pools";
import { createTrainingRun, getTrainingRun } from "@anneal/db/queries/train";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { openFolderStore } from "@anneal/objects/folder-store";
import { type FakeNvidiaSmi, installFakeNvidiaSmi } from "@anneal/processes/fake-nvidia-smi.fixture";
import { publishedModels } from "@anneal/sizing/models/published-models";
import { asyncLocalStorage, type Context } from "@temporalio/activity";
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { describeThisMachine } from "../drivers/this-machine.ts";
import { type FakeTrainer, installFakeTrainer } from "./fake-trainer.fixture.ts";
import { createTrainActivities, machinePool } from "./train.ts";

const gib = 2 ** 30;
const l4 = (uuid: string, usedMib = 0) => ({ uuid, name: "NVIDIA L4", totalMib: 23_034, usedMib, computeCap: "8.9" });
const [, , config = {}] = publishedModels.find(([name]) => name === "Qwen2.5-0.5B") ?? [];
/** Of which one fits on an L4 and two do not. */
const half = { batchTokens: 4096 };
const path = process.env["PATH"];

let handle: TestDatabase;
let scope: Scope;
let smi: FakeNvidiaSmi;
let trainer: FakeTrainer;

beforeAll(async () => {
  handle = await startTestDatabase();
});

afterAll(() => handle?.stop());

beforeEach(async () => {
  const { id } = await saveWorkspace(handle.db, { slug: randomUUID(), name: "Test" });
  scope = { db: handle.db, workspaceId: id };
  trainer = await installFakeTrainer();
});

afterEach(async () => {
  process.env["PATH"] = path;
  for (const { subject } of await listActivePlacements(handle.db)) await endPlacement(handle.db, subject);
});

/** What the activities ask of Temporal: who they are, and that nobody stops them. */
const asActivity = <T>(work: () => Promise<T>): Promise<T> =>
  asyncLocalStorage.run(
    {
      info: { workflowExecution: { workflowId: "w", runId: "w" } },
      cancellationSignal: new AbortController().signal,
      heartbeat: () => undefined,
    } as unknown as Context,
    work,
  );

const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 60_000, interval: 50 });

/** Declares this machine with these cards, as a worker does when it starts. */
async function declare(cards: Parameters<typeof installFakeNvidiaSmi>[0], allowed?: string): Promise<void> {
  smi = await installFakeNvidiaSmi(cards);
  process.env["PATH"] = smi.env()["PATH"];
  const { node } = await describeThisMachine(allowed);
  // However little the machine has that the test runs on.
  await savePool(handle.db, { name: machinePool, nodes: [{ ...node, memoryMib: 64 * 1024 }] });
}

const activities = () =>
  createTrainActivities({
    db: handle.db,
    objects: openFolderStore(join(handle.dir, "objects")),
    stateDir: handle.dir,
    python: trainer.python,
    pythonPath: undefined,
    baseModel: { name: "tiny", path: handle.dir, digest: "d", config, weightBytes: 1e9 },
    maxLoraRank: 16,
    sampleCount: 0,
  });

async function prepare(training: Record<string, unknown>) {
  const settings = loopSettingsSchema.parse({ training });
  const [runId, datasetVersionId, trainingRunId] = [randomUUID(), randomUUID(), randomUUID()];
  await createRun(scope, { id: runId, workflowId: "w", startedBy: "ada", settings });
  await beginStage(scope, runId, "train");
  const files = { trainKey: "train.jsonl", evalKey: "", trainCount: 1, evalCount: 0, pairCount: 1, droppedCount: 0 };
  const version = {
    id: datasetVersionId,
    name: "documents",
    digest: datasetVersionId,
    acl: nobody,
    settings: {},
    stats: {},
  };
  await saveDatasetVersion(scope, { ...version, ...files, runId: null }, []);
  await openFolderStore(join(handle.dir, "objects")).put("train.jsonl", Buffer.from("{}\n"));
  const trainerConfig = trainingConfigOf(settings.training, { hasEval: false, threads: 1 });
  const run = { id: trainingRunId, runId: null, datasetVersionId, baseModel: "tiny", inputDigest: trainingRunId };
  await createTrainingRun(scope, { ...run, config: trainerConfig });
  return { workspaceId: scope.workspaceId, runId, settings, trainingRunId };
}

const placementOf = (input: { trainingRunId: string }) => getPlacement(handle.db, `training:${input.trainingRunId}`);

function placeEngine(gpuMilli: number) {
  const gang = [{ count: 1, gpus: 1, gpuMilli, cpuMilli: 0, memoryMib: 1024 }];
  const request = { id: "replica:engine-1", team: "default", kind: "serving" as const, priority: 100, gang };
  return submitPlacement(handle.db, { request, workspaceId: null, predictedBytes: 1, breakdown: {} });
}

describe("a training on a machine with GPUs", () => {
  it("is placed on a share of one card, and its trainer sees that card and takes no more of it", async () => {
    await declare([l4("GPU-a"), l4("GPU-b")]);
    expect((await listPools(handle.db)).find(({ name }) => name === machinePool)?.nodes).toMatchObject([
      {
        name: hostname(),
        gpuModel: "L4",
        gpus: 2,
        gpuMemoryGib: 22.03,
        devices: { ids: ["GPU-a", "GPU-b"], isSlice: false },
      },
    ]);
    await placeEngine(900);
    const input = await prepare(half);
    await asActivity(() => activities().admitTraining(input));
    const placement = await placementOf(input);
    const { gpuMilli = 0, gpuMemoryGib = 0 } = placement?.request.gang[0] ?? {};
    expect(gpuMilli).toBeGreaterThan(500);
    expect(gpuMilli).toBeLessThan(1000);
    expect(gpuMilli / 1000).toBeCloseTo(gpuMemoryGib / 22.03, 2);
    expect(placement).toMatchObject({
      status: "running",
      members: [{ node: hostname(), gpus: [{ milli: gpuMilli }] }],
      predictedBytes: expect.closeTo(gpuMemoryGib * gib, -8),
    });
    const engineOn = (await getPlacement(handle.db, "replica:engine-1"))?.members[0]?.gpus[0]?.index;
    const trainingOn = placement?.members[0]?.gpus[0]?.index;
    expect(new Set([engineOn, trainingOn])).toEqual(new Set([0, 1]));

    const running = asActivity(() => activities().runTraining(input));
    await until(async () => expect(await trainer.starts()).toHaveLength(1));
    const [started] = await trainer.starts();
    expect(started?.devices).toBe(trainingOn === 0 ? "GPU-a" : "GPU-b");
    // Half a GiB of the share is the CUDA context beside the allocator.
    expect(started?.gpuMemoryBytes).toBe(Math.floor((22.03 * gib * gpuMilli) / 1000) - gib / 2);
    await trainer.finish();
    await expect(running).resolves.toMatchObject({ outCount: 1 });
    expect(await placementOf(input)).toMatchObject({ measuredBytes: gib });
  });

  it("waits while another one has what it needs, so that a card is never promised twice", async () => {
    await declare([l4("GPU-a")]);
    const [one, two] = [await prepare(half), await prepare(half)];
    await asActivity(() => activities().admitTraining(one));
    const admitted = asActivity(() => activities().admitTraining(two));
    await until(async () =>
      expect((await getTrainingRun(scope, two.trainingRunId)).admission).toMatchObject({
        status: "queued",
        action: expect.stringMatching(/0\.\d+ of a GPU/),
      }),
    );
    await endPlacement(handle.db, `training:${one.trainingRunId}`);
    await admitted;
    expect(await placementOf(two)).toMatchObject({ status: "running", members: [{ gpus: [{ index: 0 }] }] });
  });

  it("is refused with what it needs, what the freest card has, and the GPU that would hold it", async () => {
    await declare([l4("GPU-a"), l4("GPU-b")]);
    await placeEngine(300);
    await submitPlacement(handle.db, {
      request: {
        id: "training:other",
        team: "default",
        kind: "training",
        priority: 0,
        gang: [{ count: 1, gpus: 1, gpuMilli: 800, cpuMilli: 0, memoryMib: 1024 }],
      },
      workspaceId: null,
      predictedBytes: 1,
      breakdown: {},
    });
    const input = await prepare({ batchTokens: 16_384 });
    await expect(asActivity(() => activities().admitTraining(input))).rejects.toMatchObject({
      code: "ADMISSION_REFUSED",
      // 700 thousandths of 22.03 GiB.
      message: expect.stringMatching(
        /needs [\d.]+ GiB of GPU memory, and the NVIDIA L4 \(the freest of 2\) of \S+ has 15\.4 GiB free of 22\.0 GiB/,
      ),
      action: expect.stringMatching(/one NVIDIA [\w ]+ \([\d.]+ GiB\) would hold it/),
    });
    expect(await getTrainingRun(scope, input.trainingRunId)).toMatchObject({
      status: "failed",
      admission: { status: "refused", estimate: { breakdown: { contextBytes: gib / 2 } } },
    });
    expect(await placementOf(input)).toMatchObject({ status: "refused" });
  });

  it("gives its card to an engine at a checkpoint, waits, and goes on where there is room", async () => {
    await declare([l4("GPU-a")]);
    const input = await prepare(half);
    await asActivity(() => activities().admitTraining(input));
    const running = asActivity(() => activities().runTraining(input));
    await until(async () => expect(await trainer.starts()).toHaveLength(1));
    await placeEngine(1000);
    await until(async () => expect((await getTrainingRun(scope, input.trainingRunId)).status).toBe("queued"));
    expect(await placementOf(input)).toMatchObject({ status: "waiting", members: [] });
    // The next card is another one: what counts is the place that it has when it starts again.
    await declare([l4("GPU-z")]);
    await endPlacement(handle.db, "replica:engine-1");
    await until(async () => expect(await trainer.starts()).toHaveLength(2));
    expect((await trainer.starts()).map(({ devices }) => devices)).toEqual(["GPU-a", "GPU-z"]);
    await trainer.finish();
    await running;
  });

  it("leaves a card that its place is not on any more, and goes on where it is", async () => {
    await declare([l4("GPU-a")]);
    const input = await prepare(half);
    await asActivity(() => activities().admitTraining(input));
    const running = asActivity(() => activities().runTraining(input));
    await until(async () => expect(await trainer.starts()).toHaveLength(1));
    // The same number, and another card: what held the first one must not compute on it any longer.
    await declare([l4("GPU-z")]);
    await until(async () => expect(await trainer.starts()).toHaveLength(2));
    expect((await trainer.starts()).map(({ devices }) => devices)).toEqual(["GPU-a", "GPU-z"]);
    await trainer.finish();
    await expect(running).resolves.toMatchObject({ outCount: 1 });
  });

  it("does not start while the memory of its card is still in use, though it has its place", async () => {
    await declare([l4("GPU-a", 20_000)]);
    const input = await prepare(half);
    await asActivity(() => activities().admitTraining(input));
    const asked = await smi.countQueries();
    const running = asActivity(() => activities().runTraining(input));
    await until(async () => expect(await smi.countQueries()).toBeGreaterThan(asked + 1));
    expect(await trainer.starts()).toEqual([]);
    await smi.set([l4("GPU-a", 500)]);
    await trainer.finish();
    await running;
    expect(await trainer.starts()).toHaveLength(1);
  });

  it("is placed on a slice by the slice's own UUID", async () => {
    const slices = [{ uuid: "MIG-1", profile: "3g.40gb" }];
    const h100 = { uuid: "GPU-h", name: "NVIDIA H100 80GB HBM3", totalMib: 81_559, computeCap: "9.0", slices };
    await declare([h100]);
    const input = await prepare(half);
    await asActivity(() => activities().admitTraining(input));
    await trainer.finish();
    await asActivity(() => activities().runTraining(input));
    expect(await trainer.starts()).toMatchObject([{ devices: "MIG-1" }]);
  });

  it("shows its trainer no GPU where it was admitted to the CPU", async () => {
    await declare([l4("GPU-a")], "none");
    const input = await prepare({ batchTokens: 512 });
    await asActivity(() => activities().admitTraining(input));
    expect((await placementOf(input))?.request.gang).toMatchObject([{ gpus: 0 }]);
    await trainer.finish();
    await asActivity(() => activities().runTraining(input));
    expect(await trainer.starts()).toEqual([{ devices: "", gpuMemoryBytes: null }]);
  });
});
