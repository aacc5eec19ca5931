import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type Acl, nobody, type Principal } from "@anneal/core/access/acl";
import type { Scope } from "@anneal/db/database";
import { deleteSource } from "@anneal/db/queries/sources";
import {
  markDocumentDeleted,
  moveDocument,
  saveDocumentAcl,
  upsertDocument,
} from "@anneal/db/queries/synced-documents";
import { saveComparisons } from "@anneal/db/queries/documents";
import { hasReaderChanges } from "@anneal/db/queries/reader-changes";
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
import { createPushActivities } from "./push-readers.ts";

// The real index stage, PostgreSQL and Qdrant's engine: who finds what after permissions changed, without a run.

let test: TestDatabase;
let port: number;
let server: Awaited<ReturnType<typeof startVectors>>;
let vectors: VectorIndex;
let scope: Scope;
let sourceId: string;
let indexed: ReturnType<typeof createIndexed>;

const start = () =>
  startVectors({
    env: process.env,
    python: locatePython(process.env),
    dir: join(test.dir, "vectors"),
    logFile: join(test.dir, "vectors.log"),
    port,
    apiKey: "key",
  });

beforeAll(async () => {
  test = await startTestDatabase();
  port = await choosePort(undefined);
  server = await start();
  vectors = createVectorIndex({ url: server.url, apiKey: "key" });
});

afterAll(async () => {
  await server?.stop();
  await test?.stop();
});

beforeEach(async () => {
  scope = await addWorkspace(test.db);
  sourceId = await addSource(scope);
  indexed = createIndexed({ scope, objects: openFolderStore(join(test.dir, scope.workspaceId)), vectors });
});

const group = (id: string): Principal => ({ source: "sharepoint", tenant: "t", kind: "group", id });
const [pumps, filters] = [group("pumps"), group("filters")];
const readBy = (...allow: Principal[]): Acl => ({ allow, deny: [] });
const itemOf = (ref: string, acl: Acl | null) => {
  const facts = { title: null, mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: ref };
  return { ref, uri: ref, acl, ...facts };
};

/** Fetched and cleaned, with two passages. */
async function add(ref: string, acl: Acl | null, source = sourceId): Promise<string> {
  const hash = sha256(`${source} ${ref}`);
  const content = { contentHash: hash, contentKey: hash, sizeBytes: 1 };
  const { documentId } = await upsertDocument(scope, source, itemOf(ref, acl), content);
  await indexed.clean(documentId, `${ref} is changed every three weeks.`, `${ref} is cleaned every four weeks.`);
  return documentId;
}

const share = (ref: string, acl: Acl) => saveDocumentAcl(scope, sourceId, { ref, acl, fingerprint: randomUUID() });

/** @param index what the push is given in the place of the real one */
const push = (index = vectors) =>
  asActivity(() =>
    createPushActivities({ db: test.db, vectors: index, batchSize: 20 }).pushReaders({
      workspaceId: scope.workspaceId,
    }),
  );

/** Counts the requests that change an index, and lets each happen before `after` is asked. */
function watched(after: () => void = () => undefined) {
  const requests: string[][] = [];
  const index: VectorIndex = {
    ...vectors,
    upsert: () => expect.fail("vectors were written"),
    async setDocumentsPayload(collection, documentIds, payload) {
      await vectors.setDocumentsPayload(collection, documentIds, payload);
      requests.push(documentIds);
      after();
    },
  };
  return { requests, index };
}

