import { nobody, principalKey, workspaceMembers, type Principal } from "@anneal/core/access/acl";
import type { SourceItem } from "@anneal/core/connect/change";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { countStatements } from "../../testing/count-statements.ts";
import { addSource, addWorkspace } from "../../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import { inWorkspace, type Scope } from "../database.ts";
import { documents } from "../schema.ts";
import { deleteSource } from "./sources.ts";
import { markDocumentDeleted, moveDocument, quarantineRef, saveDocumentAcl } from "./synced-documents.ts";
import { saveCollection } from "./indexing.ts";
import { hasReaderChanges } from "./reader-changes.ts";
import { purgeDocument, restoreDocument } from "./tombstones.ts";
import { isRefusedForOne, isRefusedValue, upsertDocuments, type DocumentUpsert } from "./upsert-documents.ts";

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

function upsertOf(ref: string, hash: string, item: Partial<SourceItem> = {}): DocumentUpsert {
  const facts = { uri: `file:///${ref}`, title: null, mediaType: null, sizeBytes: 1, modifiedAt: null, acl: null };
  return {
    item: { ref, fingerprint: `${ref} ${hash}`, ...facts, ...item },
    content: { contentHash: hash, contentKey: `content/${hash}`, sizeBytes: 1 },
  };
}
const upsert = (...upserts: DocumentUpsert[]) => upsertDocuments(scope, sourceId, upserts);
const rows = async () => {
  const found = await inWorkspace(scope, (tx) => tx.select().from(documents).orderBy(documents.ref));
  return new Map(found.map((row) => [row.ref, row]));
};
const drop = { stage: "connect", code: "SOURCE_FORBIDDEN", reason: "It may not be read." };
const setCleaned = () =>
  inWorkspace(scope, (tx) => tx.update(documents).set({ status: "kept", changedAt: new Date(0) }));

it("stores whatever a batch holds, each by what is known of it, and answers in order", async () => {
  await upsert(...["same", "changed", "deleted", "kept"].map((ref) => upsertOf(ref, "a")));
  await setCleaned();
  const before = await rows();
  await quarantineRef(scope, sourceId, "unread", drop);
  for (const ref of ["deleted", "kept"]) await markDocumentDeleted(scope, sourceId, ref);
  await restoreDocument(scope, before.get("kept")!.id, "ada");

  const members = { allow: [workspaceMembers(scope.workspaceId)], deny: [] };
  const modifiedAt = "2026-02-03T04:05:06.789Z";
  const written = await upsert(
    upsertOf("unread", "a"),
    upsertOf("same", "a", { fingerprint: "touched", title: "Ä “quoted” \\ {title}, NULL", acl: members, modifiedAt }),
    upsertOf("new", "a", { sizeBytes: null, mediaType: "text/plain" }),
    upsertOf("kept", "a"),
    upsertOf("changed", "b"),
    upsertOf("deleted", "a"),
  );
  expect(written.map(({ change }) => change)).toEqual(["changed", "unchanged", "added", "added", "changed", "added"]);
  const after = await rows();
  expect(written.map(({ documentId }) => documentId)).toEqual(
    ["unread", "same", "new", "kept", "changed", "deleted"].map((ref) => after.get(ref)!.id),
  );
  for (const [ref, row] of before) expect(after.get(ref)!.id).toBe(row.id);
  expect(after.get("same")).toEqual({
    ...before.get("same")!,
    fingerprint: "touched",
    title: "Ä “quoted” \\ {title}, NULL",
    acl: members,
    aclInherited: false,
    sourceModifiedAt: new Date(modifiedAt),
    // It was never indexed: passages that an index stage is writing now may be of any content.
    withdrawn: true,
  });
  for (const ref of ["unread", "new", "kept", "changed", "deleted"]) {
    expect(after.get(ref)).toMatchObject({
      status: "fetched",
      drop: null,
      deletedAt: null,
      restoredAt: null,
      restoredBy: null,
      title: ref,
      acl: nobody,
      aclInherited: true,
      sizeBytes: 1,
    });
    expect(Date.now() - after.get(ref)!.changedAt.getTime()).toBeLessThan(60_000);
  }
  expect(after.get("changed")!.contentHash).toBe("b");
  expect(after.get("new")!.mediaType).toBe("text/plain");
});

it("lets the last of several words on one document count, as if they came one after the other", async () => {
  await upsert(upsertOf("there", "a"));
  await setCleaned();
  const written = await upsert(
    upsertOf("new", "a"),
    upsertOf("there", "b"),
    upsertOf("new", "b", { title: "second" }),
    upsertOf("there", "a", { title: "back" }),
  );
  expect(written.map(({ change }) => change)).toEqual(["added", "changed", "changed", "changed"]);
  expect(written[0]!.documentId).toBe(written[2]!.documentId);
  const after = await rows();
  expect(after.get("new")).toMatchObject({ title: "second", contentHash: "b" });
  // Its bytes are those that were cleaned; that they were others meanwhile is known no more than after two syncs.
  expect(after.get("there")).toMatchObject({ title: "back", contentHash: "a", status: "fetched" });
  expect(after.size).toBe(2);
});

