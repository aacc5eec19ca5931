import { join } from "node:path";
import type { Principal } from "@anneal/core/access/acl";
import type { Scope } from "@anneal/db/database";
import { listSources } from "@anneal/db/queries/sources";
import { markDocumentDeleted, upsertDocument } from "@anneal/db/queries/synced-documents";
import { listChunks } from "@anneal/db/queries/indexing";
import { restoreDocument } from "@anneal/db/queries/tombstones";
import { addSource, addWorkspace } from "@anneal/db/testing/source-fixture";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { createVectorIndex, type VectorIndex } from "@anneal/engines/vector-index";
import { locatePython } from "@anneal/local-stack/python-env";
import { startVectors } from "@anneal/local-stack/start-vectors";
import { openFolderStore } from "@anneal/objects/folder-store";
import { choosePort } from "@anneal/processes/choose-port";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { asActivity, createIndexed, sha256 } from "./indexed.fixture.ts";
import { createPurgeActivities } from "./purge-deleted.ts";

// What leaves the index, by the real stage, PostgreSQL and Qdrant's engine: the database says so, or it is found.

let test: TestDatabase;
let server: Awaited<ReturnType<typeof startVectors>>;
let vectors: VectorIndex;
let scope: Scope;
let sourceId: string;

beforeAll(async () => {
  test = await startTestDatabase();
  const port = await choosePort(undefined);
  const dir = join(test.dir, "vectors");
  const python = locatePython(process.env);
  server = await startVectors({ env: process.env, python, dir, logFile: `${dir}.log`, port, apiKey: "key" });
  vectors = createVectorIndex({ url: server.url, apiKey: "key" });
});

afterAll(async () => {
  await server?.stop();
  await test?.stop();
});

beforeEach(async () => {
  scope = await addWorkspace(test.db);
  sourceId = await addSource(scope);
});

const pumps: Principal = { source: "sharepoint", tenant: "t", kind: "group", id: "pumps" };
const open = (index = vectors) =>
  createIndexed({ scope, objects: openFolderStore(join(test.dir, scope.workspaceId)), vectors: index });

async function fetchDocument(ref: string, source = sourceId, version = "first"): Promise<string> {
  const hash = sha256(`${source} ${ref} ${version}`);
  const facts = { title: null, mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: version };
  const item = { ref, uri: ref, acl: { allow: [pumps], deny: [] }, ...facts };
  const content = { contentHash: hash, contentKey: hash, sizeBytes: 1 };
  return (await upsertDocument(scope, source, item, content)).documentId;
}

/** Fetched and cleaned. */
async function add(ref: string, source = sourceId): Promise<string> {
  const documentId = await fetchDocument(ref, source);
  await open().clean(documentId, `${ref} is changed every three weeks.`);
  return documentId;
}

/** How many documents of the source nobody finds, as its page and the command line say it. */
async function countUnfound(source = sourceId): Promise<number | undefined> {
  return (await listSources(scope)).find(({ id }) => id === source)?.unindexedCount;
}

describe("a document that its source deleted, and a person restores", () => {
  it("is not findable where a run took its passages out meanwhile, which is told, until the next one", async () => {
    const id = await add("pump");
    const indexed = open();
    await indexed.index();
    await markDocumentDeleted(scope, sourceId, "pump");
    await indexed.index();
    expect(await restoreDocument(scope, id, "ada")).toBe(true);
    expect([await indexed.find([pumps]), await countUnfound()]).toEqual([[], 1]);
    await indexed.index();
    expect([await indexed.find([pumps]), await countUnfound()]).toEqual([[id], 0]);
  });

  it("stays findable where that was while a run embedded others", async () => {
    const id = await add("pump");
    const indexed = open();
    await indexed.index();
    await markDocumentDeleted(scope, sourceId, "pump");
    const other = await add("filter");
    await indexed.index({ beforeEmbedding: async () => void (await restoreDocument(scope, id, "ada")) });
    expect([await indexed.find([pumps]), await countUnfound()]).toEqual([[id, other].toSorted(), 0]);
  });

  it("is not findable, which is told, where that was while a run took its passages out", async () => {
    const id = await add("pump");
    await open().index();
    await markDocumentDeleted(scope, sourceId, "pump");
    let restored: Promise<boolean> | undefined;
    const indexed = open({
      ...vectors,
      async removeDocuments(collectionId, documentIds) {
        restored ??= restoreDocument(scope, id, "ada");
        await vectors.removeDocuments(collectionId, documentIds);
      },
    });
    await indexed.index();
    expect(await restored).toBe(true);
    expect([await indexed.find([pumps]), await countUnfound()]).toEqual([[], 1]);
  });
});

