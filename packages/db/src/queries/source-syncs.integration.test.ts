import { randomUUID } from "node:crypto";
import { workspaceMembers } from "@anneal/core/access/acl";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addSource, addWorkspace } from "../../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import type { Scope } from "../database.ts";
import { tryLock } from "../lock.ts";
import { saveWorkspace } from "./access.ts";
import { listSources } from "./sources.ts";
import { quarantineRef, markDocumentDeleted } from "./synced-documents.ts";
import { createRun } from "./loop.ts";
import {
  abandonSync,
  beginSync,
  countHeldDocuments,
  endSync,
  findLastListed,
  findOpenSync,
  getSyncFailures,
  failWaiting,
  isPauseRequested,
  listSyncFailures,
  listSyncs,
  requestPause,
  saveCursor,
  saveSyncProgress,
  skipSync,
  syncLockName,
} from "./source-syncs.ts";

let test: TestDatabase;
let scope: Scope;
let sourceId: string;

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());
beforeEach(async () => {
  scope = await addWorkspace(test.db);
  sourceId = await addSource(scope, { defaultAcl: { allow: [workspaceMembers(scope.workspaceId)], deny: [] } });
});

const begin = async (id: string = randomUUID(), runId: string | null = null) => {
  const counts = await beginSync(scope, { id, sourceId, runId, workflowId: `w-${id}`, startedBy: "ada" });
  return { id, sourceId, counts };
};
const rows = async () => (await listSyncs(scope, sourceId, { limit: 10, offset: 0 })).rows;
const checkpoint = async (sync: Awaited<ReturnType<typeof begin>>) => saveCursor(scope, sourceId, { version: 1 }, sync);

it("is interrupted while its row says that it runs and nobody holds the source's lock, and at no other time", async () => {
  const lock = (await tryLock(test.appUrl, syncLockName(sourceId)))!;
  const [first, second] = [await begin(), await begin()];
  const states = async () => (await rows()).map(({ id, status, interrupted }) => ({ id, status, interrupted }));
  expect(await states()).toEqual([
    { id: second.id, status: "running", interrupted: false },
    { id: first.id, status: "failed", interrupted: false },
  ]);
  await lock.release();
  expect(await states()).toMatchObject([{ status: "running", interrupted: true }, { interrupted: false }]);
  await endSync(scope, second, { status: "done", heldBack: null });
  expect(await states()).toMatchObject([{ status: "done", interrupted: false }, { interrupted: false }]);
});

describe("a sync", () => {
  const begin = (id: string) => beginSync(scope, { id, sourceId, runId: null, startedBy: "ada" });
  const syncing = async () => (await listSources(scope)).map((source) => source.syncing);

  it("shows as running only while somebody holds the source's lock", async () => {
    const lock = (await tryLock(test.appUrl, syncLockName(sourceId)))!;
    expect(await syncing()).toEqual([false]);
    await begin(randomUUID());
    expect(await syncing()).toEqual([true]);
    await lock.release();
    expect(await syncing()).toEqual([false]);
  });

  it("that a dead process left open is closed by the next; its own next attempt goes on counting", async () => {
    const [dead, next] = [randomUUID(), randomUUID()];
    const counts = { ...(await begin(dead)), scanned: 9, read: 4, added: 3, changed: 1, dropped: 2 };
    await saveCursor(scope, sourceId, { version: 1 }, { id: dead, counts });
    expect(await begin(dead)).toEqual({ ...counts, dropped: 0 });
    await begin(next);
    const { rows } = await listSyncs(scope, sourceId, { limit: 10, offset: 0 });
    expect(rows.map(({ id, status, read }) => [id, status, read])).toEqual([
      [next, "running", 0],
      [dead, "failed", 4],
    ]);
    expect(rows[1]!.error).toMatchObject({ code: "ENGINE_UNAVAILABLE" });
  });
});

it("tells how many failures of a sync are of places, which no document is that was seen", async () => {
  const sync = await begin();
  const refs = ["KB/", "", "KB/1", "https://a.example/"];
  const failures = refs.map((ref) => ({ ref, code: "SOURCE_FORBIDDEN" as const, message: "Refused.", action: "Ask." }));
  const counts = { ...sync.counts, dropped: refs.length };
  await endSync(scope, { ...sync, counts, failures }, { status: "done", heldBack: null });
  expect(await rows()).toMatchObject([{ dropped: 4, failedPlaces: 2 }]);
});