it("takes as many statements for many documents as for one", async () => {
  const counted = countStatements(test.appUrl);
  try {
    const count = (refs: string[]) => {
      const upserts = refs.map((ref) => ({ ...upsertOf(ref, ref), putContent: async () => undefined }));
      return counted.count(() => upsertDocuments({ ...scope, db: counted.db }, sourceId, upserts));
    };
    const one = await count(["a"]);
    expect(one).toBeGreaterThan(0);
    expect(await count(Array.from({ length: 100 }, (_, index) => `many ${index}`))).toBe(one);
  } finally {
    await counted.close();
  }
  expect((await rows()).size).toBe(101);
});

it("says of a time that no calendar has that it is not known", async () => {
  const times = ["not a time", "-000044-03-15T12:00:00.000Z", "+010000-01-01T00:00:00.000Z"];
  await upsert(...times.map((modifiedAt) => upsertOf(modifiedAt, "a", { modifiedAt })));
  expect([...(await rows()).values()].map((row) => row.sourceModifiedAt)).toEqual([null, null, null]);
});

it("keeps where readers come from apart from who they are, so that another origin is no other audience", async () => {
  const finance: Principal = { source: "smb", tenant: "files", kind: "group", id: "finance" };
  const from = (inheritedFrom: string) => ({ allow: [{ ...finance, inheritedFrom }], deny: [] });
  const origins = (inheritedFrom: string) => ({ allow: { [principalKey(finance)]: inheritedFrom }, deny: {} });
  await saveCollection(scope, { embeddingModel: "m", dimensions: 2, settings: {} });
  const acl = { allow: [finance], deny: [] };
  await upsert(upsertOf("a", "a", { acl: from("/Reports") }), upsertOf("b", "b", { acl }));
  expect((await rows()).get("a")).toMatchObject({ acl, aclOrigins: origins("/Reports"), aclInherited: false });
  expect((await rows()).get("a")!.acl).toEqual((await rows()).get("b")!.acl);
  expect((await rows()).get("b")!.aclOrigins).toBeNull();

  await saveDocumentAcl(scope, sourceId, { ref: "a", acl: from("/Plans"), fingerprint: "2" });
  expect((await rows()).get("a")).toMatchObject({ acl, aclOrigins: origins("/Plans"), fingerprint: "2" });
  await upsert(upsertOf("a", "a", { acl: from("/") }), upsertOf("b", "b", { acl: from("/") }));
  for (const ref of ["a", "b"]) expect((await rows()).get(ref)).toMatchObject({ acl, aclOrigins: origins("/") });
  const closed = [{ container: "/Reports", to: [{ ...finance, id: "staff" }] }];
  await saveDocumentAcl(scope, sourceId, { ref: "b", acl: { ...from("/"), closed }, fingerprint: "3" });
  expect((await rows()).get("b")).toMatchObject({ acl, aclOrigins: { ...origins("/"), closed } });
  const { item } = upsertOf("c", "a", { acl: from("/Moved") });
  await moveDocument(scope, sourceId, "a", item);
  expect((await rows()).get("c")).toMatchObject({ acl, aclOrigins: origins("/Moved") });
  expect(await hasReaderChanges(scope)).toBe(false);

  await upsert(upsertOf("c", "a", { acl: null }));
  expect((await rows()).get("c")).toMatchObject({ acl: nobody, aclOrigins: null, aclInherited: true });
  expect(await hasReaderChanges(scope)).toBe(true);
});

describe("a batch that is refused", () => {
  const refusalOf = async (work: Promise<unknown>) =>
    work.then(
      () => expect.fail("nothing was refused"),
      (error: unknown) => error,
    );

  it.each([
    ["a title", { title: "a\0b" }],
    ["a name", { ref: "a\0b" }],
    ["a reader", { acl: { allow: [{ source: "file", tenant: "t", kind: "user" as const, id: "a\0b" }], deny: [] } }],
  ])("for %s stores none of its documents", async (_, item) => {
    const error = await refusalOf(upsert(upsertOf("a", "a"), upsertOf("b", "b", item), upsertOf("c", "c")));
    expect([isRefusedValue(error), isRefusedForOne(error)]).toEqual([true, true]);
    expect((await rows()).size).toBe(0);
  });

  it("because its source was removed stores none of them, and is no document's fault", async () => {
    await upsert(upsertOf("a", "a"));
    await deleteSource(scope, sourceId);
    const error = await refusalOf(upsert(upsertOf("a", "b"), upsertOf("b", "b")));
    expect(error).toMatchObject({ code: "SOURCE_NOT_FOUND" });
    expect([isRefusedValue(error), isRefusedForOne(error)]).toEqual([false, false]);
    expect([...(await rows()).values()]).toMatchObject([{ ref: "a", contentHash: "a", deletedAt: expect.any(Date) }]);
  });
});

