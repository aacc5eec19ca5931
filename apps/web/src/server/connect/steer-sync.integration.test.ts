import { randomUUID } from "node:crypto";
import { nobody, workspaceMembers, workspaceUser } from "@anneal/core/access/acl";
import { syncWorkflowId } from "@anneal/core/connect/contract";
import { defaultDeletionPolicy, refuseDeletions, withMissingRefs } from "@anneal/core/connect/deletion-policy";
import { pushReadersWorkflowId } from "@anneal/core/indexing/contract";
import { inWorkspace, openDatabase, type Scope } from "@anneal/db/database";
import { documents as documentRows, sources } from "@anneal/db/schema";
import { listAuditEvents } from "@anneal/db/queries/audit";
import { deleteSource, getSource, saveSource } from "@anneal/db/queries/sources";
import { markDocumentDeleted, quarantineRef, upsertDocument } from "@anneal/db/queries/synced-documents";
import { saveDropped } from "@anneal/db/queries/documents";
import { saveCollection } from "@anneal/db/queries/indexing";
import { createRun } from "@anneal/db/queries/loop";
import { beginSync, endSync, isPauseRequested, saveCursor, syncLockName } from "@anneal/db/queries/source-syncs";
import { addWorkspace } from "@anneal/db/testing/source-fixture";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Identity } from "#server/auth/identity.ts";
import { joinAs } from "#server/auth/join-as.fixture.ts";
import { scheduled, scheduleIdOf } from "#server/connect/save-source.ts";
import { startIdleTemporal } from "#server/idle-temporal.fixture.ts";
import { appRouter } from "#server/root.ts";
import { readSchedule, setSchedule } from "#server/schedule.ts";
import { readWorkflowState, temporal } from "#server/temporal.ts";

// The portal's procedures on a real Temporal, on which no worker takes the work: what was asked for stays to be seen.

let test: TestDatabase;
let server: Awaited<ReturnType<typeof startIdleTemporal>>;
let scope: Scope;
let sourceId: string;
let people: Record<"admin" | "scientist" | "operator" | "member", Identity>;

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
  people = {
    admin: await joinAs("admin", scope),
    scientist: await joinAs("data_scientist", scope),
    operator: await joinAs("operator", scope),
    member: await joinAs("member", scope),
  };
  sourceId = randomUUID();
  await saveSource(scope, sourceWith(null));
});

const sourceWith = (schedule: string | null) => ({
  id: sourceId,
  name: "Folder",
  kind: "file",
  config: { path: "/" },
  sealedSecrets: null,
  defaultAcl: { allow: [workspaceMembers(scope.workspaceId)], deny: [] },
  schedule,
});
const as = (identity: Identity) => appRouter.createCaller({ db: test.db, identity });
const begin = async (change: { id?: string; runId?: string | null; workflowId?: string } = {}) => {
  const sync = { id: randomUUID(), sourceId, runId: null, startedBy: "ada", ...change };
  return { id: sync.id, sourceId, counts: await beginSync(scope, sync) };
};
const openSync = async () => (await as(people.member).connect.get({ sourceId })).openSync;
const actions = async () =>
  (await listAuditEvents(scope, {}, { limit: 20, offset: 0 })).rows.map(({ action }) => action);
const syncState = () => readWorkflowState(syncWorkflowId(sourceId));