describe("a document that is indexed", () => {
  it("is found by whom it is shared with, and by nobody from whom it was taken, with nothing embedded again", async () => {
    const [pump, valve] = [await add("pump", readBy(pumps)), await add("valve", readBy(pumps))];
    await indexed.index();
    const { length } = indexed.embedded;
    expect(length).toBe(4);
    expect([await indexed.find([pumps]), await indexed.find([filters])]).toEqual([[pump, valve].sort(), []]);

    await share("pump", readBy(pumps, filters));
    expect(await indexed.find([filters])).toEqual([]);
    const { requests, index } = watched();
    expect(await push(index)).toEqual({ documents: 1 });
    expect(await indexed.find([filters])).toEqual([pump]);

    await share("pump", readBy(filters));
    // The database refuses it before the index knows.
    expect([await indexed.hits([pumps]), await indexed.find([pumps])]).toEqual([[pump, valve].sort(), [valve]]);
    await push(index);
    expect([await indexed.hits([pumps]), await indexed.find([filters])]).toEqual([[valve], [pump]]);

    // Nothing is left for the index stage, which records the same.
    expect(requests).toEqual([[pump], [pump]]);
    await indexed.index();
    expect(indexed.embedded).toHaveLength(length);
    expect(await push(index)).toEqual({ documents: 0 });
    expect(requests).toHaveLength(2);
  });

  it("with another content for others is found by nobody until its passages are of that, and then by all of them", async () => {
    const pump = await add("pump", readBy(pumps));
    await indexed.index();
    const content = { contentHash: "final", contentKey: "final", sizeBytes: 1 };
    await upsertDocument(scope, sourceId, { ...itemOf("pump", readBy(pumps, filters)), fingerprint: "2" }, content);
    await push();
    expect([await indexed.find([pumps]), await indexed.find([filters])]).toEqual([[], []]);
    await indexed.clean(pump, "The pump is changed every three weeks.", "What else was decided.");
    expect(await indexed.find([filters])).toEqual([]);
    // Another grant while the stage writes admits to what it writes.
    await indexed.index({ beforeEmbedding: () => share("pump", readBy(pumps, filters, group("valves"))) });
    await push();
    for (const held of [pumps, filters, group("valves")]) expect(await indexed.find([held])).toEqual([pump]);
  });

  it("is refused to whom it denies, whatever else admits them", async () => {
    const pump = await add("pump", nobody);
    await indexed.index();
    await share("pump", { allow: [pumps], deny: [filters] });
    await push();
    expect(await indexed.hits([pumps])).toEqual([pump]);
    expect(await indexed.hits([pumps, filters])).toEqual([]);
  });

  it("follows an intersection of groups by the name that the intersection has", async () => {
    const pump = await add("pump", nobody);
    await indexed.index();
    const both = group("intersection:5f0c");
    await share("pump", readBy(both));
    await push();
    expect([await indexed.find([both]), await indexed.find([pumps, filters])]).toEqual([[pump], []]);
  });

  it("is found after a move into a wider folder, and with the new audience of its source", async () => {
    const audience = await addSource(scope);
    const [pump, valve] = [await add("pump", readBy(pumps)), await add("valve", null, audience)];
    await indexed.index();
    await moveDocument(scope, sourceId, "pump", itemOf("wide/pump", readBy(pumps, filters)));
    await addSource(scope, { id: audience, defaultAcl: readBy(filters) });
    expect(await push()).toEqual({ documents: 2 });
    expect(await indexed.find([filters])).toEqual([pump, valve].sort());
  });

  it("is written with its readers of that moment by an index stage that began before they changed", async () => {
    const pump = await add("pump", readBy(pumps));
    await indexed.index({ beforeEmbedding: () => share("pump", readBy(filters)) });
    expect([await indexed.hits([filters]), await indexed.hits([pumps])]).toEqual([[pump], []]);
    expect(await hasReaderChanges(scope)).toBe(false);
  });
});

