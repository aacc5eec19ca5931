import { randomUUID } from "node:crypto";
import { nobody, workspaceUser } from "@anneal/core/access/acl";
import type { SourceItem } from "@anneal/core/connect/change";
import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addSource, addWorkspace } from "../../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import { inWorkspace, type Scope } from "../database.ts";
import { documents } from "../schema.ts";
import { deleteSource, getSource, restoreSource } from "./sources.ts";
import {
  markDocumentDeleted,
  moveDocument,
  quarantineRef,
  saveDocumentAcl,
  streamRefs,
  upsertDocument,
} from "./synced-documents.ts";
import { createFingerprintReader } from "./fingerprint-reader.ts";
import { getDocument, listDocuments, saveDropped } from "./documents.ts";
import { listChunks, saveCollection } from "./indexing.ts";
import { writeChunks } from "./reader-changes.ts";
import { retryFailures } from "./retry-failures.ts";
import { beginSync, saveCursor } from "./source-syncs.ts";
import {
  forgetRemovedCursors,
  listExpired,
  purgeDocument,
  releaseDocument,
  restoreDocument,
  restoreDocuments,
  type Remains,
} from "./tombstones.ts";

let test: TestDatabase;
let scope: Scope;
let sourceId: string;

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());
beforeEach(async () => {
  scope = await addWorkspace(test.db);
  sourceId = await addSource(scope);
});

const itemOf = (ref: string, fingerprint = "1"): SourceItem => ({
  ref,
  uri: `file:///${ref}`,
  title: null,
  mediaType: "text/plain",
  sizeBytes: 1,
  modifiedAt: null,
  fingerprint,
  acl: null,
});
const contentOf = (hash: string) => ({ contentHash: hash, contentKey: `content/${hash}`, sizeBytes: 1 });
const upsert = async (ref: string, hash: string = ref) =>
  (await upsertDocument(scope, sourceId, itemOf(ref), contentOf(hash))).documentId;
const refs = async () => {
  const found: string[] = [];
  for await (const ref of streamRefs(scope, sourceId)) found.push(ref);
  return found;
};
const remove = (ref: string) => markDocumentDeleted(scope, sourceId, ref);

/** As if the source had deleted it so long ago. */
async function age(documentId: string, days: number): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .update(documents)
      .set({ deletedAt: sql`now() - make_interval(days => ${days})` })
      .where(eq(documents.id, documentId)),
  );
}
const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 60 * 60_000);
const keep = async () => undefined;
/** Of the transactions that wait for another one. */
const waiting = async () => {
  const { rows } = await test.db.execute(sql`select 1 from pg_locks where not granted`);
  return rows.length;
};

describe("a document that a person took back", () => {
  it("stays through every later reconciliation and deletion of its source, until the source has it again", async () => {
    const id = await upsert("a.txt");
    await upsert("b.txt");
    expect(await remove("a.txt")).toBe(true);
    expect(await restoreDocument(scope, id, "ada")).toBe(true);
    expect(await getDocument(scope, id)).toMatchObject({ deletedAt: null, restoredBy: "ada" });
    // What a complete listing compares with, and what a feed may still say.
    expect(await refs()).toEqual(["b.txt"]);
    expect(await remove("a.txt")).toBe(false);
    expect((await getDocument(scope, id)).deletedAt).toBeNull();

    // Unchanged content is news all the same: without it, the document would stay a person's for ever.
    expect(await createFingerprintReader(scope, sourceId).fingerprintOf("a.txt")).toBeNull();
    expect(await upsertDocument(scope, sourceId, itemOf("a.txt"), contentOf("a.txt"))).toEqual({
      documentId: id,
      change: "added",
    });
    expect(await getDocument(scope, id)).toMatchObject({ restoredAt: null, restoredBy: null });
    expect(await refs()).toEqual(["a.txt", "b.txt"]);
    expect(await remove("a.txt")).toBe(true);
  });

  it("can be let go again, and then be restored again", async () => {
    const id = await upsert("a.txt");
    expect(await releaseDocument(scope, id)).toBe(false);
    expect(await restoreDocument(scope, id, "ada")).toBe(false);
    await remove("a.txt");
    await restoreDocument(scope, id, "ada");
    expect(await releaseDocument(scope, id)).toBe(true);
    expect(await getDocument(scope, id)).toMatchObject({ deletedAt: expect.any(Date), restoredAt: null });
    expect(await restoreDocument(scope, id, "eve")).toBe(true);
  });

  it("makes room, as a tombstone does, where another document moves to its place", async () => {
    const [kept, dead, mover] = [await upsert("kept.txt"), await upsert("dead.txt"), await upsert("mover.txt")];
    for (const ref of ["kept.txt", "dead.txt"]) await remove(ref);
    await restoreDocument(scope, kept, "ada");
    await moveDocument(scope, sourceId, "mover.txt", itemOf("kept.txt"));
    await moveDocument(scope, sourceId, "kept.txt", itemOf("dead.txt"));
    expect(await getDocument(scope, mover)).toMatchObject({ ref: "dead.txt", deletedAt: null, restoredAt: null });
    expect(await getDocument(scope, kept)).toMatchObject({ deletedAt: null, restoredBy: "ada", title: "kept.txt" });
    expect(await restoreDocument(scope, dead, "ada")).toBe(true);
    expect(await refs()).toEqual(["dead.txt"]);
  });

  it("is nobody's to take back while its whole source is removed, and another workspace's never", async () => {
    const id = await upsert("a.txt");
    await remove("a.txt");
    expect(await restoreDocument(await addWorkspace(test.db), id, "eve")).toBe(false);
    await deleteSource(scope, sourceId);
    expect(await restoreDocument(scope, id, "ada")).toBe(false);
  });
});

