import { randomUUID } from "node:crypto";
import { nobody, workspaceUser, type Acl } from "@anneal/core/access/acl";
import { writeCleanDigest } from "@anneal/core/clean/clean-digest";
import { measureText } from "@anneal/core/clean/measure-text";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aclOf, contentOf, createSource, itemOf, sha256, upsert } from "../../testing/document-fixture.ts";
import { addWorkspace } from "../../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import { inWorkspace, type Scope } from "../database.ts";
import {
  countDocumentFacets,
  getDocument,
  listDocuments,
  listDocumentsToClean,
  saveCleaned,
  saveComparisons,
  saveDropped,
} from "./documents.ts";
import { createFingerprintReader } from "./fingerprint-reader.ts";
import { saveIndexed } from "./indexing.ts";
import { listSources } from "./sources.ts";
import {
  listRefsWithFingerprint,
  markDocumentDeleted,
  moveDocument,
  quarantineRef,
  streamRefs,
  upsertDocument,
} from "./synced-documents.ts";
import { documents } from "../schema.ts";

let test: TestDatabase;
let scope: Scope;

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());
beforeEach(async () => {
  scope = await addWorkspace(test.db);
});

describe("documents", () => {
  let sourceId: string;
  beforeEach(async () => {
    sourceId = await createSource(scope);
  });
  const toClean = async (languages: string[] = []) =>
    (await listDocumentsToClean(scope, { cleanVersion: "v1", languages, bounds: "", sourceIds: [sourceId] })).map(
      (row) => row.id,
    );
  const copyOf = (duplicateOf: string, hiddenIn: string[]) => ({
    duplicateOf,
    duplicate: { code: "EXACT_DUPLICATE", similarity: 1, hiddenIn },
  });
  const markCleaned = (documentId: string) =>
    inWorkspace(scope, (tx) =>
      tx
        .update(documents)
        .set({ status: "kept", cleanDigest: sql`'v1:' || ${documents.contentHash}` })
        .where(sql`${documents.id} = ${documentId}`),
    );

  it("go round the loop again only when their bytes are others than before", async () => {
    const first = await upsert(scope, sourceId, "a.txt", "one");
    expect(first.change).toBe("added");
    await markCleaned(first.documentId);

    const touched = await upsertDocument(scope, sourceId, itemOf("a.txt", "new mtime"), contentOf("one"));
    expect(touched).toEqual({ documentId: first.documentId, change: "unchanged" });
    expect(await createFingerprintReader(scope, sourceId).fingerprintOf("a.txt")).toBe("new mtime");
    expect(await toClean()).toEqual([]);

    expect((await upsert(scope, sourceId, "a.txt", "two")).change).toBe("changed");
    expect(await toClean()).toEqual([first.documentId]);
  });

  it("keep nothing that was made of bytes they no longer have", async () => {
    const { documentId } = await upsert(scope, sourceId, "a.txt", "one");
    const read = await getDocument(scope, documentId);
    await upsert(scope, sourceId, "a.txt", "two");
    const cleanDigest = `v1:${read.contentHash}`;
    const drop = { stage: "clean", code: "short", reason: "Too short." };
    expect(await saveDropped(scope, read, { status: "dropped", cleanDigest, drop })).toBe(false);
    const quality = { measures: measureText([]), brokenWebRules: [] };
    const made = { title: "a", mediaType: "text/plain", language: "en", textChars: 3, piiCounts: {}, warnings: [] };
    expect(await saveCleaned(scope, read, { cleanKey: "clean/one", cleanDigest, quality, ...made })).toBe(false);
    expect(await getDocument(scope, documentId)).toMatchObject({ status: "fetched", cleanKey: null, drop: null });
    expect(await toClean()).toEqual([documentId]);

    const now = await getDocument(scope, documentId);
    const fresh = { cleanKey: "clean/two", cleanDigest: `v1:${now.contentHash}`, quality, ...made };
    expect(await saveCleaned(scope, now, fresh)).toBe(true);
    expect(await toClean()).toEqual([]);
    // As an earlier release left them: kept, with what was made of the bytes before.
    await saveCleaned(scope, now, { ...fresh, cleanDigest });
    expect(await toClean()).toEqual([documentId]);
  });

  it("are cleaned again for a language that their scans were not tried with, and by no worker that has fewer", async () => {
    const { documentId } = await upsert(scope, sourceId, "scan.pdf", "scan");
    const read = await getDocument(scope, documentId);
    const from = { cleanVersion: "v1", contentHash: read.contentHash };
    const drop = { stage: "clean", code: "DOCUMENT_UNSUPPORTED", reason: "Tesseract is not installed." };
    const tryWith = (languages: string[]) =>
      saveDropped(scope, read, { status: "quarantined", cleanDigest: writeCleanDigest(from, languages), drop });
    const waiting = async () => (await listSources(scope)).find(({ id }) => id === sourceId)?.waitingCount;
    expect(await waiting()).toBe(1);
    await tryWith([]);
    expect(await waiting()).toBe(0);
    expect(await toClean()).toEqual([]);
    expect(await toClean(["eng"])).toEqual([documentId]);
    await tryWith(["eng", "deu"]);
    for (const languages of [["eng"], ["deu", "eng"], []]) expect(await toClean(languages)).toEqual([]);
    expect(await toClean(["fra"])).toEqual([documentId]);
    const { documentId: text } = await upsert(scope, sourceId, "a.txt", "one");
    await markCleaned(text);
    expect(await toClean(["fra"])).toEqual([documentId]);
  });

  it("are counted where the rules leave them out, and as no failures", async () => {
    const { documentId } = await upsert(scope, sourceId, "a.txt", "one");
    const { documentId: copy } = await upsert(scope, sourceId, "b.txt", "two");
    const outcome = {
      status: "dropped",
      cleanDigest: "v",
      drop: { stage: "clean", code: "TOO_SHORT", reason: "1 word." },
    } as const;
    await saveDropped(scope, await getDocument(scope, documentId), outcome);
    await markCleaned(copy);
    await saveComparisons(scope, [{ documentId: copy, ...copyOf(documentId, [sourceId]) }]);
    expect((await listSources(scope)).find(({ id }) => id === sourceId)).toMatchObject({
      droppedCount: 1,
      duplicateCount: 1,
      quarantinedCount: 0,
    });
  });

  it("are no duplicates where a search finds them, or once they have a new text", async () => {
    const { documentId } = await upsert(scope, sourceId, "a.txt", "one");
    const { documentId: copy } = await upsert(scope, sourceId, "b.txt", "two");
    await markCleaned(copy);
    const counted = async () => {
      const { duplicateCount, waitingCount } = (await listSources(scope)).find(({ id }) => id === sourceId)!;
      const { total } = await listDocuments(scope, { sourceId, status: "duplicate" }, { limit: 1, offset: 0 });
      const { duplicates } = await countDocumentFacets(scope);
      expect([total, duplicates]).toEqual([duplicateCount, duplicateCount]);
      return { duplicateCount, waitingCount };
    };
    await saveComparisons(scope, [{ documentId: copy, ...copyOf(documentId, []) }]);
    expect(await counted()).toEqual({ duplicateCount: 0, waitingCount: 1 });
    await saveComparisons(scope, [{ documentId: copy, ...copyOf(documentId, [sourceId]) }]);
    expect(await counted()).toEqual({ duplicateCount: 1, waitingCount: 1 });
    await upsert(scope, sourceId, "b.txt", "another text");
    expect(await counted()).toEqual({ duplicateCount: 0, waitingCount: 2 });
  });

  it("are not findable until their passages are of their own content, also after a change", async () => {
    const { documentId } = await upsert(scope, sourceId, "a.txt", "one");
    const unindexed = async () => {
      const { waitingCount, unindexedCount } = (await listSources(scope)).find(({ id }) => id === sourceId)!;
      return [waitingCount, unindexedCount];
    };
    expect(await unindexed()).toEqual([1, 0]);
    await markCleaned(documentId);
    expect(await unindexed()).toEqual([0, 1]);
    await saveIndexed(scope, documentId, (await getDocument(scope, documentId)).contentHash);
    expect(await unindexed()).toEqual([0, 0]);
    await upsert(scope, sourceId, "a.txt", "two");
    await markCleaned(documentId);
    expect(await unindexed()).toEqual([0, 1]);
  });

  it("keep their identity and what was made of them when they move, also onto a tombstone", async () => {
    const { documentId } = await upsert(scope, sourceId, "a.txt", "one");
    await upsert(scope, sourceId, "b.txt", "gone");
    await markDocumentDeleted(scope, sourceId, "b.txt");
    await markCleaned(documentId);
    await moveDocument(scope, sourceId, "a.txt", itemOf("b.txt", sha256("one")));
    expect(await getDocument(scope, documentId)).toMatchObject({ ref: "b.txt", status: "kept", deletedAt: null });
    expect(await listRefsWithFingerprint(scope, sourceId, sha256("one"))).toEqual(["b.txt"]);
    expect(await toClean()).toEqual([]);
  });

  it("leave a tombstone when deleted, and come back as new when the source has them again", async () => {
    const { documentId } = await upsert(scope, sourceId, "a.txt", "one");
    expect(await markDocumentDeleted(scope, sourceId, "a.txt")).toBe(true);
    expect(await markDocumentDeleted(scope, sourceId, "a.txt")).toBe(false);
    expect(await createFingerprintReader(scope, sourceId).fingerprintOf("a.txt")).toBeNull();
    expect((await listDocuments(scope, {}, { limit: 10, offset: 0 })).total).toBe(0);
    expect((await listDocuments(scope, { status: "deleted" }, { limit: 10, offset: 0 })).rows[0]?.id).toBe(documentId);
    expect(await upsert(scope, sourceId, "a.txt", "one")).toEqual({ documentId, change: "added" });
    expect(await toClean()).toEqual([documentId]);
  });

  it("whose content could not be had are kept with the reason, tried again, and well after a good fetch", async () => {
    const drop = { stage: "connect", code: "DOCUMENT_TOO_LARGE", reason: "The document is too large." };
    await quarantineRef(scope, sourceId, "big.bin", drop);
    expect((await listDocuments(scope, { status: "quarantined" }, { limit: 10, offset: 0 })).rows[0]?.drop).toEqual(
      drop,
    );
    expect(await createFingerprintReader(scope, sourceId).fingerprintOf("big.bin")).toBe("");
    const { documentId } = await upsert(scope, sourceId, "big.bin", "small now");
    expect(await getDocument(scope, documentId)).toMatchObject({ status: "fetched", drop: null });
  });

  it("whose content could not be had are told to whom they were given, and to nobody more", async () => {
    const drop = { stage: "connect", code: "DOCUMENT_TOO_LARGE", reason: "The document is too large." };
    const aclOfBad = async () => (await listDocuments(scope, { search: "bad" }, { limit: 1, offset: 0 })).rows[0]!.acl;
    const own: Acl = { allow: [workspaceUser(scope.workspaceId, randomUUID())], deny: [] };
    for (const acl of [nobody, own, nobody]) {
      await quarantineRef(scope, sourceId, "bad", drop, acl);
      expect(await aclOfBad()).toEqual(acl);
    }
    await quarantineRef(scope, sourceId, "bad", drop);
    expect(await aclOfBad()).toEqual(aclOf(scope));
  });

  it("of which nothing is held are told apart, and leave no tombstone that anybody sees", async () => {
    await upsert(scope, sourceId, "a.txt", "one");
    await quarantineRef(scope, sourceId, "a.txt", { stage: "connect", code: "X", reason: "Bad." });
    await quarantineRef(scope, sourceId, "locked/", { stage: "connect", code: "X", reason: "Bad." });
    const refs = async (onlyUnread: boolean) => {
      const found: string[] = [];
      for await (const ref of streamRefs(scope, sourceId, { onlyUnread })) found.push(ref);
      return found;
    };
    expect(await refs(false)).toEqual(["a.txt", "locked/"]);
    expect(await refs(true)).toEqual(["locked/"]);
    expect(await markDocumentDeleted(scope, sourceId, "locked/")).toBe(false);
    expect(await refs(false)).toEqual(["a.txt"]);
    expect((await listDocuments(scope, { status: "deleted" }, { limit: 10, offset: 0 })).total).toBe(0);
  });

  it("are listed in code-point order over pages of any size", async () => {
    const refs = ["Z", "a", "a/b", "a-b", "\u00e9", "\uff5e", "\u{1f600}"];
    for (const ref of refs) await upsert(scope, sourceId, ref, ref);
    const listed: string[] = [];
    for await (const ref of streamRefs(scope, sourceId, { pageSize: 2 })) listed.push(ref);
    const byCodePoint = (left: string, right: string) => Buffer.compare(Buffer.from(left), Buffer.from(right));
    expect(listed).toEqual(refs.toSorted(byCodePoint));
  });
});
