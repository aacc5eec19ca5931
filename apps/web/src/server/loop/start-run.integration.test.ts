import { randomUUID } from "node:crypto";
import type { LoopInput } from "@anneal/core/loop/contract";
import type { Scope } from "@anneal/db/database";
import { claimRunning, createRun, endRun, endStage, getRun } from "@anneal/db/queries/loop";
import { addSource, addWorkspace } from "@anneal/db/testing/source-fixture";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Identity } from "#server/auth/identity.ts";
import { joinAs } from "#server/auth/join-as.fixture.ts";
import { startIdleTemporal } from "#server/idle-temporal.fixture.ts";
import { appRouter } from "#server/root.ts";
import { temporal } from "#server/temporal.ts";

// The portal's procedures on a real Temporal, on which no worker takes the work: what was asked for stays to be seen.

let test: TestDatabase;
let server: Awaited<ReturnType<typeof startIdleTemporal>>;
let scope: Scope;
let sourceId: string;
let people: Record<"operator" | "member", Identity>;

beforeAll(async () => {
  test = await startTestDatabase();
  server = await startIdleTemporal(test);
});

afterAll(async () => {
  await server?.stop();
  await test?.stop();
});

beforeEach(async () => {
  scope = await addWorkspace(test.db);
  people = { operator: await joinAs("operator", scope), member: await joinAs("member", scope) };
  sourceId = await addSource(scope, { config: { path: "/" } });
});

const as = (identity: Identity) => appRouter.createCaller({ db: test.db, identity }).loop;

async function inputOf(workflowId: string): Promise<LoopInput> {
  const [started] = (await (await temporal()).workflow.getHandle(workflowId).fetchHistory()).events!;
  const input = started!.workflowExecutionStartedEventAttributes!.input!.payloads![0]!.data!;
  return JSON.parse(Buffer.from(input).toString("utf8")) as LoopInput;
}

/** Ends it as its workflow would. */
async function end(runId: string): Promise<void> {
  await (await temporal()).workflow.getHandle((await getRun(scope, runId)).workflowId).terminate();
  await endRun(scope, runId, { status: "cancelled" });
}

describe("a run that only makes documents findable", () => {
  const findable = () => ({ purpose: "search" as const, fromStage: "clean" as const, sourceIds: [sourceId] });

  it("is started by who may start any, without what was fetched being read again, and by nobody else", async () => {
    await expect(as(people.member).start(findable())).rejects.toMatchObject({ code: "FORBIDDEN" });
    const { runId } = await as(people.operator).start(findable());
    const run = await as(people.member).get({ runId });
    expect(run.stages.map(({ stage }) => stage)).toEqual(["connect", "clean", "dedupe", "index"]);
    expect(run.settings).toMatchObject({ purpose: "search", sourceIds: [sourceId] });
    const { workflowId } = await getRun(scope, runId);
    expect(await inputOf(workflowId)).toMatchObject({ runId, fromStage: "clean", settings: { purpose: "search" } });
    await end(runId);
  });

  it("is not refused for what no engine could serve, as one that trains is", async () => {
    const training = { method: "dora" as const };
    await expect(as(people.operator).start({ training })).rejects.toMatchObject({
      cause: { code: "ADAPTER_UNSERVEABLE" },
    });
    const { runId } = await as(people.operator).start({ ...findable(), training });
    await end(runId);
    await as(people.operator).retry({ runId, fromStage: "index" });
    await end(runId);
  });

  it("is asked for while another run trains, and waits only while that one is at the documents", async () => {
    const operator = as(people.operator);
    const { runId: trains } = await operator.start({});
    await claimRunning(scope, trains);
    const { runId } = await operator.start(findable());
    expect(await operator.get({ runId })).toMatchObject({ status: "waiting", waitsFor: trains });
    await expect(operator.start(findable())).rejects.toMatchObject({
      cause: {
        code: "ALREADY_RUNNING",
        message: `A run that makes documents findable is in progress, started by ${people.operator.email}.`,
      },
    });
    await expect(operator.start({})).rejects.toMatchObject({
      cause: { message: `A run for everything is in progress, started by ${people.operator.email}.` },
    });
    for (const stage of ["connect", "clean", "dedupe", "dataset"] as const)
      await endStage(scope, trains, stage, { status: "done", inCount: 0, outCount: 0, note: null });
    expect(await operator.get({ runId })).toMatchObject({ waitsFor: null });
    const { latestRuns } = await operator.overview();
    expect(new Set(latestRuns.map(({ id }) => id))).toEqual(new Set([trains, runId]));
    for (const each of [trains, runId]) await end(each);
  });

  it("goes on from one of its own stages, and from no other", async () => {
    const { runId } = await as(people.operator).start(findable());
    await end(runId);
    await expect(as(people.operator).retry({ runId, fromStage: "train" })).rejects.toMatchObject({
      cause: { code: "INVALID_INPUT", message: "This run has no stage “train”." },
    });
    await as(people.operator).retry({ runId, fromStage: "dedupe" });
    const run = await getRun(scope, runId);
    expect(run).toMatchObject({ status: "waiting" });
    expect(await inputOf(run.workflowId)).toMatchObject({ fromStage: "dedupe" });
    await end(runId);
  });
});

it("a run of an earlier release, which does not say what it was for, shows and goes on as one of everything", async () => {
  const run = { id: randomUUID(), workflowId: "loop-old-1", startedBy: "ada", settings: { adapterName: "old" } };
  await createRun(scope, run);
  await endRun(scope, run.id, { status: "cancelled" });
  const view = await as(people.member).get({ runId: run.id });
  expect(view.settings).toMatchObject({ purpose: "everything", adapterName: "old" });
  expect(view.stages).toHaveLength(8);
  await as(people.operator).retry({ runId: run.id, fromStage: "train" });
  await end(run.id);
});

it("a schedule says what its runs are for", async () => {
  const operator = as(people.operator);
  expect(await operator.schedule()).toBeNull();
  await operator.setSchedule({ cron: "0 2 * * *", purpose: "search" });
  expect(await operator.schedule()).toMatchObject({ cron: "0 2 * * *", purpose: "search" });
  await operator.setSchedule({ cron: "@every 30m" });
  expect(await operator.schedule()).toMatchObject({ cron: "@every 30m", purpose: "everything" });
  await operator.setSchedule({ cron: null });
});