describe("deleted documents that are taken back together", () => {
  const restored = async (filter: Parameters<typeof restoreDocuments>[1], of = scope) =>
    (await restoreDocuments(of, filter, "ada")).toSorted();
  const listed = async () => {
    const { rows } = await listDocuments(scope, { sourceId, status: "deleted" }, { limit: 10, offset: 0 });
    return rows.map(({ ref }) => ref);
  };

  it("are listed with the newest deletion first", async () => {
    for (const [index, ref] of ["b.txt", "c.txt", "a.txt"].entries()) {
      const id = await upsert(ref);
      await remove(ref);
      await age(id, [3, 1, 2][index]!);
    }
    expect(await listed()).toEqual(["c.txt", "a.txt", "b.txt"]);
  });

  it("are those of the source that are named, or all that match, and of them what one may read", async () => {
    const ids = new Map<string, string>();
    for (const ref of ["plans/a.txt", "plans/b.txt", "notes/a.txt", "notes/b.txt", "living.txt"])
      ids.set(ref, await upsert(ref));
    const reader = workspaceUser(scope.workspaceId, randomUUID());
    await saveDocumentAcl(scope, sourceId, {
      ref: "notes/b.txt",
      acl: { allow: [reader], deny: [] },
      fingerprint: "1",
    });
    for (const ref of ids.keys()) if (ref !== "living.txt") await remove(ref);
    const of = (...refs: string[]) => refs.map((ref) => ids.get(ref)!).toSorted();

    expect(await restored({ sourceId, ids: of("plans/a.txt", "living.txt") })).toEqual(of("plans/a.txt"));
    expect(await restored({ sourceId: await addSource(scope) })).toEqual([]);
    expect(await restored({ sourceId }, await addWorkspace(test.db))).toEqual([]);
    expect(await restored({ sourceId, readers: [reader] })).toEqual(of("notes/b.txt"));
    expect(await restored({ sourceId, search: "notes/" })).toEqual(of("notes/a.txt"));
    expect(await listed()).toEqual(["plans/b.txt"]);
    expect(await getDocument(scope, ids.get("notes/a.txt")!)).toMatchObject({ deletedAt: null, restoredBy: "ada" });
    await deleteSource(scope, sourceId);
    expect(await restored({ sourceId })).toEqual([]);
  });

  it("are locked in the order in which a sync locks them that brings them back", async () => {
    const refOf = new Map<string, string>();
    for (const ref of ["a.txt", "b.txt", "c.txt"]) refOf.set(await upsert(ref), ref);
    const ids = [...refOf.keys()].toSorted();
    // A table that is gone through begins with what was written longest ago: here with the last in the order.
    for (const id of ids.toReversed()) await remove(refOf.get(id)!);
    let restoring: Promise<string[]> | undefined;
    await inWorkspace(scope, async (tx) => {
      const lock = (id: string) => tx.select().from(documents).where(eq(documents.id, id)).for("update");
      await lock(ids[0]!);
      restoring = restored({ sourceId });
      // Awaited below; until then nobody may hear of it.
      restoring.catch(() => undefined);
      await expect.poll(waiting).toBe(1);
      for (const id of ids.slice(1)) await lock(id);
    });
    expect(await restoring).toEqual(ids);
  });

  it("are not those that a sync brings back at the same moment", async () => {
    const id = await upsert("a.txt");
    await remove("a.txt");
    let restoring: Promise<string[]> | undefined;
    await inWorkspace(scope, async (tx) => {
      await tx.update(documents).set({ deletedAt: null }).where(eq(documents.id, id));
      restoring = restored({ sourceId });
      await expect.poll(waiting).toBe(1);
    });
    expect(await restoring).toEqual([]);
    expect((await getDocument(scope, id)).restoredBy).toBeNull();
  });
});