describe("a sync in the portal", () => {
  it("is asked to pause, shows as paused, and is resumed as the same sync", async () => {
    const sync = await begin();
    await as(people.operator).connect.pause({ sourceId });
    expect(await isPauseRequested(scope, sync.id)).toBe(true);
    await endSync(scope, sync, { status: "paused" });
    expect(await openSync()).toMatchObject({ id: sync.id, status: "paused" });
    expect(await as(people.member).connect.list()).toMatchObject([{ paused: true }]);

    await as(people.operator).connect.resume({ sourceId });
    expect(await syncState()).toBe("running");
    const handle = (await temporal()).workflow.getHandle(syncWorkflowId(sourceId));
    const [started] = (await handle.fetchHistory()).events!;
    const input = started!.workflowExecutionStartedEventAttributes!.input!.payloads![0]!.data!;
    expect(JSON.parse(Buffer.from(input).toString("utf8"))).toEqual({
      workspaceId: scope.workspaceId,
      sourceId,
      confirmDeletions: false,
      startedBy: "ada",
      continues: sync.id,
    });
    expect(await actions()).toEqual(expect.arrayContaining(["source.pause", "source.resume"]));
    await handle.terminate();
  });

  it("is cancelled while it waits to begin, while it is paused, and when its process is gone", async () => {
    await as(people.operator).connect.sync({ sourceId });
    await as(people.operator).connect.cancel({ sourceId });
    await (await temporal()).workflow.getHandle(syncWorkflowId(sourceId)).terminate();

    await endSync(scope, await begin(), { status: "paused" });
    await as(people.operator).connect.cancel({ sourceId });
    expect(await openSync()).toBeNull();

    await begin({ workflowId: "gone" });
    await as(people.operator).connect.cancel({ sourceId });
    const { rows } = await as(people.member).connect.syncs({ sourceId, limit: 5, offset: 0 });
    expect(rows.map(({ status }) => status)).toEqual(["cancelled", "cancelled"]);
  });

  it("is cancelled while it is about to go on after a pause, and does not", async () => {
    await endSync(scope, await begin({ workflowId: "of its schedule" }), { status: "paused" });
    await as(people.operator).connect.resume({ sourceId });
    await as(people.operator).connect.cancel({ sourceId });
    expect(await openSync()).toBeNull();
    const handle = (await temporal()).workflow.getHandle(syncWorkflowId(sourceId));
    const { events } = await handle.fetchHistory();
    expect(events!.some((event) => event.workflowExecutionCancelRequestedEventAttributes)).toBe(true);
    await handle.terminate();
  });

  it("that has ended is not cancelled: nothing runs, and nothing is recorded", async () => {
    await as(people.operator).connect.sync({ sourceId });
    await (await temporal()).workflow.getHandle(syncWorkflowId(sourceId)).terminate();
    const sync = await begin({ workflowId: syncWorkflowId(sourceId) });
    // Its row says that it runs, and its workflow was ended from outside.
    await as(people.operator).connect.cancel({ sourceId });
    expect(await openSync()).toBeNull();
    await endSync(scope, sync, { status: "done", heldBack: null });
    const recorded = (await actions()).length;
    for (const refused of [as(people.operator).connect.cancel, as(people.operator).connect.pause])
      await expect(refused({ sourceId })).rejects.toMatchObject({ cause: { code: "CONFLICT" } });
    expect(await actions()).toHaveLength(recorded);
  });

  it("that waits for its source shows until when, is not begun a second time, and can be cancelled", async () => {
    const sync = await begin({ workflowId: "gone" });
    const until = new Date(Date.now() + 3_600_000);
    const error = { code: "RATE_LIMITED" as const, message: "Too many requests.", action: "Wait." };
    await endSync(scope, sync, { status: "waiting", until, error });
    expect(await openSync()).toMatchObject({ status: "waiting", waitsUntil: until, error });
    expect(await as(people.member).connect.list()).toMatchObject([{ waitsUntil: until, syncing: false }]);
    for (const again of [as(people.operator).connect.sync, as(people.operator).connect.retry])
      await expect(again({ sourceId })).rejects.toThrow(until.toISOString().slice(11, 16));
    const work = async () => (await as(people.member).work.active()).syncs;
    expect(await work()).toMatchObject([{ sourceId, waitsUntil: until, progress: null }]);
    await as(people.operator).connect.cancel({ sourceId });
    expect(await openSync()).toBeNull();
    expect(await work()).toEqual([]);
  });

  it("is refused with a sentence where there is none, and within a run, which needs all of the source", async () => {
    const { connect } = as(people.operator);
    for (const refused of [connect.pause, connect.resume, connect.cancel])
      await expect(refused({ sourceId })).rejects.toMatchObject({ cause: { code: "CONFLICT" } });
    const runId = randomUUID();
    await createRun(scope, { id: runId, workflowId: "w", startedBy: "ada", settings: {} });
    await begin({ runId });
    for (const refused of [connect.pause, connect.cancel])
      await expect(refused({ sourceId })).rejects.toThrow("is read within a run");
  });
});

