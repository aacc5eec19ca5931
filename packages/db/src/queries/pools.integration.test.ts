import { randomUUID } from "node:crypto";
import type { PlacementRequest } from "@anneal/sizing/placement/placement-request";
import { findGpu } from "@anneal/sizing/gpus/catalogue";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import { openDatabase } from "../database.ts";
import {
  drainNode,
  stackEngine,
  endPlacement,
  getPlacedGpus,
  getPlacement,
  listActivePlacements,
  savePool,
  saveTeam,
  schedulePending,
  setCordoned,
  submitPlacement,
} from "./pools.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await startTestDatabase();
});

afterAll(() => database?.stop());

const node = {
  name: "one",
  gpuModel: null,
  gpus: 0,
  gpuMemoryGib: 0,
  nvlinkDomain: null,
  railGroup: null,
  numaNodes: 1,
  migProfiles: [],
  cpuMilli: 8000,
  memoryMib: 100 * 1024,
  labels: {},
  costPerHour: 0,
  cordoned: false,
  lost: false,
};
const gpuNode = { ...node, name: "gpu", gpuModel: "H100-80GB", gpus: 4, gpuMemoryGib: 80 };

beforeEach(async () => {
  for (const placement of await listActivePlacements(database.db)) await endPlacement(database.db, placement.subject);
  await savePool(database.db, { name: "this-machine", nodes: [node] });
  await savePool(database.db, { name: "gpus", nodes: [] });
  await setCordoned(database.db, "one", false);
});

function ask(memoryGib: number, change: Partial<PlacementRequest> = {}, db = database.db, nowMs?: number) {
  const gang = [{ count: 1, gpus: 0, gpuMilli: 1000, cpuMilli: 0, memoryMib: memoryGib * 1024 }];
  const request = {
    id: `job:${randomUUID()}`,
    team: "default",
    kind: "training" as const,
    priority: 0,
    gang,
    ...change,
  };
  return submitPlacement(db, { request, workspaceId: null, predictedBytes: memoryGib * 2 ** 30, breakdown: {} }, nowMs);
}

it("is never over-committed by schedulers that decide at once", async () => {
  const others = openDatabase(database.appUrl);
  const decisions = await Promise.all(
    Array.from({ length: 10 }, (_, index) => ask(30, {}, index % 2 ? database.db : others.db)),
  );
  await others.close();
  expect(decisions.filter(({ status }) => status === "admitted")).toHaveLength(3);
  const active = await listActivePlacements(database.db);
  expect(active.filter(({ status }) => status === "running")).toHaveLength(3);
  expect(active.filter(({ status }) => status === "waiting")).toHaveLength(7);
});

it("keeps one booking for a request that is repeated, and starts what waits when it ends", async () => {
  const first = await ask(60);
  expect(await ask(60, { id: first.id })).toMatchObject({ status: "admitted", id: first.id });
  const second = await ask(60);
  expect(second).toMatchObject({ status: "queued", reason: expect.stringContaining("60.0 GiB") });
  expect(await listActivePlacements(database.db)).toHaveLength(2);
  await endPlacement(database.db, first.id);
  expect(await getPlacement(database.db, second.id)).toMatchObject({ status: "running", members: [{ node: "one" }] });
  expect(await getPlacement(database.db, first.id)).toMatchObject({ status: "ended" });
});

it("places again what has ended and is asked for anew, as a retried stage does", async () => {
  const first = await ask(60);
  await endPlacement(database.db, first.id);
  expect(await ask(60, { id: first.id })).toMatchObject({ status: "admitted" });
  expect(await getPlacement(database.db, first.id)).toMatchObject({ status: "running", endedAt: null });
});

it("refuses what can never fit, with the numbers, and keeps the refusal for whoever looks", async () => {
  const decision = await ask(101);
  expect(decision).toMatchObject({
    status: "refused",
    code: "never-fits",
    reason: expect.stringContaining("101.0 GiB"),
  });
  expect(await getPlacement(database.db, decision.id)).toMatchObject({ status: "refused", reason: decision.reason });
});