describe("a pause", () => {
  it("is heard of at the next checkpoint, and by the next attempt of a sync that failed meanwhile", async () => {
    const sync = await begin();
    expect(await checkpoint(sync)).toEqual({ pauseRequested: false });
    expect(await requestPause(scope, sourceId)).toBe(true);
    expect(await checkpoint(sync)).toEqual({ pauseRequested: true });
    const error = { code: "SOURCE_UNREACHABLE" as const, message: "No.", action: "Wait." };
    await endSync(scope, sync, { status: "failed", error });
    await begin(sync.id);
    expect(await isPauseRequested(scope, sync.id)).toBe(true);
  });

  it("leaves the source as it was last read, and its end forgets the request", async () => {
    const sync = await begin();
    await requestPause(scope, sourceId);
    await endSync(scope, { ...sync, counts: { ...sync.counts, scanned: 7, bytes: 70 } }, { status: "paused" });
    expect(await findOpenSync(scope, sourceId)).toMatchObject({ id: sync.id, status: "paused", scanned: 7, bytes: 70 });
    expect(await listSources(scope)).toMatchObject([{ paused: true, syncing: false, lastSyncAt: null }]);

    // Resumed, it is the same sync, which goes on counting and does not pause again.
    expect((await begin(sync.id)).counts).toMatchObject({ scanned: 7, bytes: 70 });
    expect(await isPauseRequested(scope, sync.id)).toBe(false);
    expect(await rows()).toMatchObject([{ id: sync.id, status: "running" }]);
  });

  it("ends where somebody reads the source otherwise: the checkpoint is theirs now", async () => {
    const first = await begin();
    await endSync(scope, first, { status: "paused" });
    const second = await begin();
    expect(await rows()).toMatchObject([
      { id: second.id, status: "running" },
      { id: first.id, status: "cancelled", error: { code: "CANCELLED" } },
    ]);
  });

  it("is refused by a run's sync, and where nobody reads", async () => {
    expect(await requestPause(scope, sourceId)).toBe(false);
    const runId = randomUUID();
    await createRun(scope, { id: runId, workflowId: "w", startedBy: "ada", settings: {} });
    await begin(randomUUID(), runId);
    expect(await requestPause(scope, sourceId)).toBe(false);
  });

  it("can be given up, once", async () => {
    const sync = await begin();
    await endSync(scope, sync, { status: "paused" });
    expect(await abandonSync(scope, sync.id)).toBe(true);
    expect(await abandonSync(scope, sync.id)).toBe(false);
    expect(await findOpenSync(scope, sourceId)).toBeUndefined();
    expect(await rows()).toMatchObject([{ status: "cancelled" }]);
  });
});

it("leaves its source as cancelled until it is read again, whoever found it being read meanwhile", async () => {
  const cancelled = async () => (await listSources(scope)).map((source) => source.cancelled);
  expect(await cancelled()).toEqual([false]);
  const sync = await begin();
  const error = { code: "ALREADY_RUNNING" as const, message: "It is being read.", action: "Wait." };
  await skipSync(scope, { id: randomUUID(), sourceId, runId: null, startedBy: "schedule" }, error);
  await endSync(scope, sync, { status: "cancelled" });
  expect(await cancelled()).toEqual([true]);
  await endSync(scope, await begin(), { status: "done", heldBack: null });
  expect(await cancelled()).toEqual([false]);
});