describe("the indexes", () => {
  it("are told at once of a source's new audience and of its removal, and not of what changes no reader", async () => {
    await saveCollection(scope, { embeddingModel: "m", dimensions: 2, settings: {} });
    const facts = { title: null, mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: "1", acl: null };
    const content = { contentHash: "h", contentKey: "h", sizeBytes: 1 };
    await upsertDocument(scope, sourceId, { ref: "a", uri: "a", ...facts }, content);
    const { id: _, sealedSecrets: __, defaultAcl: ___, ...input } = sourceWith(null);
    const save = (audience: "members" | "nobody") => as(people.admin).connect.update({ ...input, audience, sourceId });
    const pushId = pushReadersWorkflowId(scope.workspaceId);
    await save("members");
    expect(await readWorkflowState(pushId)).toBe("gone");
    await save("nobody");
    expect(await readWorkflowState(pushId)).toBe("running");
    await (await temporal()).workflow.getHandle(pushId).terminate();
    // Copies in other sources may have been hidden behind its documents.
    await as(people.admin).connect.remove({ sourceId });
    expect(await readWorkflowState(pushId)).toBe("running");
    await (await temporal()).workflow.getHandle(pushId).terminate();
  });
});

describe("a schedule", () => {
  const paused = (value: boolean) => as(people.operator).connect.setSchedulePaused({ sourceId, paused: value });
  const describeIt = async () => (await temporal()).schedule.getHandle(scheduleIdOf(sourceId)).describe();

  it.each(["0 * * * *", "@every 30m"])("%s is jittered, and is paused and resumed at Temporal", async (schedule) => {
    await saveSource(scope, sourceWith(schedule));
    await setSchedule(scheduled(scope.workspaceId, sourceId), schedule);
    expect(await readSchedule(scheduleIdOf(sourceId))).toMatchObject({ cron: schedule, nextAt: expect.any(Date) });
    expect((await describeIt()).spec.jitter).toBe(60_000);
    await paused(true);
    expect((await describeIt()).state.paused).toBe(true);
    expect(await as(people.member).connect.get({ sourceId })).toMatchObject({ schedulePaused: true });
    await paused(false);
    expect((await describeIt()).state.paused).toBe(false);
    expect(await actions()).toEqual(expect.arrayContaining(["source.pauseSchedule", "source.resumeSchedule"]));
  });

  it("stays paused when it is changed, and through a removal and a restoration of its source", async () => {
    await saveSource(scope, sourceWith("0 * * * *"));
    await setSchedule(scheduled(scope.workspaceId, sourceId), "0 * * * *");
    await paused(true);
    const { id: _, sealedSecrets: __, defaultAcl: ___, ...input } = sourceWith("0 2 * * *");
    await as(people.admin).connect.update({ ...input, audience: "members", sourceId });
    expect((await describeIt()).state.paused).toBe(true);
    await as(people.admin).connect.remove({ sourceId });
    await as(people.admin).connect.restore({ sourceId });
    expect(await describeIt()).toMatchObject({ state: { paused: true }, memo: { cron: "0 2 * * *" } });
    // Without a schedule there is nothing to be paused, and a new one fires.
    for (const schedule of [null, "0 3 * * *"])
      await as(people.admin).connect.update({ ...input, schedule, audience: "members", sourceId });
    expect((await describeIt()).state.paused).toBe(false);
  });

  it("that a source does not have is not paused", async () => {
    await expect(paused(true)).rejects.toMatchObject({ cause: { code: "CONFLICT" } });
  });
});

