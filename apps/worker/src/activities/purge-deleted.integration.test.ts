import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { nobody } from "@anneal/core/access/acl";
import type { ChunkPayload } from "@anneal/core/indexing/payload";
import type { Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { saveSource } from "@anneal/db/queries/sources";
import { markDocumentDeleted, upsertDocument } from "@anneal/db/queries/synced-documents";
import { getDocument } from "@anneal/db/queries/documents";
import { saveCollection } from "@anneal/db/queries/indexing";
import { writeChunks } from "@anneal/db/queries/reader-changes";
import { restoreDocument } from "@anneal/db/queries/tombstones";
import { addSource, addWorkspace } from "@anneal/db/testing/source-fixture";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { createVectorIndex, type VectorIndex } from "@anneal/engines/vector-index";
import { locatePython } from "@anneal/local-stack/python-env";
import { startVectors } from "@anneal/local-stack/start-vectors";
import { openFolderStore } from "@anneal/objects/folder-store";
import type { ObjectStore } from "@anneal/objects/object-store";
import { choosePort } from "@anneal/processes/choose-port";
import { asyncLocalStorage, type Context } from "@temporalio/activity";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createPurgeActivities } from "./purge-deleted.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const dayMs = 24 * 60 * 60_000;

let test: TestDatabase;
let vectorsServer: Awaited<ReturnType<typeof startVectors>>;
let vectors: VectorIndex;
let objects: ObjectStore;

beforeAll(async () => {
  test = await startTestDatabase();
  objects = openFolderStore(join(test.dir, "objects"));
  vectorsServer = await startVectors({
    env: process.env,
    python: locatePython(process.env),
    dir: join(test.dir, "vectors"),
    logFile: join(test.dir, "vectors.log"),
    port: await choosePort(undefined),
    apiKey: "key",
  });
  vectors = createVectorIndex({ url: vectorsServer.url, apiKey: "key" });
});

afterAll(async () => {
  await vectorsServer?.stop();
  await test?.stop();
});

const asActivity = <T>(work: () => Promise<T>): Promise<T> =>
  asyncLocalStorage.run(
    { cancellationSignal: new AbortController().signal, heartbeat: () => undefined } as unknown as Context,
    work,
  );

/** A document as a run leaves it: its content, its cleaned text and one passage in the index. */
async function addDocument(scope: Scope, sourceId: string, collectionId: string, ref: string, text: string) {
  const hash = sha256(text);
  const content = { contentHash: hash, contentKey: `content/${hash.slice(0, 2)}/${hash}`, sizeBytes: text.length };
  const item = { ref, uri: ref, title: null, mediaType: null, sizeBytes: 1, modifiedAt: null, acl: null };
  const { documentId } = await upsertDocument(scope, sourceId, { ...item, fingerprint: hash }, content, async () => {
    await objects.put(content.contentKey, Buffer.from(text));
  });
  const cleanKey = `clean/${documentId}/${hash}.json`;
  await objects.put(cleanKey, Buffer.from(text));
  const id = randomUUID();
  const place = { section: [], pageStart: null, pageEnd: null, container: null, charStart: 0, charEnd: 1 };
  const hashes = { contentHash: hash, placeFingerprint: "p", aclFingerprint: "a" };
  await vectors.upsert(collectionId, [
    { id, dense: [1, 0], sparse: { indices: [1], values: [1] }, payload: { document_id: documentId } as ChunkPayload },
  ]);
  const row = { id, collectionId, documentId, ordinal: 0, text, ...place, ...hashes };
  await writeChunks(scope, documentId, async () => ({ rows: [row], deletes: [], aclFingerprints: [] }));
  return { documentId, contentKey: content.contentKey, cleanKey };
}

it("takes content, text, passages and rows of what was deleted 30 days ago, and nothing else", async () => {
  const { id: workspaceId } = await saveWorkspace(test.db, { slug: randomUUID(), name: "Test" });
  const scope: Scope = { db: test.db, workspaceId };
  const sourceId = randomUUID();
  const source = { name: "s", kind: "file", config: {}, sealedSecrets: null, defaultAcl: nobody, schedule: null };
  await saveSource(scope, { id: sourceId, ...source });
  const { id: collectionId } = await saveCollection(scope, { embeddingModel: "m", dimensions: 2, settings: {} });
  await vectors.ensureCollection(collectionId, 2);
  const add = (ref: string, text: string) => addDocument(scope, sourceId, collectionId, ref, text);
  const [gone, twin, restored, living] = [
    await add("gone.txt", "gone"),
    await add("twin.txt", "shared"),
    await add("restored.txt", "restored"),
    await add("living.txt", "shared"),
  ];
  for (const ref of ["gone.txt", "twin.txt", "restored.txt"]) await markDocumentDeleted(scope, sourceId, ref);
  await restoreDocument(scope, restored.documentId, "ada");

  const purgeAfter = (days: number) => {
    const now = () => Date.now() + days * dayMs;
    const { purgeDeletedDocuments } = createPurgeActivities({ db: test.db, objects, vectors, tombstoneDays: 30, now });
    return asActivity(() => purgeDeletedDocuments());
  };
  expect(await purgeAfter(29)).toEqual({ purged: 0 });
  expect(await vectors.count(collectionId)).toBe(4);
  expect(await purgeAfter(31)).toEqual({ purged: 2 });
  expect(await purgeAfter(31)).toEqual({ purged: 0 });

  for (const { documentId } of [gone, twin])
    await expect(getDocument(scope, documentId)).rejects.toMatchObject({ code: "NOT_FOUND" });
  const stored = async (key: string) => objects.exists(key);
  expect(await Promise.all([gone.contentKey, gone.cleanKey, twin.cleanKey].map(stored))).toEqual([false, false, false]);
  // The twin's bytes are the living document's as well.
  const kept = [living.contentKey, living.cleanKey, restored.contentKey, restored.cleanKey];
  expect(await Promise.all(kept.map(stored))).toEqual([true, true, true, true]);
  expect(await vectors.count(collectionId)).toBe(2);
});

it("takes what was deleted where the vector index has lost its collection", async () => {
  const scope = await addWorkspace(test.db);
  const sourceId = await addSource(scope);
  await saveCollection(scope, { embeddingModel: "m", dimensions: 2, settings: {} });
  const facts = { uri: "a", title: null, mediaType: null, sizeBytes: 1, modifiedAt: null, acl: null, fingerprint: "a" };
  const hash = sha256("a");
  await upsertDocument(scope, sourceId, { ref: "a", ...facts }, { contentHash: hash, contentKey: hash, sizeBytes: 1 });
  await markDocumentDeleted(scope, sourceId, "a");
  const now = () => Date.now() + 31 * dayMs;
  const { purgeDeletedDocuments } = createPurgeActivities({ db: test.db, objects, vectors, tombstoneDays: 30, now });
  expect(await asActivity(() => purgeDeletedDocuments())).toEqual({ purged: 1 });
});
