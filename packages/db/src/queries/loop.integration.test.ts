import { randomUUID } from "node:crypto";
import { stages } from "@anneal/core/loop/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addWorkspace } from "../../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import type { Scope } from "../database.ts";
import {
  beginStage,
  claimRunning,
  createOnlyRun,
  createRun,
  endRun,
  endStage,
  findRunAwaited,
  getRun,
  listDrops,
  listRuns,
  reopenRun,
  replaceDrops,
} from "./loop.ts";

let test: TestDatabase;
let scope: Scope;

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());
beforeEach(async () => {
  scope = await addWorkspace(test.db);
});

describe("a run", () => {
  const newRun = () => ({ id: randomUUID(), workflowId: randomUUID(), startedBy: "ada", settings: {} });

  it("is refused while another one for the same has not ended, also when many begin at once", async () => {
    const results = await Promise.all(Array.from({ length: 6 }, () => createOnlyRun(scope, newRun())));
    expect(results.filter((other) => other === null)).toHaveLength(1);
    const [run] = await listRuns(scope);
    expect(new Set(results.flatMap((other) => other?.id ?? []))).toEqual(new Set([run!.id]));
    expect(await createOnlyRun(await addWorkspace(test.db), newRun())).toBeNull();
    const earlier = newRun();
    await createRun(scope, earlier);
    await endRun(scope, earlier.id, { status: "cancelled" });
    expect(await reopenRun(scope, earlier.id, "w", "connect")).toMatchObject({ id: run!.id });
  });

  it("runs alone: whoever comes later waits, and goes on when the first has ended", async () => {
    const all = Array.from({ length: 4 }, newRun);
    for (const run of all) await createRun(scope, run);
    const results = await Promise.all(all.map(({ id }) => claimRunning(scope, id)));
    const winner = all[results.indexOf(null)]!;
    expect(results.filter((other) => other === null)).toHaveLength(1);
    // Its own next attempt is not in its own way.
    expect(await claimRunning(scope, winner.id)).toBeNull();
    await endRun(scope, winner.id, { status: "cancelled" });
    const later = all.find(({ id }) => id !== winner.id)!;
    expect(await claimRunning(scope, later.id)).toBeNull();
    const last = all.find(({ id }) => id !== winner.id && id !== later.id)!;
    expect((await findRunAwaited(scope, await getRun(scope, last.id)))?.id).toBe(later.id);
    expect(await findRunAwaited(scope, await getRun(scope, later.id))).toBeUndefined();
  });

  it("that makes documents findable goes on while another one trains, which indexes when it has ended", async () => {
    const trains = newRun();
    const finds = { ...newRun(), settings: { purpose: "search" as const } };
    const awaitedBy = async ({ id }: { id: string }) => (await findRunAwaited(scope, await getRun(scope, id)))?.id;
    for (const run of [trains, finds]) expect(await createOnlyRun(scope, run)).toBeNull();
    expect(await claimRunning(scope, trains.id)).toBeNull();
    expect(await claimRunning(scope, finds.id)).toMatchObject({ id: trains.id });
    for (const stage of ["connect", "clean", "dedupe", "dataset"] as const) {
      expect(await awaitedBy(finds)).toBe(trains.id);
      expect(await beginStage(scope, trains.id, stage)).toBeNull();
      await endStage(scope, trains.id, stage, { status: "done", inCount: 1, outCount: 1, note: null });
    }
    expect(await beginStage(scope, trains.id, "train")).toBeNull();
    expect(await awaitedBy(finds)).toBeUndefined();
    expect(await claimRunning(scope, finds.id)).toBeNull();
    for (const stage of ["train", "register", "deploy"] as const) {
      expect(await beginStage(scope, trains.id, stage)).toBeNull();
      await endStage(scope, trains.id, stage, { status: "done", inCount: 1, outCount: 1, note: null });
    }
    expect(await awaitedBy(trains)).toBe(finds.id);
    expect(await beginStage(scope, trains.id, "index")).toMatchObject({ id: finds.id });
    expect((await getRun(scope, trains.id)).stages.at(-1)).toMatchObject({ stage: "index", status: "waiting" });
    await endRun(scope, finds.id, { status: "cancelled" });
    expect(await beginStage(scope, trains.id, "index")).toBeNull();
    expect(await awaitedBy(trains)).toBeUndefined();
  });

  it("has a row for each stage that it is for, and skips what is done already", async () => {
    const stagesOfRun = async (run: Parameters<typeof createRun>[1]) => {
      await createRun(scope, run);
      return (await getRun(scope, run.id)).stages.map(({ stage, status }) => `${stage} ${status}`);
    };
    const search = { ...newRun(), settings: { purpose: "search" as const }, fromStage: "clean" as const };
    expect(await stagesOfRun(search)).toEqual(["connect skipped", "clean waiting", "dedupe waiting", "index waiting"]);
    expect(await stagesOfRun(newRun())).toHaveLength(stages.length);
  });
});

describe("what a stage left out", () => {
  it("counts once, however often the stage says it, also at once", async () => {
    const runId = randomUUID();
    await createRun(scope, { id: runId, workflowId: "w", startedBy: "ada", settings: {} });
    const dropOf = (ref: string) => ({ ref, code: "short", reason: "Too short." });
    await replaceDrops(scope, runId, "clean", [dropOf("c")]);
    const drops = [dropOf("a"), dropOf("b")];
    await replaceDrops(scope, runId, "dataset", [dropOf("of an attempt that was given up")]);
    await Promise.all(Array.from({ length: 4 }, () => replaceDrops(scope, runId, "dataset", drops)));
    const { rows } = await listDrops(scope, runId, { limit: 10, offset: 0 });
    expect(rows.map(({ stage, ref }) => [stage, ref])).toEqual([
      ["clean", "c"],
      ["dataset", "a"],
      ["dataset", "b"],
    ]);
    await endStage(scope, runId, "dataset", { status: "done", inCount: 5, outCount: 3, note: null });
    const { stages } = await getRun(scope, runId);
    expect(stages.find(({ stage }) => stage === "dataset")).toMatchObject({ droppedCount: 2 });
  });
});