describe("how much a source has", () => {
  const facts = { title: null, mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: "1" };
  const content = { contentHash: "h", contentKey: "h", sizeBytes: 1 };
  const drop = { stage: "connect", code: "SOURCE_FORBIDDEN" as const, reason: "It may not be read." };
  const error = {
    code: "CONFLICT" as const,
    message: "The source no longer has 12 of 14 documents.",
    action: "Confirm it.",
    details: { known: 14, missing: 12 },
  };

  const leftOut = { link: 14 };

  beforeEach(async () => {
    await upsertDocument(scope, sourceId, { ref: "open", uri: "open", ...facts, acl: null }, content);
    for (const ref of ["secret", "gone"])
      await upsertDocument(scope, sourceId, { ref, uri: ref, ...facts, acl: nobody }, content);
    const lost = { ref: "lost", uri: "lost", ...facts, acl: nobody };
    const { documentId: id } = await upsertDocument(scope, sourceId, lost, content);
    const short = { stage: "clean", code: "TOO_SHORT", reason: "The document has 1 word (limit 3)." };
    await saveDropped(scope, { id, contentHash: "h" }, { status: "dropped", cleanDigest: "v", drop: short });
    await markDocumentDeleted(scope, sourceId, "gone");
    await quarantineRef(scope, sourceId, "unread", drop);
    const sync = await begin();
    const counts = { ...sync.counts, scanned: 14, added: 14, bytes: 14, dropped: 1 };
    await saveCursor(scope, sourceId, { version: 1 }, { ...sync, counts, leftOut });
    await endSync(scope, { ...sync, counts }, { status: "done", heldBack: error });
  });

  it("is known to who runs it, and to others as far as they may read it", async () => {
    const view = { documentCount: 4, quarantinedCount: 1, droppedCount: 1, deletedCount: 1, lastSyncError: error };
    for (const role of ["admin", "scientist", "operator"] as const) {
      const { connect, loop } = as(people[role]);
      expect(await connect.list()).toMatchObject([view]);
      expect(await connect.get({ sourceId })).toMatchObject(view);
      expect(await connect.syncs({ sourceId, limit: 5, offset: 0 })).toMatchObject({
        rows: [{ scanned: 14, leftOut, error }],
      });
      expect(await loop.overview()).toMatchObject({ documentCount: 4 });
    }
    const { connect, loop, work } = as(people.member);
    const answers = [
      await connect.list(),
      await connect.get({ sourceId }),
      await connect.syncs({ sourceId, limit: 5, offset: 0 }),
      await loop.overview(),
    ];
    expect(answers[0]).toMatchObject([{ documentCount: 2, quarantinedCount: 1, droppedCount: 0, deletedCount: 0 }]);
    expect(answers[2]).toMatchObject({
      rows: [{ status: "done", scanned: null, added: null, bytes: null, leftOut: null }],
    });
    expect(answers[3]).toMatchObject({ documentCount: 2 });
    expect(JSON.stringify(answers)).not.toMatch(/":1[24]\b|12 of 14/);

    // Only who holds the lock is taken for reading.
    const database = openDatabase(test.appUrl);
    const lock = await database.tryLock(syncLockName(sourceId));
    try {
      await begin();
      expect(await openSync()).toMatchObject({ status: "running", scanned: null, live: null });
      expect(await work.active()).toMatchObject({ syncs: [{ sourceId, progress: null }] });
      expect((await work.active()).syncs[0]).not.toHaveProperty("scanned");
      expect(await as(people.operator).work.active()).toMatchObject({ syncs: [{ progress: { done: 0 } }] });
    } finally {
      await lock?.release();
      await database.close();
    }
  });
});

describe("deletions that are held back", () => {
  const facts = { mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: "1" };
  const content = { contentHash: "h", contentKey: "h", sizeBytes: 1 };

  it("name what would go to the documents' readers alone, and nothing that is gone or kept by now", async () => {
    const long = `deep/${"x".repeat(3_000)}`;
    const refs = ["a.md", "gone.md", "kept.md", "secret.md", long];
    const ids = new Map<string, string>();
    for (const ref of refs) {
      const acl = ref === "secret.md" ? nobody : null;
      const item = { ref, uri: ref, title: ref === "a.md" ? "Plan" : null, ...facts, acl };
      ids.set(ref, (await upsertDocument(scope, sourceId, item, content)).documentId);
    }
    await quarantineRef(scope, sourceId, "unread", { stage: "connect", code: "SOURCE_FORBIDDEN", reason: "No." });
    const refused = refuseDeletions(defaultDeletionPolicy, 30, 25)!;
    const heldBack = withMissingRefs(refused, [...refs, "unread"]);
    await endSync(scope, await begin(), { status: "done", heldBack });
    for (const ref of ["gone.md", "kept.md"]) await markDocumentDeleted(scope, sourceId, ref);
    await as(people.admin).documents.restore({ documentId: ids.get("kept.md")! });

    const seenBy = async (identity: Identity) => (await as(identity).connect.get({ sourceId })).missingDocuments;
    const plan = { id: ids.get("a.md"), title: "Plan", ref: "a.md" };
    const shown = `${long.slice(0, 199)}…`;
    const cut = { id: ids.get(long), title: shown, ref: shown };
    expect(await seenBy(people.operator)).toEqual([plan, cut]);
    const secret = { id: ids.get("secret.md"), title: "secret.md", ref: "secret.md" };
    expect(await seenBy(people.admin)).toEqual([plan, cut, secret]);

    const { connect, loop } = as(people.operator);
    const answers = [
      await connect.list(),
      await connect.get({ sourceId }),
      await connect.syncs({ sourceId, limit: 5, offset: 0 }),
      await loop.overview(),
    ];
    expect(answers[1]).toMatchObject({ lastSyncError: refused });
    expect(JSON.stringify(answers)).not.toContain("secret.md");

    await endSync(scope, await begin(), { status: "done", heldBack: null });
    expect(await seenBy(people.admin)).toEqual([]);
  });
});

describe("failures in the portal", () => {
  const failure = { code: "SOURCE_FORBIDDEN" as const, message: "It may not be read.", action: "Grant it." };
  const drop = { stage: "connect", code: failure.code, reason: failure.message };

  it("are told to the documents' readers alone; what has no document is an administrator's to know", async () => {
    const sync = await begin();
    await quarantineRef(scope, sourceId, "open.txt", drop);
    const facts = { title: null, mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: "1" };
    const content = { contentHash: "h", contentKey: "h", sizeBytes: 1 };
    const owner = [workspaceUser(scope.workspaceId, people.scientist.userId)];
    const secret = { ref: "secret.txt", uri: "secret.txt", ...facts, acl: { allow: owner, deny: [] } };
    await upsertDocument(scope, sourceId, secret, content);
    const failures = ["open.txt", "secret.txt", "folder/"].map((ref) => ({ ...failure, ref }));
    await endSync(scope, { ...sync, failures }, { status: "done", heldBack: null });
    const seenBy = async (identity: Identity) =>
      (await as(identity).connect.syncFailures({ sourceId, syncId: sync.id })).map(({ ref }) => ref);
    expect(await seenBy(people.member)).toEqual(["open.txt"]);
    expect(await seenBy(people.scientist)).toEqual(["open.txt", "secret.txt"]);
    expect(await seenBy(people.admin)).toEqual(["open.txt", "secret.txt", "folder/"]);
  });

  it("are tried again at once: the source is read for them", async () => {
    const { connect } = as(people.operator);
    const unknown = connect.retry({ sourceId, documentId: randomUUID() });
    await expect(unknown).rejects.toMatchObject({ cause: { code: "NOT_FOUND" } });
    expect(await syncState()).toBe("gone");
    for (const ref of ["a.txt", "b.txt"]) await quarantineRef(scope, sourceId, ref, drop);
    expect(await connect.retry({ sourceId })).toEqual({ count: 2 });
    expect(await syncState()).toBe("running");
    await (await temporal()).workflow.getHandle(syncWorkflowId(sourceId)).terminate();
  });

  it("are tried again from their own page as well, where a feed would not tell of them twice", async () => {
    await quarantineRef(scope, sourceId, "a.txt", drop);
    const syncId = randomUUID();
    const counts = await beginSync(scope, { id: syncId, sourceId, runId: null, startedBy: "ada" });
    await saveCursor(scope, sourceId, { version: 1 }, { id: syncId, counts });
    await endSync(scope, { id: syncId, sourceId, counts }, { status: "done", heldBack: null });
    const { documents } = as(people.scientist);
    const { rows } = await documents.list({ sourceId, status: "quarantined", limit: 1, offset: 0 });
    await documents.retry({ documentId: rows[0]!.id });
    expect((await getSource(scope, sourceId)).cursor).toBeNull();
    expect(await syncState()).toBe("running");
    await (await temporal()).workflow.getHandle(syncWorkflowId(sourceId)).terminate();
  });
});

describe("a source that is taken back", () => {
  it("is so with its schedule or not at all, and can be taken back again", async () => {
    const { connect } = as(people.scientist);
    const haveSchedule = (schedule: string) => inWorkspace(scope, (tx) => tx.update(sources).set({ schedule }));
    await deleteSource(scope, sourceId);
    // No service takes this one.
    await haveSchedule("when it rains");
    await expect(connect.restore({ sourceId })).rejects.toThrow();
    expect(await connect.removed()).toMatchObject([{ id: sourceId }]);
    await haveSchedule("@every 30m");
    await connect.restore({ sourceId });
    expect(await connect.removed()).toEqual([]);
    expect((await readSchedule(scheduleIdOf(sourceId)))?.cron).toBe("@every 30m");
    await connect.remove({ sourceId });
    expect(await readSchedule(scheduleIdOf(sourceId))).toBeNull();
  });
});

describe("a deleted document in the portal", () => {
  it("is restored and let go again by who may see it, with a date until which it can be, and both are recorded", async () => {
    const facts = { title: null, mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: "1", acl: null };
    const content = { contentHash: "h", contentKey: "h", sizeBytes: 1 };
    const { documentId } = await upsertDocument(scope, sourceId, { ref: "a", uri: "a", ...facts }, content);
    await markDocumentDeleted(scope, sourceId, "a");
    const { documents } = as(people.scientist);
    const { deletedAt, keptUntil } = await documents.get({ documentId });
    expect(keptUntil!.getTime() - deletedAt!.getTime()).toBe(30 * 24 * 60 * 60_000);
    const list = { sourceId, status: "deleted" as const, limit: 5, offset: 0 };
    expect(await documents.list(list)).toMatchObject({ total: 1, rows: [{ id: documentId, keptUntil }] });

    await expect(as(people.operator).documents.restore({ documentId })).rejects.toMatchObject({
      cause: { code: "FORBIDDEN" },
    });
    await documents.restore({ documentId });
    expect(await documents.get({ documentId })).toMatchObject({ deletedAt: null, restoredBy: people.scientist.email });
    await expect(documents.restore({ documentId })).rejects.toMatchObject({ cause: { code: "CONFLICT" } });
    await documents.release({ documentId });
    await expect(documents.release({ documentId })).rejects.toMatchObject({ cause: { code: "CONFLICT" } });
    expect(await documents.list(list)).toMatchObject({ total: 1 });
    expect(await actions()).toEqual(expect.arrayContaining(["document.restore", "document.release"]));
  });

  it("is restored with others at once, chosen or all that match, as far as one may see them, and that is recorded", async () => {
    const facts = { title: null, mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: "1" };
    const content = { contentHash: "h", contentKey: "h", sizeBytes: 1 };
    const ids: string[] = [];
    for (const ref of ["plans/a", "plans/b", "notes/a", "notes/b", "secret"]) {
      const acl = ref === "secret" ? nobody : null;
      ids.push((await upsertDocument(scope, sourceId, { ref, uri: ref, ...facts, acl }, content)).documentId);
      await markDocumentDeleted(scope, sourceId, ref);
    }
    const { documents } = as(people.scientist);
    const left = async () => {
      const all = { sourceId, status: "deleted" as const, limit: 9, offset: 0 };
      return (await as(people.admin).documents.list(all)).rows.map(({ ref }) => ref).toSorted();
    };
    expect(await documents.restoreDeleted({ sourceId, documentIds: [ids[0]!, ids[4]!] })).toEqual({ count: 1 });
    expect(await left()).toEqual(["notes/a", "notes/b", "plans/b", "secret"]);
    // What a script asks for with a variable that is not set.
    for (const search of ["", " "])
      await expect(documents.restoreDeleted({ sourceId, search })).rejects.toMatchObject({ code: "BAD_REQUEST" });
    expect(await documents.restoreDeleted({ sourceId, search: "notes/" })).toEqual({ count: 2 });
    expect(await documents.restoreDeleted({ sourceId })).toEqual({ count: 1 });
    expect(await left()).toEqual(["secret"]);
    await expect(documents.restoreDeleted({ sourceId })).rejects.toMatchObject({ cause: { code: "CONFLICT" } });
    expect(await as(people.admin).documents.restoreDeleted({ sourceId })).toEqual({ count: 1 });
    expect((await actions()).filter((action) => action === "document.restore")).toHaveLength(5);
  });

  it("stays deleted where others are restored by a list that was read before, and that is recorded", async () => {
    const facts = { title: null, mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: "1", acl: null };
    const content = { contentHash: "h", contentKey: "h", sizeBytes: 1 };
    const { documents } = as(people.scientist);
    const list = () => documents.list({ sourceId, status: "deleted", limit: 9, offset: 0 });
    const remove = async (ref: string) => {
      await upsertDocument(scope, sourceId, { ref, uri: ref, ...facts }, content);
      await markDocumentDeleted(scope, sourceId, ref);
    };
    expect(await list()).toMatchObject({ total: 0, lastDeletedAt: null });
    await remove("a");
    await remove("b");
    const yesterday = new Date(Date.now() - 24 * 60 * 60_000);
    await inWorkspace(scope, (tx) => tx.update(documentRows).set({ deletedAt: yesterday }));
    const { lastDeletedAt } = await list();
    expect(lastDeletedAt).toEqual(yesterday);
    await remove("later");
    expect(await documents.restoreDeleted({ sourceId, deletedUntil: lastDeletedAt })).toEqual({ count: 2 });
    expect((await list()).rows.map(({ ref }) => ref)).toEqual(["later"]);
    const { rows } = await listAuditEvents(scope, { search: "document.restore" }, { limit: 1, offset: 0 });
    expect(rows[0]!.details).toEqual({ documents: "all", deletedUntil: yesterday.toISOString() });
  });

  it("shows its contents to those alone who decide whether it comes back", async () => {
    const facts = { title: null, mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: "1", acl: null };
    const { documentId } = await upsertDocument(
      scope,
      sourceId,
      { ref: "a", uri: "a", ...facts },
      { contentHash: "h", contentKey: "h", sizeBytes: 1 },
    );
    const text = (who: keyof typeof people) =>
      as(people[who])
        .documents.text({ documentId })
        .catch((error: Error) => error.message);
    const passages = async (who: keyof typeof people) =>
      as(people[who])
        .documents.chunks({ documentId })
        .catch((error: Error) => error.message);
    const uncleaned = "This document has no cleaned text.";
    expect([await text("member"), await text("scientist")]).toEqual([uncleaned, uncleaned]);
    await markDocumentDeleted(scope, sourceId, "a");
    const gone = "This document is no longer at its source.";
    for (const who of ["member", "operator"] as const)
      expect([await text(who), await passages(who)]).toEqual([gone, gone]);
    for (const who of ["scientist", "admin"] as const)
      expect([await text(who), await passages(who)]).toEqual([uncleaned, []]);
    const views = await Promise.all(
      (["member", "scientist"] as const).map((who) => as(people[who]).documents.get({ documentId })),
    );
    expect(views).toMatchObject([{ mayOpenOriginal: false, originalWithheld: false }, { mayOpenOriginal: true }]);
  });

  it("is not there for who may not read it", async () => {
    const facts = { title: null, mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: "1", acl: nobody };
    const content = { contentHash: "h", contentKey: "h", sizeBytes: 1 };
    const { documentId } = await upsertDocument(scope, sourceId, { ref: "a", uri: "a", ...facts }, content);
    await markDocumentDeleted(scope, sourceId, "a");
    await expect(as(people.scientist).documents.restore({ documentId })).rejects.toMatchObject({
      cause: { code: "NOT_FOUND" },
    });
  });
});

describe("a draft that is tried", () => {
  it.each([{ audience: "everybody" }, { schedule: "every day" }, { name: "" }])(
    "is refused for %j as saving refuses it, before anything is tried",
    async (wrong) => {
      const { id: _, sealedSecrets: __, defaultAcl: ___, ...input } = sourceWith(null);
      const { connect } = as(people.scientist);
      const draft = { ...input, audience: "nobody" as const, ...(wrong as object) };
      const saved = await connect.create(draft).catch((error: Error) => error.message);
      await expect(connect.checkDraft(draft)).rejects.toThrow(saved as string);
      expect(saved).toMatch(new RegExp(Object.keys(wrong)[0]!));
      expect(await actions()).toEqual([]);
    },
  );
});

describe("settings as they are typed", () => {
  it("are held against the connector's own schema, each problem at its field", async () => {
    const { connect } = as(people.scientist);
    expect(await connect.validate({ kind: "file", config: { path: "/data" } })).toEqual([]);
    const problems = await connect.validate({ kind: "sftp", config: { host: "", port: 99_999 } });
    expect(problems.map(({ field }) => field)).toEqual(expect.arrayContaining(["host", "port"]));
    for (const { message } of problems) expect(message).toMatch(/^\p{Lu}.*\.$/u);
  });
});