describe("what an index is to be told", () => {
  it("is told again after a death between the index and the database, and to the end", async () => {
    const count = 63;
    const ids: string[] = [];
    for (let at = 0; at < count; at += 1) ids.push(await add(`d${at}`, nobody));
    await indexed.index();
    // Two audiences, so two requests in each transaction.
    for (let at = 0; at < count; at += 1) await share(`d${at}`, at % 2 === 0 ? readBy(pumps) : readBy(filters));
    const { length } = indexed.embedded;
    let left = 4;
    const dying = watched(() => {
      left -= 1;
      if (left === 0) throw new Error("It was killed.");
    });
    await expect(push(dying.index)).rejects.toThrow("It was killed.");
    const told = dying.requests.flat().length;
    expect(told).toBe(40);
    expect(await hasReaderChanges(scope)).toBe(true);

    const next = watched();
    const { documents } = await push(next.index);
    // What was committed is not repeated; what was told and not committed is.
    expect(documents).toBe(count - 20);
    expect(next.requests.length).toBe(6);
    expect(await hasReaderChanges(scope)).toBe(false);
    expect(await push(next.index)).toEqual({ documents: 0 });
    const shown = new Set([...dying.requests.flat(), ...next.requests.flat()]);
    expect(shown).toEqual(new Set(ids));
    expect(indexed.embedded).toHaveLength(length);
  });

  it("waits for an index that is down", async () => {
    const pump = await add("pump", nobody);
    await indexed.index();
    await share("pump", readBy(pumps));
    await server.stop();
    try {
      await expect(push()).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE", retryable: true });
      expect(await hasReaderChanges(scope)).toBe(true);
    } finally {
      server = await start();
    }
    expect(await push()).toEqual({ documents: 1 });
    expect(await indexed.find([pumps])).toEqual([pump]);
  });

  it("is the newest word, when it changes while an older one is on its way", async () => {
    const pump = await add("pump", nobody);
    await indexed.index();
    await share("pump", readBy(pumps));
    let changed: Promise<void> | undefined;
    const { index } = watched(() => {
      changed ??= share("pump", readBy(filters));
    });
    // Two at once, as of two sources that end together.
    await Promise.all([push(index), push(index)]);
    await changed;
    await push(index);
    expect([await indexed.hits([filters]), await indexed.hits([pumps])]).toEqual([[pump], []]);
  });

  it("is nothing in a workspace without an index", async () => {
    await add("pump", nobody);
    await share("pump", readBy(pumps));
    await markDocumentDeleted(scope, sourceId, "pump");
    expect(await hasReaderChanges(scope)).toBe(false);
    const { requests, index } = watched();
    expect(await push(index)).toEqual({ documents: 0 });
    expect(requests).toEqual([]);
  });

  it("is nothing of a source that was removed: its documents leave with the next run", async () => {
    await add("pump", readBy(pumps));
    await indexed.index();
    await deleteSource(scope, sourceId);
    expect(await indexed.find([pumps])).toEqual([]);
    expect(await push()).toEqual({ documents: 0 });
    expect(await hasReaderChanges(scope)).toBe(false);
  });
});

describe("a copy that is hidden behind a document with the same readers", () => {
  let original: string;
  let copy: string;
  beforeEach(async () => {
    original = await add("original", readBy(pumps));
    copy = await add("copy", readBy(pumps));
    const duplicate = { code: "EXACT_DUPLICATE", similarity: 1, hiddenIn: [sourceId] };
    await saveComparisons(scope, [{ documentId: copy, duplicateOf: original, duplicate }]);
    await indexed.index();
  });

  it("is found by somebody whom only the copy admits", async () => {
    expect([await indexed.hits([pumps]), await indexed.hits([filters])]).toEqual([[original], []]);
    await share("copy", readBy(filters));
    await push();
    expect([await indexed.find([pumps]), await indexed.find([filters])]).toEqual([[original], [copy]]);
  });

  it("is found itself when the original has lost its readers, and is hidden again when it has them back", async () => {
    await share("original", readBy(filters));
    await push();
    expect([await indexed.find([pumps]), await indexed.find([filters])]).toEqual([[copy], [original]]);
    expect(await indexed.find([pumps], [sourceId])).toEqual([copy]);
    await share("original", readBy(pumps));
    await push();
    expect(await indexed.find([pumps])).toEqual([original]);
  });

  it("is found itself while the original is deleted", async () => {
    await markDocumentDeleted(scope, sourceId, "original");
    expect(await indexed.find([pumps])).toEqual([]);
    await push();
    expect(await indexed.find([pumps])).toEqual([copy]);
    await restoreDocument(scope, original, "ada");
    await push();
    expect(await indexed.find([pumps])).toEqual([original]);
  });

  it("stays hidden when both change alike", async () => {
    await share("original", readBy(filters, pumps));
    await share("copy", readBy(pumps, filters));
    await push();
    expect(await indexed.find([filters])).toEqual([original]);
  });
});