describe("a wait that the source asked for", () => {
  const error = { code: "RATE_LIMITED" as const, message: "Too many requests.", action: "Wait." };
  const until = new Date("2031-02-03T04:05:06Z");

  it("is told with its end and its reason, and the same sync goes on counting after it", async () => {
    const sync = await begin();
    const counts = { ...sync.counts, scanned: 7, added: 3 };
    await endSync(scope, { ...sync, counts }, { status: "waiting", until, error });
    expect(await findOpenSync(scope, sourceId)).toMatchObject({
      status: "waiting",
      waitsUntil: until,
      error,
      ...counts,
    });
    expect(await listSources(scope)).toMatchObject([{ waitsUntil: until, syncing: false, lastSyncError: null }]);
    expect((await begin(sync.id)).counts).toMatchObject(counts);
    expect(await rows()).toMatchObject([{ id: sync.id, status: "running", waitsUntil: null, error: null }]);
    expect(await listSources(scope)).toMatchObject([{ waitsUntil: null }]);
  });

  it("keeps a request to pause, which may also come meanwhile, for when it is over", async () => {
    const sync = await begin();
    await endSync(scope, sync, { status: "waiting", until, error });
    expect(await requestPause(scope, sourceId)).toBe(true);
    await begin(sync.id);
    expect(await isPauseRequested(scope, sync.id)).toBe(true);
    await endSync(scope, sync, { status: "waiting", until, error });
    expect(await isPauseRequested(scope, sync.id)).toBe(true);
  });

  it("ends where somebody reads the source after it, and can be given up", async () => {
    const [first, second] = [await begin(), await begin()];
    await endSync(scope, first, { status: "waiting", until, error });
    await begin(second.id);
    expect(await rows()).toContainEqual(
      expect.objectContaining({ id: first.id, status: "cancelled", waitsUntil: null, error: expect.anything() }),
    );
    await endSync(scope, second, { status: "waiting", until, error });
    expect(await abandonSync(scope, second.id)).toBe(true);
    expect(await findOpenSync(scope, sourceId)).toBeUndefined();
    expect(await listSources(scope)).toMatchObject([{ waitsUntil: null }]);
  });
});

describe("a wait that outlived its workflow", () => {
  const error = { code: "RATE_LIMITED" as const, message: "Too many requests.", action: "Wait." };
  const full = { code: "DISK_FULL" as const, message: "The disk is full.", action: "Make room." };
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

  it("is no wait any more a few minutes after its end", async () => {
    const sync = await begin();
    await endSync(scope, sync, { status: "waiting", until: minutesAgo(1), error });
    expect(await listSources(scope)).toMatchObject([{ waitsUntil: expect.any(Date) }]);
    expect(await requestPause(scope, sourceId)).toBe(true);
    await endSync(scope, sync, { status: "waiting", until: minutesAgo(10), error });
    expect(await listSources(scope)).toMatchObject([{ waitsUntil: null }]);
    expect(await findOpenSync(scope, sourceId)).toBeUndefined();
    expect(await requestPause(scope, sourceId)).toBe(false);
  });

  it("ends with what its next attempt failed with, and the source says so", async () => {
    const sync = await begin();
    await endSync(scope, sync, { status: "waiting", until: minutesAgo(0), error });
    await failWaiting(scope, sync.id, full);
    expect(await rows()).toMatchObject([
      { status: "failed", error: full, waitsUntil: null, endedAt: expect.any(Date) },
    ]);
    expect(await listSources(scope)).toMatchObject([{ waitsUntil: null, lastSyncError: full }]);
  });

  it("is left alone where the attempt has begun, which says itself how it ends", async () => {
    const sync = await begin();
    await failWaiting(scope, sync.id, full);
    expect(await rows()).toMatchObject([{ status: "running", error: null }]);
    expect(await listSources(scope)).toMatchObject([{ lastSyncError: null }]);
  });
});

