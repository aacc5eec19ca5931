import { mkdir, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import {
  endPlacement,
  getPlacement,
  listActivePlacements,
  savePool,
  setCordoned,
  submitPlacement,
} from "@anneal/db/queries/pools";
import { listReplicas, removeManagedReplicas } from "@anneal/db/queries/serving";
import { updateServingTarget } from "@anneal/db/queries/serving-target";
import type { PoolNode } from "@anneal/db/schema";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { installFakeVllm, type FakeVllm } from "@anneal/local-stack/fake-vllm.fixture";
import type { EngineGpus } from "@anneal/local-stack/start-engine";
import { startStack, type Stack } from "@anneal/local-stack/stack";
import { type FakeGpu, type FakeNvidiaSmi, installFakeNvidiaSmi } from "@anneal/processes/fake-nvidia-smi.fixture";
import { createTestFolders } from "@anneal/processes/test-folders.fixture";
import { findGpu } from "@anneal/sizing/gpus/catalogue";
import { publishedModels } from "@anneal/sizing/models/published-models";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { followServingTarget } from "./follow-serving-target.ts";
import { sizeGpuEngine } from "./size-engines.ts";

const makeDir = createTestFolders("gpu-stack");
const l4 = (uuid: string, usedMib = 0): FakeGpu => ({
  uuid,
  name: "NVIDIA L4",
  totalMib: 23_034,
  usedMib,
  computeCap: "8.9",
});

let database: TestDatabase;
let smi: FakeNvidiaSmi;
let vllm: FakeVllm;
let model: string;
let stack: Stack;
let first: PromiseWithResolvers<EngineGpus>;
let stop: AbortController;
let following: Promise<void>;
let failures: unknown[];
let waits: string[];

beforeAll(async () => {
  database = await startTestDatabase();
  vllm = await installFakeVllm();
  model = join(database.dir, "Qwen2.5-0.5B");
  await mkdir(model);
  const [, , config] = publishedModels.find(([name]) => name === "Qwen2.5-0.5B") ?? [];
  await writeFile(join(model, "config.json"), JSON.stringify(config));
  await writeFile(join(model, "model.safetensors"), "");
});

afterAll(() => database?.stop());

beforeEach(async () => {
  await updateServingTarget(database.db, "Qwen2.5-0.5B", { desired: 1 });
  [failures, waits] = [[], []];
  stop = new AbortController();
  first = Promise.withResolvers();
  first.promise.catch(() => undefined);
});

afterEach(async () => {
  stop.abort();
  await following;
  await stack?.stop();
  const { db } = database;
  for (const { subject } of await listActivePlacements(db)) await endPlacement(db, subject);
  await removeManagedReplicas(db);
});

/** This machine with these GPUs, as a worker would have declared it. */
function nodeWith(gpus: number): PoolNode {
  const gpu = findGpu("L4");
  return {
    name: hostname(),
    gpuModel: gpu.id,
    gpus,
    gpuMemoryGib: gpu.memoryGib,
    nvlinkDomain: null,
    railGroup: null,
    numaNodes: 1,
    migProfiles: [],
    cpuMilli: 8000,
    memoryMib: 64 * 1024,
    labels: {},
    costPerHour: 0,
    cordoned: false,
    lost: false,
    devices: { ids: Array.from({ length: gpus }, (_, index) => `GPU-${index}`), gpu, isSlice: false },
  };
}

/** A stack of which only the engine is started here, and what follows its serving target. */
async function start(gpus: number, machine: { usedMib?: number; cordoned?: boolean } = {}): Promise<void> {
  const { db } = database;
  smi = await installFakeNvidiaSmi(Array.from({ length: gpus }, (_, index) => l4(`GPU-${index}`, machine.usedMib)));
  const node = nodeWith(gpus);
  await savePool(db, { name: "this-machine", nodes: [node] });
  await setCordoned(db, hostname(), machine.cordoned ?? false);
  const nowhere = "http://127.0.0.1:9";
  stack = await startStack({
    stateDir: await makeDir(),
    env: {
      ...smi.env(),
      ANNEAL_PYTHON: vllm.python,
      ANNEAL_BASE_MODEL: model,
      ANNEAL_DATABASE_URL: database.appUrl,
      ANNEAL_TEMPORAL_ADDRESS: "127.0.0.1:9",
      ANNEAL_QDRANT_URL: nowhere,
      ANNEAL_EMBEDDINGS_URL: nowhere,
      ANNEAL_INFERENCE_URLS: "",
      ANNEAL_KV_CACHE_GIB: "8",
    },
    withPortal: false,
    firstEngineGpus: first.promise,
  });
  following = followServingTarget({
    db,
    baseModel: "Qwen2.5-0.5B",
    sizing: await sizeGpuEngine(model, stack.gpuEngine!, node),
    startEngine: stack.startEngine!,
    first: { start: first.resolve, refuse: first.reject, wait: (reason) => waits.push(reason) },
    signal: stop.signal,
    onFailure: (error) => failures.push(error),
  });
}

const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 60_000, interval: 100 });
const scaleTo = (desired: number) => updateServingTarget(database.db, "Qwen2.5-0.5B", { desired, maxReplicas: 8 });
const utilizationOf = ({ args }: { args: string[] }) =>
  Number(args.find((each) => each.startsWith("--gpu-memory-utilization="))?.split("=")[1]);