describe("purging", () => {
  const purge = async (id: string, removeRemains: (remains: Remains) => Promise<void> = keep) =>
    purgeDocument(scope, id, daysAgo(30), removeRemains);
  const remainsOf = async (id: string) => {
    let found: Remains | undefined;
    await purge(id, async (remains) => void (found = remains));
    return found;
  };

  it("removes only what was deleted longer ago than it is kept", async () => {
    const [old, recent, living] = [await upsert("old.txt"), await upsert("recent.txt"), await upsert("living.txt")];
    await age(old, 31);
    await age(recent, 29);
    expect(await listExpired(scope, daysAgo(30), 10)).toEqual([old]);
    expect([await purge(old), await purge(recent), await purge(living)]).toEqual([true, false, false]);
    await expect(getDocument(scope, old)).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect((await listDocuments(scope, { status: "deleted" }, { limit: 10, offset: 0 })).total).toBe(1);
    expect(await listExpired(await addWorkspace(test.db), new Date(), 10)).toEqual([]);
  });

  it("spares what was restored between the listing and the removal", async () => {
    const id = await upsert("a.txt");
    await age(id, 31);
    expect(await listExpired(scope, daysAgo(30), 10)).toEqual([id]);
    await restoreDocument(scope, id, "ada");
    expect(await purge(id)).toBe(false);
  });

  it("names the content that has to go and where there may be passages, and the rows of the passages go with the document", async () => {
    const id = await upsert("a.txt", scope.workspaceId);
    const collection = await saveCollection(scope, { embeddingModel: "m", dimensions: 2, settings: {} });
    const place = { section: [], pageStart: null, pageEnd: null, container: null, charStart: 0, charEnd: 1 };
    const hashes = { contentHash: "c", placeFingerprint: "p", aclFingerprint: "a" };
    const row = {
      id: randomUUID(),
      collectionId: collection.id,
      documentId: id,
      ordinal: 0,
      text: "a",
      ...place,
      ...hashes,
    };
    await writeChunks(scope, id, async () => ({ rows: [row], deletes: [], aclFingerprints: [] }));
    await age(id, 31);
    expect(await remainsOf(id)).toEqual({
      documentId: id,
      contentKey: `content/${scope.workspaceId}`,
      collectionIds: [collection.id],
    });
    expect(await listChunks(scope, collection.id, id)).toEqual([]);
  });

  it("keeps content that another document has, be it another workspace's, until the last of them goes", async () => {
    const other = await addWorkspace(test.db);
    const twin = await upsertDocument(other, await addSource(other), itemOf("b.txt"), contentOf("same"));
    const id = await upsert("a.txt", "same");
    await age(id, 31);
    expect(await remainsOf(id)).toMatchObject({ contentKey: null });
    [scope] = [other];
    await age(twin.documentId, 31);
    expect(await remainsOf(twin.documentId)).toMatchObject({ contentKey: "content/same" });
  });

  it("leaves the row where something could not be removed, to be done again", async () => {
    const id = await upsert("a.txt");
    await age(id, 31);
    await expect(purge(id, () => Promise.reject(new Error("no store")))).rejects.toThrow("no store");
    expect(await listExpired(scope, daysAgo(30), 10)).toEqual([id]);
    expect(await purge(id)).toBe(true);
  });

  it("does not take content away from a document that is being stored with it", async () => {
    const id = await upsert("a.txt", "same");
    await age(id, 31);
    const [storing, stored] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const adding = upsertDocument(scope, sourceId, itemOf("b.txt"), contentOf("same"), async () => {
      storing.resolve();
      await stored.promise;
    });
    await storing.promise;
    const purging = remainsOf(id);
    // It waits for the lock that the other one holds.
    await expect.poll(waiting).toBe(1);
    stored.resolve();
    await adding;
    expect(await purging).toMatchObject({ contentKey: null });
  });

  it("lets a source that was removed so long ago be read anew when it is taken back", async () => {
    const syncId = randomUUID();
    const counts = await beginSync(scope, { id: syncId, sourceId, runId: null, startedBy: "ada" });
    await saveCursor(scope, sourceId, { version: 1 }, { id: syncId, counts });
    await deleteSource(scope, sourceId);
    await forgetRemovedCursors(scope, daysAgo(30));
    await restoreSource(scope, sourceId);
    expect((await getSource(scope, sourceId)).cursor).toEqual({ version: 1 });
    await deleteSource(scope, sourceId);
    await forgetRemovedCursors(scope, daysAgo(-1));
    await restoreSource(scope, sourceId);
    expect((await getSource(scope, sourceId)).cursor).toBeNull();
  });
});

