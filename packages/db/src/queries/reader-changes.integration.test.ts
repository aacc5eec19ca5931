import { randomUUID } from "node:crypto";
import { nobody, workspaceMembers, type Acl } from "@anneal/core/access/acl";
import { readersFingerprint, readersPayload } from "@anneal/core/indexing/payload";
import type { ReaderChange, ReaderPush } from "@anneal/core/indexing/plan-reader-pushes";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { addSource, addWorkspace } from "../../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import type { Scope } from "../database.ts";
import { markDocumentDeleted, saveDocumentAcl, upsertDocument } from "./synced-documents.ts";
import { saveCollection } from "./indexing.ts";
import { hasReaderChanges, takeReaderChanges, writeChunks } from "./reader-changes.ts";

let test: TestDatabase;
let scope: Scope;
let sourceId: string;
let collectionId: string;

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());
beforeEach(async () => {
  ({ scope, sourceId, collectionId } = await createWorkspace());
});

async function createWorkspace() {
  const of = await addWorkspace(test.db);
  const collection = await saveCollection(of, { embeddingModel: "m", dimensions: 2, settings: {} });
  return { scope: of, sourceId: await addSource(of), collectionId: collection.id };
}

const members = (): Acl => ({ allow: [workspaceMembers(scope.workspaceId)], deny: [] });
const share = (ref: string, acl: Acl) => saveDocumentAcl(scope, sourceId, { ref, acl, fingerprint: "2" });
const fetch = (ref: string, acl: Acl | null) => {
  const facts = { title: null, mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: ref };
  const content = { contentHash: ref, contentKey: ref, sizeBytes: 1 };
  return upsertDocument(scope, sourceId, { ref, uri: ref, acl, ...facts }, content);
};

function rowOf(documentId: string, aclFingerprint: string) {
  const place = { section: [], pageStart: null, pageEnd: null, container: null, charStart: 0, charEnd: 1 };
  const digests = { contentHash: "h", placeFingerprint: "p", aclFingerprint };
  return { id: randomUUID(), collectionId, documentId, ordinal: 0, text: "text", ...place, ...digests };
}

/** Indexed in one passage. */
async function add(ref: string, acl: Acl): Promise<string> {
  const { documentId } = await fetch(ref, acl);
  const row = rowOf(documentId, readersFingerprint({ acl, hiddenIn: [] }));
  await writeChunks(scope, documentId, async () => ({ rows: [row], deletes: [], aclFingerprints: [] }));
  return documentId;
}

async function take(of = scope, push: (changes: ReaderChange[]) => ReaderPush[] = () => []) {
  const seen: ReaderChange[] = [];
  const { more } = await takeReaderChanges(of, 10, async (changes) => {
    seen.push(...changes);
    return push(changes);
  });
  expect(more).toBe(false);
  return seen;
}

it("hands over whose readers changed, with what the index was told, and nothing that stayed as it was", async () => {
  const documentId = await add("a", nobody);
  await add("b", nobody);
  await fetch("b", nobody);
  await share("b", nobody);
  expect(await hasReaderChanges(scope)).toBe(false);
  await share("a", members());
  const held = [{ collectionId, fingerprints: [readersFingerprint({ acl: nobody, hiddenIn: [] })] }];
  const push: ReaderPush = {
    collectionId,
    documentIds: [documentId],
    payload: readersPayload({ acl: members(), hiddenIn: [] }),
    fingerprint: readersFingerprint({ acl: members(), hiddenIn: [] }),
  };
  expect(await take(scope, () => [push])).toMatchObject([{ documentId, acl: members(), hiddenIn: [], held }]);
  await share("a", nobody);
  expect(await take()).toMatchObject([{ held: [{ fingerprints: [push.fingerprint] }] }]);
});

it("hears of readers that come with a content, of a deletion, and of what a new audience of the source changes", async () => {
  const documentId = await add("a", nobody);
  await fetch("a", members());
  expect(await take()).toMatchObject([{ documentId, acl: members() }]);
  await markDocumentDeleted(scope, sourceId, "a");
  expect(await hasReaderChanges(scope)).toBe(true);
  // What nobody finds is told to no index; what was hidden behind it would be.
  expect(await take()).toEqual([]);
  await fetch("a", null);
  expect(await take()).toMatchObject([{ documentId, acl: nobody }]);
  await addSource(scope, { id: sourceId, defaultAcl: members() });
  expect(await take()).toMatchObject([{ documentId, acl: members() }]);
  expect(await hasReaderChanges(scope)).toBe(false);
});

it("keeps all of it when the push fails, and what changes during one that succeeds", async () => {
  await add("a", nobody);
  await share("a", members());
  await expect(
    takeReaderChanges(scope, 10, async () => {
      throw new Error("No index.");
    }),
  ).rejects.toThrow("No index.");
  expect(await hasReaderChanges(scope)).toBe(true);
  await takeReaderChanges(scope, 10, async () => {
    // Whoever changes an ACL does not wait for the index.
    await share("a", nobody);
    return [];
  });
  expect(await take()).toMatchObject([{ acl: nobody }]);
  expect(await take()).toEqual([]);
});

it("hands over nothing of another workspace", async () => {
  await add("a", nobody);
  await share("a", members());
  const other = await createWorkspace();
  expect(await hasReaderChanges(other.scope)).toBe(false);
  expect(await take(other.scope)).toEqual([]);
  expect(await hasReaderChanges(scope)).toBe(true);
});

it("lets chunks be written with the readers of that moment, and pushes after that", async () => {
  const { documentId } = await fetch("a", nobody);
  await share("a", members());
  const row = (acl: Acl) => rowOf(documentId, readersFingerprint({ acl, hiddenIn: [] }));
  let pushed: Promise<ReaderChange[]> | undefined;
  await writeChunks(scope, documentId, async ({ acl }) => {
    expect(acl).toEqual(members());
    await share("a", nobody);
    // Waits until these are there: else it would take the change as told.
    pushed = take();
    return { rows: [row(acl)], deletes: [], aclFingerprints: [] };
  });
  const told = readersFingerprint({ acl: members(), hiddenIn: [] });
  expect(await pushed).toMatchObject([{ documentId, acl: nobody, held: [{ fingerprints: [told] }] }]);
});