describe("what happens at the same time", () => {
  /** Of the transactions that wait for another one. */
  const waiting = async () => {
    const { rows: found } = await test.db.execute(sql`select 1 from pg_locks where not granted`);
    return found.length;
  };
  /** A batch that is about to write its rows, and waits for its contents. */
  function begin(...upserts: DocumentUpsert[]) {
    const [reached, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const putContent = async () => {
      reached.resolve();
      await go.promise;
    };
    return {
      done: upsert(...upserts.map((one) => ({ ...one, putContent }))),
      reached: reached.promise,
      go: go.resolve,
    };
  }

  it("a removal of the source waits for the batch, and takes its documents along", async () => {
    const batch = begin(upsertOf("a", "a"), upsertOf("b", "b"));
    await batch.reached;
    const removing = deleteSource(scope, sourceId);
    await expect.poll(waiting).toBe(1);
    batch.go();
    expect(await batch.done).toHaveLength(2);
    await removing;
    const deleted = [...(await rows()).values()].map((row) => row.deletedAt);
    expect(deleted).toEqual([expect.any(Date), expect.any(Date)]);
  });

  it("a purge that takes the same document goes first, and what it took is stored anew", async () => {
    const [gone] = await upsert(upsertOf("a", "x"));
    await markDocumentDeleted(scope, sourceId, "a");
    const [purging, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const purge = purgeDocument(scope, gone!.documentId, new Date(Date.now() + 1_000), async () => {
      purging.resolve();
      await go.promise;
    });
    await purging.promise;
    let puts = 0;
    const putContent = async () => void (puts += 1);
    const work = upsert({ ...upsertOf("b", "x"), putContent }, { ...upsertOf("a", "x"), putContent });
    await expect.poll(waiting).toBe(1);
    expect(puts).toBe(0);
    go.resolve();
    expect(await purge).toBe(true);
    expect((await work).map(({ change }) => change)).toEqual(["added", "added"]);
    expect(puts).toBe(1);
    expect((await rows()).get("a")!.id).not.toBe(gone!.documentId);
  });

  it("a batch that somebody breaks who locks in another order writes nothing, and its documents may try by themselves", async () => {
    const ids = (await upsert(upsertOf("a", "a"), upsertOf("b", "a"))).map(({ documentId }) => documentId);
    const [first, last] = ids.toSorted() as [string, string];
    const hashes = async () => [...(await rows()).values()].map((row) => row.contentHash);
    let [before, error]: [string[], unknown] = [[], undefined];
    // PostgreSQL gives up who finds that both wait, a second after having begun to: the batch, unless the machine is so
    // busy that the other one came later than that. Then the batch is stored, and they meet once more.
    for (let round = 0; error === undefined; round += 1) {
      before = await hashes();
      let outcome: Promise<unknown> | undefined;
      await inWorkspace(scope, async (tx) => {
        const lock = (id: string) => tx.execute(sql`select from ${documents} where id = ${id} for update`);
        await lock(last);
        outcome = upsert(upsertOf("a", `b${round}`), upsertOf("b", `b${round}`)).then(
          () => undefined,
          (failure: unknown) => failure,
        );
        await expect.poll(waiting).toBe(1);
        await lock(first);
      }).catch((failure: unknown) => expect(isRefusedForOne(failure)).toBe(true));
      error = await outcome;
    }
    expect(error).toBeInstanceOf(Error);
    expect([isRefusedForOne(error), isRefusedValue(error)]).toEqual([true, false]);
    expect(await hashes()).toEqual(before);
  });

  it("stores equal bytes once, and gives up only when no other content is being stored any more", async () => {
    const puts: string[] = [];
    const other = Promise.withResolvers<void>();
    const put = (name: string, work: () => Promise<void>) => async () => {
      puts.push(name);
      await work();
    };
    const failing = put("failing", () => Promise.reject(new Error("no store")));
    const slow = put("slow", () => other.promise);
    const work = upsert(
      { ...upsertOf("a", "x"), putContent: failing },
      { ...upsertOf("b", "x"), putContent: failing },
      { ...upsertOf("c", "y"), putContent: slow },
    );
    let ended = false;
    const outcome = work.catch((error: unknown) => error).finally(() => (ended = true));
    await expect.poll(() => puts).toEqual(["failing", "slow"]);
    await waiting();
    expect(ended).toBe(false);
    other.resolve();
    expect(await outcome).toMatchObject({ message: "no store" });
    expect((await rows()).size).toBe(0);
  });
});