it("puts nothing on a cordoned machine, whose cordon outlives its next declaration", async () => {
  expect(await setCordoned(database.db, "one", true)).toBe(true);
  await savePool(database.db, { name: "this-machine", nodes: [node] });
  const decision = await ask(10);
  expect(decision).toMatchObject({ status: "queued", reason: expect.stringContaining("cordoned") });
  await setCordoned(database.db, "one", false);
  await schedulePending(database.db);
  expect(await getPlacement(database.db, decision.id)).toMatchObject({ status: "running" });
});

it("drains a machine: what runs there goes on elsewhere or waits, but for the stack's own engine", async () => {
  await savePool(database.db, { name: "this-machine", nodes: [node, { ...node, name: "two" }] });
  await setCordoned(database.db, "two", true);
  const own = await ask(10, { id: stackEngine, kind: "serving", priority: 10 });
  const first = await ask(60);
  await setCordoned(database.db, "two", false);
  const placeOf = async ({ id }: { id: string }) => {
    const { status, members } = (await getPlacement(database.db, id))!;
    return [status, ...members.map((each) => each.node)];
  };
  expect([await placeOf(own), await placeOf(first)]).toEqual([
    ["running", "one"],
    ["running", "one"],
  ]);
  expect(await drainNode(database.db, "nowhere")).toBeUndefined();
  expect(await drainNode(database.db, "one")).toBe(1);
  expect([await placeOf(own), await placeOf(first)]).toEqual([
    ["running", "one"],
    ["running", "two"],
  ]);
  expect(await drainNode(database.db, "two")).toBe(1);
  expect(await placeOf(first)).toEqual(["waiting"]);
  expect(await getPlacement(database.db, first.id)).toMatchObject({ reason: "two is being drained." });
  await setCordoned(database.db, "two", false);
  await schedulePending(database.db);
  expect(await placeOf(first)).toEqual(["running", "two"]);
});

it("stops training for serving that needs its GPUs, and lets it wait for them", async () => {
  await savePool(database.db, { name: "gpus", nodes: [gpuNode] });
  const gang = [{ count: 1, gpus: 4, gpuMilli: 1000, cpuMilli: 0, memoryMib: 1 }];
  const training = await ask(1, { gang });
  const serving = await ask(1, { gang, kind: "serving", priority: 10 });
  expect(serving).toMatchObject({ status: "admitted", evict: [{ id: training.id }] });
  expect(await getPlacement(database.db, training.id)).toMatchObject({ status: "waiting", members: [] });
  await endPlacement(database.db, serving.id);
  expect(await getPlacement(database.db, training.id)).toMatchObject({ status: "running", members: [{ node: "gpu" }] });
});

it("holds a team to its quota, and refuses a quota that contradicts itself", async () => {
  await savePool(database.db, { name: "gpus", nodes: [gpuNode] });
  const spec = { name: "research", nominalGpuMilli: 2000, borrowingLimitGpuMilli: 0, weight: 1, budgets: [] };
  await saveTeam(database.db, { spec, workspaceId: null });
  const gang = [{ count: 1, gpus: 2, gpuMilli: 1000, cpuMilli: 0, memoryMib: 1 }];
  expect(await ask(1, { gang, team: "research" })).toMatchObject({ status: "admitted" });
  expect(await ask(1, { gang, team: "research" })).toMatchObject({ status: "queued", code: "quota" });
  const broken = { ...spec, weight: -1 };
  await expect(saveTeam(database.db, { spec: broken, workspaceId: null })).rejects.toMatchObject({
    code: "INVALID_REQUEST",
  });
  await saveTeam(database.db, {
    spec: { ...spec, nominalGpuMilli: null, borrowingLimitGpuMilli: null },
    workspaceId: null,
  });
});

