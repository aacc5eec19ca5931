import { randomUUID } from "node:crypto";
import type { JournalWrite } from "@anneal/core/connect/change";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { addSource, addWorkspace } from "../../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import { inWorkspace, type Scope } from "../database.ts";
import { sourceJournal, sources } from "../schema.ts";
import { deleteSource, getSource, restoreSource } from "./sources.ts";
import { streamJournal } from "./source-journal.ts";
import { beginSync, saveCursor, type SyncState } from "./source-syncs.ts";
import { forgetRemovedCursors } from "./tombstones.ts";

let test: TestDatabase;
let scope: Scope;
let sourceId: string;
let sync: SyncState;

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());
beforeEach(async () => {
  scope = await addWorkspace(test.db);
  sourceId = await addSource(scope, { kind: "web" });
  const id = randomUUID();
  sync = { id, counts: await beginSync(scope, { id, sourceId, runId: null, startedBy: "ada" }) };
});

const checkpoint = (at: number, journal?: JournalWrite, of = scope) =>
  saveCursor(of, sourceId, { version: 1, at }, sync, journal);
const adds = (...entries: unknown[]): JournalWrite => ({ anew: false, entries: entries.map((entry) => ({ entry })) });
const journal = async (pageSize = 100) => {
  const read: unknown[] = [];
  for await (const { entry } of streamJournal(scope, sourceId, { pageSize })) read.push(entry);
  return read;
};
const cursor = async () => (await getSource(scope, sourceId)).cursor;

it("keeps what checkpoints add, in their order, until it begins anew", async () => {
  expect(await journal()).toEqual([]);
  await checkpoint(1, adds(1, "two", { three: [3] }));
  await checkpoint(2);
  await checkpoint(3, adds(4));
  for (const pageSize of [1, 2, 4, 100]) expect(await journal(pageSize)).toEqual([1, "two", { three: [3] }, 4]);
  await checkpoint(4, { ...adds(5), anew: true });
  expect(await journal()).toEqual([5]);
  await checkpoint(5, { anew: true, entries: [] });
  expect(await journal()).toEqual([]);
});

it("is stored with the cursor or not at all", async () => {
  await checkpoint(1, adds(1));
  const refused = { version: 1, text: "\0" };
  await expect(saveCursor(scope, sourceId, refused, sync, { ...adds(2), anew: true })).rejects.toThrow();
  await expect(checkpoint(2, { ...adds(2, "\0"), anew: true })).rejects.toThrow();
  expect(await journal()).toEqual([1]);
  expect(await cursor()).toEqual({ version: 1, at: 1 });
});

it("is another workspace's neither to read nor to change", async () => {
  await checkpoint(1, adds(1));
  const other = await addWorkspace(test.db);
  const seen = await inWorkspace(other, (tx) => tx.select().from(sourceJournal));
  expect(seen).toEqual([]);
  await inWorkspace(other, (tx) => tx.delete(sourceJournal));
  await checkpoint(2, { anew: true, entries: [] }, other);
  expect(await journal()).toEqual([1]);
});

it("lives as long as the cursor of a removed source, and goes with the source", async () => {
  await checkpoint(1, adds(1));
  await deleteSource(scope, sourceId);
  await forgetRemovedCursors(scope, new Date(Date.now() - 60_000));
  expect(await journal()).toEqual([1]);
  await forgetRemovedCursors(scope, new Date(Date.now() + 60_000));
  expect(await journal()).toEqual([]);

  await expect(checkpoint(2, adds(2))).rejects.toMatchObject({ code: "SOURCE_NOT_FOUND" });
  await restoreSource(scope, sourceId);
  await checkpoint(2, adds(2));
  expect(await journal()).toEqual([2]);
  await inWorkspace(scope, (tx) => tx.delete(sources).where(eq(sources.id, sourceId)));
  expect(await journal()).toEqual([]);
});
