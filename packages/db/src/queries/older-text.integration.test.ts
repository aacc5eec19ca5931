import { randomUUID } from "node:crypto";
import { nobody, type Acl, type Principal } from "@anneal/core/access/acl";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addSource, addWorkspace } from "../../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import type { Scope } from "../database.ts";
import { markDocumentDeleted, narrowDocumentAcl, saveDocumentAcl, upsertDocument } from "./synced-documents.ts";
import { listDatasetPairs, saveDatasetVersion } from "./dataset.ts";
import { getDocument, saveCleaned } from "./documents.ts";
import { createFingerprintReader } from "./fingerprint-reader.ts";
import { getChunksForCitation, saveCollection, saveIndexed } from "./indexing.ts";
import { writeChunks } from "./reader-changes.ts";
import { restoreDocument } from "./tombstones.ts";
import { isRefusedValue } from "./upsert-documents.ts";

// A draft that was for few is finished, and shared with many: they may read what it says now.

let test: TestDatabase;
let scope: Scope;
let sourceId: string;
let collectionId: string;

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());
beforeEach(async () => {
  scope = await addWorkspace(test.db);
  sourceId = await addSource(scope);
  collectionId = (await saveCollection(scope, { embeddingModel: "m", dimensions: 2, settings: {} })).id;
});

const group = (id: string): Principal => ({ source: "smb", tenant: "files", kind: "group", id });
const [board, staff, guests] = [group("board"), group("staff"), group("guests")];
const readBy = (...allow: Principal[]): Acl => ({ allow, deny: [] });
const fingerprintOf = (text: string, acl: Acl | null) => `${text}|${JSON.stringify(acl)}`;

async function fetch(text: string, acl: Acl | null): Promise<string> {
  const facts = { uri: "plan", title: null, mediaType: null, sizeBytes: 1, modifiedAt: null };
  const item = { ref: "plan", acl, fingerprint: fingerprintOf(text, acl), ...facts };
  const content = { contentHash: text, contentKey: text, sizeBytes: 1 };
  return (await upsertDocument(scope, sourceId, item, content)).documentId;
}

async function clean(documentId: string): Promise<void> {
  const { contentHash } = await getDocument(scope, documentId);
  const facts = { title: "Plan", mediaType: "text/plain", language: "en", textChars: 1, piiCounts: {}, warnings: [] };
  const outcome = { cleanKey: `clean/${contentHash}`, cleanDigest: contentHash, quality: {} as never, ...facts };
  await saveCleaned(scope, { id: documentId, contentHash }, outcome);
}

/** In one passage, as the index stage leaves it. */
async function index(documentId: string): Promise<void> {
  const { contentHash } = await getDocument(scope, documentId);
  const place = { section: [], pageStart: null, pageEnd: null, container: null, charStart: 0, charEnd: 1 };
  const digests = { contentHash, placeFingerprint: "p", aclFingerprint: "a" };
  const row = { id: documentId, collectionId, documentId, ordinal: 0, text: contentHash, ...place, ...digests };
  await writeChunks(scope, documentId, async () => ({ rows: [row], deletes: [], aclFingerprints: [] }));
  await saveIndexed(scope, documentId, contentHash);
}

async function add(text: string, acl: Acl | null): Promise<string> {
  const documentId = await fetch(text, acl);
  await clean(documentId);
  await index(documentId);
  return documentId;
}

/** What a reader of now is shown of it: its text, and what is cited. */
async function shown(documentId: string): Promise<{ text: string | null; cited: number }> {
  const { cleanKey } = await getDocument(scope, documentId);
  return { text: cleanKey, cited: (await getChunksForCitation(scope, [documentId])).length };
}

/** A dataset with one question about it, which a later run would not ask any more. */
async function addDataset(documentId: string): Promise<string> {
  const counts = { trainCount: 1, evalCount: 0, pairCount: 1, droppedCount: 0 };
  const facts = { name: "d", trainKey: "t", evalKey: "e", acl: nobody, settings: {}, stats: {}, runId: null };
  const pair = { ordinal: 0, question: "Who has to go?", answer: "Ben.", quote: "Ben.", charStart: 0, charEnd: 4 };
  const kept = { split: "train" as const, origin: "extracted" as const, drop: null, documentId };
  const version = { id: randomUUID(), digest: randomUUID(), ...facts, ...counts };
  return (await saveDatasetVersion(scope, version, [{ ...pair, ...kept }])).version.id;
}
const none = { text: null, cited: 0 };
const draft = { text: "clean/draft", cited: 1 };