it("gives each engine its share of a card, its variables and its memory limit, until no card has room", async () => {
  const before = (await vllm.starts()).length;
  await start(2);
  await stack.engineReady;
  const one = await getPlacement(database.db, "replica:engine-1");
  const milli = one?.members[0]?.gpus[0]?.milli ?? 0;
  // Weights of 1 GB, a cache of 8 GiB and what vLLM itself takes: two of them would be too much for one card.
  expect(milli).toBeGreaterThan(500);
  expect(milli).toBeLessThan(600);
  expect(one).toMatchObject({ status: "running", request: { gang: [{ gpus: 1, gpuMilli: milli }] } });
  expect(one?.breakdown["kvCacheBytes"]).toBeCloseTo(8 * 2 ** 30, -8);

  await scaleTo(3);
  await until(async () => expect((await listReplicas(database.db)).filter(({ managed }) => managed)).toHaveLength(1));
  const starts = (await vllm.starts()).slice(before);
  expect(starts.map(({ devices }) => devices).toSorted()).toEqual(["GPU-0", "GPU-1"]);
  for (const started of starts) {
    // Half a GiB of its part is the CUDA context, which vLLM does not count.
    expect(utilizationOf(started)).toBeCloseTo(milli / 1000 - 0.5 / 22.03, 2);
    expect(started.args).toContain("--tensor-parallel-size=1");
  }
  await until(async () =>
    expect(await getPlacement(database.db, "replica:engine-3")).toMatchObject({
      status: "waiting",
      reason: expect.stringMatching(/of a GPU/),
    }),
  );
  expect((await vllm.starts()).length - before).toBe(2);
  expect(failures).toEqual([]);
});

it("takes a training's place, and starts the engine only once that has given its memory back", async () => {
  const before = (await vllm.starts()).length;
  const { db } = database;
  await savePool(db, { name: "this-machine", nodes: [nodeWith(1)] });
  const gang = [{ count: 1, gpus: 1, gpuMilli: 900, cpuMilli: 0, memoryMib: 1024 }];
  const training = { id: "training:one", team: "default", kind: "training" as const, priority: 0, gang };
  await submitPlacement(db, { request: training, workspaceId: null, predictedBytes: 1, breakdown: {} });
  await start(1, { usedMib: 19_000 });
  await until(async () => {
    expect(await getPlacement(db, "training:one")).toMatchObject({ status: "waiting" });
    expect(await getPlacement(db, "replica:engine-1")).toMatchObject({ status: "running" });
    expect(await smi.countQueries()).toBeGreaterThan(1);
  });
  expect((await vllm.starts()).length).toBe(before);
  await smi.set([l4("GPU-0", 200)]);
  await stack.engineReady;
  expect((await vllm.starts()).at(-1)?.devices).toBe("GPU-0");
});

it("waits with the first engine while its machine takes nothing new, and says why", async () => {
  const before = (await vllm.starts()).length;
  await start(1, { cordoned: true });
  await until(async () => expect(waits).toEqual([expect.stringContaining("cordoned")]));
  expect((await vllm.starts()).length).toBe(before);
  await setCordoned(database.db, hostname(), false);
  await stack.engineReady;
  expect((await vllm.starts()).length).toBe(before + 1);
});

it("can be stopped while the first engine waits for its place", async () => {
  const before = (await vllm.starts()).length;
  await start(1, { cordoned: true });
  await until(async () => expect(waits).toHaveLength(1));
  await stack.stop();
  await expect(stack.engineReady).rejects.toMatchObject({ code: "CANCELLED" });
  expect((await vllm.starts()).length).toBe(before);
});

it("refuses a model that no GPU here holds, with what it needs and the GPU that would hold it", async () => {
  const large = join(database.dir, "large");
  await mkdir(large);
  const [, , config] = publishedModels.find(([name]) => name === "Qwen2.5-72B") ?? [];
  await writeFile(join(large, "config.json"), JSON.stringify(config));
  const engine = { kvCacheGib: null, maxModelLen: 2048, lora: { maxLoras: 4, maxRank: 16 } };
  await expect(sizeGpuEngine(large, engine, nodeWith(2))).rejects.toMatchObject({
    code: "ADMISSION_REFUSED",
    message: expect.stringMatching(
      /does not fit on the 2 NVIDIA L4 \(22\.0 GiB\).*weights take 1\d\d\.\d GiB.*would hold it/,
    ),
  });
  await expect(sizeGpuEngine(large, engine, undefined)).rejects.toMatchObject({ code: "PREREQUISITE_MISSING" });
  await rm(large, { recursive: true });
});
