import pg from "pg";
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { saveWorkspace } from "@anneal/db/queries/access";
import { createRun } from "@anneal/db/queries/loop";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { clockSkewMs } from "#lib/change-memory.ts";
import { createChangeFeed } from "./change-feed.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await startTestDatabase();
});

afterAll(() => database?.stop());

async function listen(workspaceId: string) {
  const heard: string[] = [];
  const feed = createChangeFeed(database.appUrl);
  onTestFinished(feed.subscribe(workspaceId, Date.now(), (table) => heard.push(table)));
  // The feed says "*" once it listens: what changed before is unknown to it.
  await vi.waitUntil(() => heard.includes("*"), { timeout: 10_000 });
  heard.length = 0;
  return { feed, heard };
}

const workspace = (slug: string) => saveWorkspace(database.db, { slug, name: slug });
const startRun = (workspaceId: string) =>
  createRun(
    { db: database.db, workspaceId },
    { id: crypto.randomUUID(), workflowId: "w", startedBy: "ada", settings: {} },
  );

it("tells a workspace of its own changes and of nobody else's", async () => {
  const [mine, other] = [await workspace("mine"), await workspace("other")];
  const { heard } = await listen(mine.id);
  const { heard: heardByOther } = await listen(other.id);
  await startRun(mine.id);
  await vi.waitUntil(() => heard.includes("runs") && heard.includes("run_stages"), { timeout: 5_000 });
  // A change of the other's own arrives after mine, so whatever of mine was to leak has leaked by then.
  await startRun(other.id);
  await vi.waitUntil(() => heardByOther.includes("run_stages"), { timeout: 5_000 });
  expect(heardByOther.filter((table) => table === "runs")).toHaveLength(1);
});

it("comes back after its connection is cut, and says that anything may have changed", async () => {
  const { id } = await workspace("cut");
  const { heard } = await listen(id);
  const owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  await owner.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'anneal-web-live'",
  );
  await owner.end();
  await vi.waitUntil(() => heard.includes("*"), { timeout: 10_000 });
  heard.length = 0;
  await startRun(id);
  await vi.waitUntil(() => heard.length >= 2, { timeout: 5_000 });
  expect(heard.sort()).toEqual(["run_stages", "runs"]);
});

it("tells whoever listens later what changed since then, in their workspace, and all where it did not listen itself", async () => {
  const [mine, other] = [await workspace("late"), await workspace("elsewhere")];
  const begin = Date.now();
  const { feed, heard } = await listen(mine.id);
  const toldTo = (workspaceId: string, since: number) => {
    const told: string[] = [];
    feed.subscribe(workspaceId, since, (table) => told.push(table))();
    return told.toSorted();
  };
  // As the clock of a server says that is ahead of this one by as much as it may be.
  const readBefore = Date.now() + clockSkewMs;
  await startRun(mine.id);
  await vi.waitUntil(() => heard.includes("runs") && heard.includes("run_stages"), { timeout: 5_000 });
  const readAfter = Date.now() + clockSkewMs + 1;
  expect(toldTo(mine.id, readBefore)).toEqual(["run_stages", "runs"]);
  expect(toldTo(other.id, readBefore)).toEqual([]);
  expect(toldTo(mine.id, readAfter)).toEqual([]);
  expect(toldTo(mine.id, begin)).toEqual(["*"]);
});