it("a source that is removed while it is read, and taken back, is gone past by nothing that was told meanwhile", async () => {
  await upsert("a.txt");
  const syncId = randomUUID();
  const { revision } = await getSource(scope, sourceId);
  const counts = await beginSync(scope, { id: syncId, sourceId, runId: null, startedBy: "ada", revision });
  await saveCursor(scope, sourceId, { version: 1 }, { id: syncId, counts, revision });
  await deleteSource(scope, sourceId);
  const removed = { code: "SOURCE_NOT_FOUND" };
  const change = { ref: "a.txt", acl: nobody, fingerprint: "2" };
  await expect(markDocumentDeleted(scope, sourceId, "a.txt", revision)).rejects.toMatchObject(removed);
  await expect(saveDocumentAcl(scope, sourceId, change, revision)).rejects.toMatchObject(removed);
  const goesOn = saveCursor(scope, sourceId, { version: 2 }, { id: syncId, counts, revision });
  await expect(goesOn).rejects.toMatchObject(removed);
  await restoreSource(scope, sourceId);
  expect((await getSource(scope, sourceId)).cursor).toEqual({ version: 1 });
  expect(await refs()).toEqual(["a.txt"]);
});

describe("trying failures again", () => {
  const drop = { stage: "connect", code: "SOURCE_FORBIDDEN", reason: "It may not be read." };
  const quarantine = (ref: string) => quarantineRef(scope, sourceId, ref, drop);
  const states = async () =>
    (await listDocuments(scope, { sourceId }, { limit: 10, offset: 0 })).rows
      .map(({ ref, status }) => `${ref} ${status}`)
      .toSorted();

  it("takes all in quarantine, or one, and lets the whole source be gone through again", async () => {
    for (const ref of ["a.txt", "b.txt"]) await quarantine(ref);
    const kept = await upsert("c.txt");
    const syncId = randomUUID();
    const counts = await beginSync(scope, { id: syncId, sourceId, runId: null, startedBy: "ada" });
    await saveCursor(scope, sourceId, { version: 1 }, { id: syncId, counts });
    expect(await retryFailures(scope, sourceId, null)).toBe(2);
    expect((await getSource(scope, sourceId)).cursor).toBeNull();
    // Nothing has been fetched yet: whoever cancels the read still sees them as what they are.
    expect(await states()).toEqual(["a.txt quarantined", "b.txt quarantined", "c.txt fetched"]);
    const failed = await listDocuments(scope, { sourceId, status: "quarantined" }, { limit: 10, offset: 0 });
    expect(failed.rows).toMatchObject([{ drop }, { drop }]);
    expect(await createFingerprintReader(scope, sourceId).fingerprintOf("a.txt")).toBe("");
    expect(await retryFailures(scope, sourceId, null)).toBe(2);
    await upsert("a.txt");
    expect(await states()).toEqual(["a.txt fetched", "b.txt quarantined", "c.txt fetched"]);
    expect(await retryFailures(scope, sourceId, kept)).toBe(1);
    expect(await createFingerprintReader(scope, sourceId).fingerprintOf("c.txt")).toBe("");
    expect(await retryFailures(await addWorkspace(test.db), sourceId, null)).toBe(0);
    await expect(retryFailures(await addWorkspace(test.db), sourceId, kept)).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });

  it("takes out of quarantine what was fetched, and refused by a later stage", async () => {
    const read = await getDocument(scope, await upsert("a.txt"));
    await saveDropped(scope, read, { status: "quarantined", cleanDigest: "d", drop });
    expect(await states()).toEqual(["a.txt quarantined"]);
    expect(await retryFailures(scope, sourceId, null)).toBe(1);
    expect(await states()).toEqual(["a.txt fetched"]);
  });

  it("keeps in quarantine what fails once more, and leaves alone what was fetched before", async () => {
    await quarantine("a.txt");
    await upsert("b.txt");
    await retryFailures(scope, sourceId, null);
    for (const ref of ["a.txt", "b.txt"]) await quarantine(ref);
    expect(await states()).toEqual(["a.txt quarantined", "b.txt fetched"]);
  });
});