it("goes on deciding when machines go away: what ran there waits, and quotas share what is left", async () => {
  await savePool(database.db, { name: "gpus", nodes: [gpuNode] });
  const spec = { name: "research", nominalGpuMilli: 4000, borrowingLimitGpuMilli: 0, weight: 1, budgets: [] };
  await saveTeam(database.db, { spec, workspaceId: null });
  const gang = [{ count: 1, gpus: 1, gpuMilli: 1000, cpuMilli: 0, memoryMib: 1 }];
  const work = await ask(1, { gang, team: "research" });
  await savePool(database.db, { name: "gpus", nodes: [] });
  await schedulePending(database.db);
  expect(await getPlacement(database.db, work.id)).toMatchObject({ status: "waiting", members: [] });
  expect(await ask(1)).toMatchObject({ status: "admitted" });
  await savePool(database.db, { name: "gpus", nodes: [gpuNode] });
  await schedulePending(database.db);
  expect(await getPlacement(database.db, work.id)).toMatchObject({ status: "running" });
  await saveTeam(database.db, {
    spec: { ...spec, nominalGpuMilli: null, borrowingLimitGpuMilli: null },
    workspaceId: null,
  });
});

it("goes on deciding when what it has learned is in an older form", async () => {
  await ask(1);
  await database.db.execute(sql`update scheduler set demand = '[{"kind": "training"}]'`);
  expect(await ask(1)).toMatchObject({ status: "admitted" });
});

it("goes on from the latest time that it has seen when a clock jumps back", async () => {
  const now = Date.now();
  const first = await ask(60, {}, database.db, now);
  await ask(60, {}, database.db, now - 3_600_000);
  await endPlacement(database.db, first.id, now - 7_200_000);
  const ended = await getPlacement(database.db, first.id);
  expect(ended!.endedAt!.getTime()).toBeGreaterThanOrEqual(now);
});

describe("on a machine whose GPUs are known", () => {
  const gpu = findGpu("L4");
  const withGpus = (...ids: string[]) => ({
    ...node,
    gpuModel: gpu.id,
    gpus: ids.length,
    gpuMemoryGib: gpu.memoryGib,
    devices: { ids, gpu, isSlice: false },
  });
  const share = (gpuMilli: number) => ({
    gang: [{ count: 1, gpus: 1, gpuMilli, cpuMilli: 0, memoryMib: 1024 }],
  });

  it("tells what CUDA calls the GPUs that work was placed on, and how much of each is its own", async () => {
    await savePool(database.db, { name: "this-machine", nodes: [withGpus("GPU-a", "GPU-b")] });
    const [one, two] = [await ask(1, share(600)), await ask(1, share(700))];
    const placed = await Promise.all([one, two].map(({ id }) => getPlacedGpus(database.db, id)));
    expect(placed.map((each) => each?.milli)).toEqual([600, 700]);
    expect(new Set(placed.flatMap((each) => each?.ids))).toEqual(new Set(["GPU-a", "GPU-b"]));
    expect(placed[0]?.gpu).toMatchObject({ id: "L4", memoryGib: 22.03 });
    const third = await ask(1, share(500));
    expect(third).toMatchObject({ status: "queued" });
    expect(await getPlacedGpus(database.db, third.id)).toBeNull();
    expect(await getPlacedGpus(database.db, (await ask(1)).id)).toBeNull();
  });

  it("lets what ran on a GPU that is gone wait for another, and leaves the rest where it is", async () => {
    await savePool(database.db, { name: "this-machine", nodes: [withGpus("GPU-a", "GPU-b")] });
    const works = [await ask(1, share(1000)), await ask(1, share(1000))];
    await savePool(database.db, { name: "this-machine", nodes: [withGpus("GPU-a")] });
    await schedulePending(database.db);
    const after = await Promise.all(works.map(({ id }) => getPlacement(database.db, id)));
    expect(after.map((each) => each?.status).toSorted()).toEqual(["running", "waiting"]);
    const kept = after.find((each) => each?.status === "running")!;
    expect(await getPlacedGpus(database.db, kept.subject)).toMatchObject({ ids: ["GPU-a"] });
  });
});