describe("progress", () => {
  const progress = { expected: 20, documentsPerSecond: 5, bytesPerSecond: 50, etaMs: 2_000 };

  it("shows what is listed between checkpoints, and is gone with the end", async () => {
    const sync = await begin();
    await saveSyncProgress(
      scope,
      { ...sync, counts: { ...sync.counts, added: 3, bytes: 30 } },
      { ...progress, listed: 10 },
    );
    expect(await findOpenSync(scope, sourceId)).toMatchObject({ scanned: 10, added: 3, bytes: 30, progress });
    await endSync(scope, { ...sync, counts: { ...sync.counts, scanned: 20 } }, { status: "done", heldBack: null });
    expect(await rows()).toMatchObject([{ scanned: 20, progress: null }]);
  });

  it("does not come after the end", async () => {
    const sync = await begin();
    await endSync(scope, sync, { status: "done", heldBack: null });
    await saveSyncProgress(scope, sync, { ...progress, listed: 10 });
    expect(await rows()).toMatchObject([{ scanned: 0, progress: null }]);
  });

  it("takes what to expect from the last sync that came to its end, not from one that did not", async () => {
    expect(await findLastListed(scope, sourceId)).toBeNull();
    const done = await begin();
    await endSync(scope, { ...done, counts: { ...done.counts, scanned: 40 } }, { status: "done", heldBack: null });
    const cancelled = await begin();
    await endSync(scope, { ...cancelled, counts: { ...cancelled.counts, scanned: 3 } }, { status: "cancelled" });
    expect(await findLastListed(scope, sourceId)).toBe(40);
  });

  it("counts what is held once a sync has come to its end, without what the source has no more", async () => {
    const drop = { stage: "connect", code: "DOCUMENT_DAMAGED", reason: "It is damaged." };
    for (const ref of ["a.txt", "b.txt"]) await quarantineRef(scope, sourceId, ref, drop);
    expect(await countHeldDocuments(scope, sourceId)).toBeNull();
    const done = await begin();
    await endSync(scope, done, { status: "done", heldBack: null });
    expect(await countHeldDocuments(scope, sourceId)).toBe(2);
    await markDocumentDeleted(scope, sourceId, "b.txt");
    expect(await countHeldDocuments(scope, sourceId)).toBe(1);
  });
});

describe("what a sync could not read", () => {
  const failures = ["a.txt", "gone/"].map((ref) => ({
    ref,
    code: "SOURCE_FORBIDDEN" as const,
    message: `${ref} may not be read.`,
    action: "Grant it.",
  }));

  it("is told with the document that it is about, whose readers may know, and not in the history itself", async () => {
    const sync = await begin();
    await quarantineRef(scope, sourceId, "a.txt", { stage: "connect", code: "SOURCE_FORBIDDEN", reason: "No." });
    await endSync(scope, { ...sync, failures }, { status: "done", heldBack: null });
    expect(await getSyncFailures(scope, sourceId, sync.id)).toEqual([
      {
        ...failures[0],
        document: {
          id: expect.any(String),
          ref: "a.txt",
          acl: { allow: [workspaceMembers(scope.workspaceId)], deny: [] },
        },
      },
      { ...failures[1], document: null },
    ]);
    expect(Object.keys((await rows())[0]!)).not.toContain("failures");
  });

  it("stays told in the attempt after a wait or a pause, as nothing before the checkpoint is met again", async () => {
    const sync = await begin();
    const error = { code: "RATE_LIMITED" as const, message: "Too many requests.", action: "Wait." };
    const ended = { ...sync, counts: { ...sync.counts, dropped: 2 }, failures };
    for (const end of [{ status: "waiting" as const, until: new Date(), error }, { status: "paused" as const }]) {
      await endSync(scope, ended, end);
      expect((await begin(sync.id)).counts).toMatchObject({ dropped: 2 });
      expect(await listSyncFailures(scope, sync.id)).toEqual(failures);
    }
    expect(await listSyncFailures(scope, (await begin()).id)).toEqual([]);
  });

  it("is counted as it is listed after a process died that had counted more, which is met again", async () => {
    const sync = await begin();
    const counts = { ...sync.counts, dropped: 2 };
    await saveCursor(scope, sourceId, { version: 1 }, { ...sync, counts, failures });
    const progress = { expected: null, documentsPerSecond: null, bytesPerSecond: null, etaMs: null };
    await saveSyncProgress(scope, { ...sync, counts: { ...counts, dropped: 5 } }, { ...progress, listed: 9 });
    expect((await begin(sync.id)).counts).toMatchObject({ dropped: 2 });
  });

  it("is no other workspace's to know", async () => {
    const sync = await begin();
    await endSync(scope, { ...sync, failures }, { status: "done", heldBack: null });
    const { id } = await saveWorkspace(test.db, { slug: randomUUID(), name: "Other" });
    const other: Scope = { db: test.db, workspaceId: id };
    await expect(getSyncFailures(other, sourceId, sync.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await requestPause(other, sourceId)).toBe(false);
    expect(await abandonSync(other, sync.id)).toBe(false);
  });
});