/** As a vector store that was restored from an older backup. */
async function damage(collectionId: string, documentId: string): Promise<void> {
  const [lost] = await listChunks(scope, collectionId, documentId);
  await vectors.remove(collectionId, [lost!.id]);
}

it("what a damaged index lost of sources that the run is not about is not findable, which is told", async () => {
  const other = await addSource(scope);
  const [pump, valve] = [await add("pump"), await add("valve", other)];
  const indexed = open();
  await indexed.index();
  await damage(indexed.collectionId(), valve);
  await indexed.index({ sourceIds: [sourceId] });
  expect([await indexed.find([pumps]), await countUnfound(), await countUnfound(other)]).toEqual([[pump], 0, 1]);
});

it("what a damaged index still has of other sources, with no row of it, goes when its documents go for good", async () => {
  const other = await addSource(scope);
  const [pump, valve] = [await add("pump"), await add("valve", other)];
  const indexed = open();
  await indexed.index();
  const collectionId = indexed.collectionId();
  await damage(collectionId, valve);
  await indexed.index({ sourceIds: [other] });
  expect([await listChunks(scope, collectionId, pump), await vectors.count(collectionId)]).toEqual([[], 2]);
  await markDocumentDeleted(scope, sourceId, "pump");
  const objects = openFolderStore(join(test.dir, scope.workspaceId));
  const now = () => Date.now() + 1_000;
  const { purgeDeletedDocuments } = createPurgeActivities({ db: test.db, objects, vectors, tombstoneDays: 0, now });
  await asActivity(() => purgeDeletedDocuments());
  expect([await vectors.count(collectionId), await indexed.find([pumps])]).toEqual([1, [valve]]);
});

it("what a sync changed is found by its text of before while runs are about other sources", async () => {
  const [pump, other] = [await add("pump"), await addSource(scope)];
  const indexed = open();
  await indexed.index();
  expect(await fetchDocument("pump", sourceId, "second")).toBe(pump);
  const valve = await add("valve", other);
  await indexed.index({ sourceIds: [other] });
  expect(await indexed.find([pumps])).toEqual([pump, valve].toSorted());
  await indexed.clean(pump, "The pump is changed every four weeks.");
  await indexed.index();
  expect([await indexed.find([pumps]), indexed.embedded.at(-1)]).toEqual([
    [pump, valve].toSorted(),
    expect.stringContaining("four weeks"),
  ]);
});

it("what its source deleted is not found again under the name of another file that comes before any run", async () => {
  const [pump, other] = [await add("pump"), await addSource(scope)];
  const indexed = open();
  await indexed.index();
  await markDocumentDeleted(scope, sourceId, "pump");
  expect(await fetchDocument("pump", sourceId, "second")).toBe(pump);
  expect(await indexed.find([pumps])).toEqual([]);
  const valve = await add("valve", other);
  await indexed.index({ sourceIds: [other] });
  expect(await indexed.find([pumps])).toEqual([valve]);
  await indexed.clean(pump, "The pump is changed every four weeks.");
  await indexed.index();
  expect(await indexed.find([pumps])).toEqual([pump, valve].toSorted());
});