describe("what was made of an older content", () => {
  it("is shown to nobody once the new one is for others, until it is made anew", async () => {
    const id = await add("draft", readBy(board));
    await fetch("final", readBy(board, staff));
    expect(await shown(id)).toEqual(none);
    await clean(id);
    // The index still has the passages of the draft.
    expect(await shown(id)).toEqual({ text: "clean/final", cited: 0 });
    await saveDocumentAcl(scope, sourceId, { ref: "plan", acl: readBy(staff, guests), fingerprint: "3" });
    expect(await shown(id)).toEqual({ text: "clean/final", cited: 0 });
    await index(id);
    expect(await shown(id)).toEqual({ text: "clean/final", cited: 1 });
  });

  it("is asked about nowhere either", async () => {
    const id = await add("draft", readBy(board));
    const datasetId = await addDataset(id);
    const asked = async (...readers: Principal[]) =>
      (await listDatasetPairs(scope, datasetId, { readers }, { limit: 5, offset: 0 })).total;
    expect([await asked(board), await asked(staff)]).toEqual([1, 0]);
    await fetch("final", readBy(board, staff));
    expect([await asked(board), await asked(staff)]).toEqual([0, 0]);
  });

  it("is shown to nobody once somebody is admitted after the new one came", async () => {
    const id = await add("draft", readBy(board));
    await fetch("final", readBy(board));
    expect(await shown(id)).toEqual(draft);
    await saveDocumentAcl(scope, sourceId, { ref: "plan", acl: readBy(board, staff), fingerprint: "3" });
    expect(await shown(id)).toEqual(none);
  });

  it("is shown to nobody once a denial is lifted, or a default admits somebody", async () => {
    const denied = await add("draft", { allow: [board], deny: [guests] });
    await fetch("final", readBy(board));
    expect(await shown(denied)).toEqual(none);
    sourceId = await addSource(scope);
    const inherited = await add("draft", null);
    await fetch("final", null);
    expect(await shown(inherited)).toEqual(draft);
    await addSource(scope, { id: sourceId, defaultAcl: readBy(staff) });
    expect(await shown(inherited)).toEqual(none);
  });

  it("stays out of sight where another document comes under the ref of one that was deleted", async () => {
    const id = await add("draft", readBy(board));
    await markDocumentDeleted(scope, sourceId, "plan");
    await fetch("final", readBy(board));
    expect(await shown(id)).toEqual(none);
    // Of the draft there is nothing left, also where that comes back before a run.
    await fetch("draft", readBy(board));
    expect(await shown(id)).toEqual(none);
    await clean(id);
    await index(id);
    expect(await shown(id)).toEqual(draft);
  });

  it("is shown again where its own content comes back, or a person takes it back", async () => {
    const id = await add("draft", readBy(board));
    await markDocumentDeleted(scope, sourceId, "plan");
    await fetch("draft", readBy(board));
    expect(await shown(id)).toEqual(draft);
    await markDocumentDeleted(scope, sourceId, "plan");
    expect(await restoreDocument(scope, id, "ada")).toBe(true);
    expect(await shown(id)).toEqual(draft);
  });

  it("stays with the readers that it had, and with fewer", async () => {
    const id = await add("draft", readBy(board, staff));
    await fetch("final", readBy(staff));
    expect(await shown(id)).toEqual(draft);
    await saveDocumentAcl(scope, sourceId, { ref: "plan", acl: { allow: [staff], deny: [guests] }, fingerprint: "3" });
    expect(await shown(id)).toEqual(draft);
  });
});

it("a text of the content that is held is for whoever is admitted", async () => {
  const id = await add("draft", readBy(board));
  await saveDocumentAcl(scope, sourceId, { ref: "plan", acl: readBy(staff), fingerprint: "2" });
  expect(await shown(id)).toEqual(draft);
});

describe("readers that are told before it is known whether the content stays", () => {
  const told = (acl: Acl) => ({ ref: "plan", acl, fingerprint: fingerprintOf("draft", acl) });
  const heldOf = async (id: string) => {
    const { acl } = await getDocument(scope, id);
    return { acl, fingerprint: await createFingerprintReader(scope, sourceId).fingerprintOf("plan") };
  };

  it("lose what they lose at once, and get nothing", async () => {
    const before = readBy(board, guests);
    const id = await add("draft", before);
    expect(await narrowDocumentAcl(scope, sourceId, told({ allow: [board, staff], deny: [guests] }))).toBe(true);
    // Met again, it is told again.
    expect(await heldOf(id)).toEqual({
      acl: { allow: [board], deny: [guests] },
      fingerprint: fingerprintOf("draft", before),
    });
    await fetch("final", readBy(board, staff));
    expect(await shown(id)).toEqual(none);
  });

  it("are as told where nobody is let in", async () => {
    const id = await add("draft", readBy(board, staff));
    const { fingerprint, ...change } = told({ allow: [staff], deny: [guests] });
    expect(await narrowDocumentAcl(scope, sourceId, { fingerprint, ...change })).toBe(false);
    expect(await heldOf(id)).toEqual({ acl: change.acl, fingerprint });
  });

  it.each(["gue\0sts", "guests \ud83d"])("are nobody where the database cannot hold one of them: %j", async (name) => {
    const id = await add("draft", readBy(board));
    const refused = { allow: [board], deny: [group(name)] };
    expect(await narrowDocumentAcl(scope, sourceId, told(refused))).toBe(false);
    expect((await heldOf(id)).acl).toEqual(nobody);
    await expect(fetch("final", refused)).rejects.toSatisfy(isRefusedValue);
  });
});
