import { randomUUID } from "node:crypto";
import { mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { SourceItem } from "@anneal/core/connect/change";
import { defaultDeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { defaultLimits } from "@anneal/connectors/connector";
import { contentOf } from "@anneal/connectors/content";
import type { Scope } from "@anneal/db/database";
import { deleteSource, getSource } from "@anneal/db/queries/sources";
import { listDocuments } from "@anneal/db/queries/documents";
import { createFingerprintReader } from "@anneal/db/queries/fingerprint-reader";
import { addSource, addWorkspace } from "@anneal/db/testing/source-fixture";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { openFolderStore } from "@anneal/objects/folder-store";
import type { FetchedContent } from "@anneal/db/queries/upsert-documents";
import type { ObjectStore } from "@anneal/objects/object-store";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ReadingSync } from "./applied-sync.ts";
import { fetchContent } from "./fetch-content.ts";
import { createKnownItems } from "./known-items.ts";
import { quarantine } from "./quarantine.ts";
import { createRefusedContents } from "./refused-contents.ts";
import { createUpsertWriter, type UpsertWriter } from "./write-upserts.ts";

let test: TestDatabase;
let objects: ObjectStore;
let scope: Scope;
let reading: ReadingSync;
let cancel: AbortController;
let writer: UpsertWriter;

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());
beforeEach(async () => {
  scope = await addWorkspace(test.db);
  objects = openFolderStore(join(test.dir, randomUUID()));
  const id = await addSource(scope);
  cancel = new AbortController();
  const counts = { scanned: 0, read: 0, added: 0, changed: 0, removed: 0, dropped: 0, bytes: 0 };
  const sync = { id: randomUUID(), counts, failures: [] };
  reading = {
    scope,
    objects,
    source: await getSource(scope, id),
    secrets: {},
    sync,
    context: {
      signal: cancel.signal,
      tempDir: await mkdtemp(join(test.dir, "temp-")),
      limits: defaultLimits,
      deletions: { ...defaultDeletionPolicy, confirmed: false },
      chromiumPath: null,
      ownFolders: [],
      python: null,
    },
    documentTimeoutMs: 60_000,
    idleWaits: 0,
    sleptMs: () => 0,
    progress: { report: async () => undefined },
    fingerprints: createFingerprintReader(scope, id),
    refused: createRefusedContents(sync, 0),
  };
  writer = createUpsertWriter(reading);
});

const itemOf = (ref: string, change: Partial<SourceItem> = {}): SourceItem => ({
  ref,
  uri: `file:///${ref}`,
  title: null,
  mediaType: null,
  sizeBytes: null,
  modifiedAt: null,
  acl: null,
  fingerprint: `first of ${ref}`,
  ...change,
});

const bytesOf = (text: string) => contentOf(Buffer.from(text));

/** Fetched, as the sync does it; it is stored at once, and its row written with the next batch. */
async function add(ref: string, text: string, change: Partial<SourceItem> = {}) {
  const content = await fetchContent(objects, bytesOf(text), reading.context, 60_000);
  await writer.add({ item: itemOf(ref, change), content });
  return content.facts;
}
const isStored = ({ contentKey }: FetchedContent) => expect.poll(() => objects.exists(contentKey)).toBe(true);
const states = async () => {
  const { rows } = await listDocuments(scope, {}, { limit: 100, offset: 0 });
  return rows.map(({ ref, status, title }) => `${ref} ${status} ${title}`).toSorted();
};

it("counts what is durable, and no sooner", async () => {
  const { sizeBytes } = await add("a", "one");
  expect(reading.sync.counts).toMatchObject({ read: 0, added: 0, bytes: 0 });
  await writer.settle();
  await add("a", "two");
  await add("b", "two");
  await writer.settle();
  await add("b", "two", { title: "Touched" });
  await writer.settle();
  expect(sizeBytes).toBe(3);
  expect(reading.sync.counts).toMatchObject({ read: 4, added: 2, changed: 1, bytes: 12 });
  expect(await states()).toEqual(["a fetched a", "b fetched Touched"]);
  expect(writer.unwritten.size).toBe(0);
});

it("leaves out the one document that cannot be stored, wherever it stands, and no other with it", async () => {
  await add("a", "one");
  await add("bad", "two", { title: "nu\0ll" });
  await add("b", "three");
  await add("un\0named", "four");
  await add("c", "five");
  await writer.settle();
  expect(await states()).toEqual(["a fetched a", "b fetched b", "bad quarantined bad", "c fetched c"]);
  expect(reading.sync.counts).toMatchObject({ read: 3, added: 3, dropped: 2 });
  // What has no row, because its name cannot be stored, is told of all the same.
  const failures = new Map(reading.sync.failures.map(({ ref, code }) => [ref, code]));
  expect(failures).toEqual(
    new Map([
      ["bad", "INVALID_INPUT"],
      ["un\ufffdnamed", "INVALID_INPUT"],
    ]),
  );

  await add("bad", "two", { title: "Mended" });
  await writer.settle();
  expect(await states()).toContain("bad fetched Mended");
});

it("keeps the order of what is said of one document", async () => {
  for (const [index, text] of ["one", "two", "one"].entries()) await add("a", text, { title: `${index}` });
  await writer.settle();
  expect(await states()).toEqual(["a fetched 2"]);
  expect(reading.sync.counts).toMatchObject({ read: 3, added: 1, changed: 2 });
});

it("writes nothing once the sync is cancelled or its lock is lost, and what was stored is not stored again", async () => {
  const facts = await add("a", "one");
  await isStored(facts);
  cancel.abort(new Error("the lock was lost"));
  await expect(writer.settle()).rejects.toThrow("the lock was lost");
  expect(await states()).toEqual([]);
  expect(reading.sync.counts).toMatchObject({ read: 0, added: 0 });

  const again: ReadingSync = {
    ...reading,
    context: { ...reading.context, signal: new AbortController().signal },
    objects: { ...objects, put: () => expect.fail("it is stored already") },
  };
  const content = await fetchContent(again.objects, bytesOf("one"), again.context, 60_000);
  const second = createUpsertWriter(again);
  await second.add({ item: itemOf("a"), content });
  await second.settle();
  expect(await states()).toEqual(["a fetched a"]);
});

it("stores content again that a purge took between its storing and its row", async () => {
  const small = await add("small", "one");
  const large = await add("large", "x".repeat(200_000));
  expect(await readdir(reading.context.tempDir)).toHaveLength(1);
  for (const facts of [small, large]) {
    await isStored(facts);
    await objects.remove(facts.contentKey);
  }
  await writer.settle();
  expect(Buffer.from(await objects.get(small.contentKey)).toString()).toBe("one");
  expect((await objects.get(large.contentKey)).byteLength).toBe(200_000);
  expect(await readdir(reading.context.tempDir)).toEqual([]);
});

it("ends with the source that is removed meanwhile, and nothing comes alive under it", async () => {
  await add("a", "one");
  await deleteSource(scope, reading.source.id);
  await expect(writer.settle()).rejects.toMatchObject({ code: "SOURCE_NOT_FOUND" });
  await expect(add("b", "two").then(writer.settle)).rejects.toMatchObject({ code: "SOURCE_NOT_FOUND" });
  expect(await states()).toEqual([]);
  expect(reading.sync.counts).toMatchObject({ added: 0, dropped: 0 });
});

describe("a connector is told of documents as if all were written that were fetched:", () => {
  const known = () => createKnownItems({ scope, sourceId: reading.source.id }, reading.fingerprints, writer);
  const refs = async () => {
    const found: string[] = [];
    for await (const ref of known().refs()) found.push(ref);
    return found;
  };

  it("their fingerprints", async () => {
    expect(await known().fingerprintOf("a")).toBeNull();
    await add("a", "one");
    expect(await known().fingerprintOf("a")).toBe("first of a");
    await add("a", "two", { fingerprint: "second of a" });
    expect(await known().fingerprintOf("a")).toBe("second of a");
    expect(writer.unwritten.size).toBe(0);
  });

  it("what explains who reads them", async () => {
    expect(await known().originsOf("a")).toBeNull();
    const reader = { source: "file", tenant: "here", kind: "user" as const, id: "1" };
    await add("a", "one", { acl: { allow: [{ ...reader, inheritedFrom: "/srv" }], deny: [] } });
    expect(await known().originsOf("a")).toMatch(/^[0-9a-f]{32}$/);
    expect(writer.unwritten.size).toBe(0);
  });

  it("those with a fingerprint, and not those that are about to get another", async () => {
    await add("a", "one", { fingerprint: "same" });
    expect(await known().refsWithFingerprint("same")).toEqual(["a"]);
    await add("a", "two", { fingerprint: "other" });
    expect(await known().refsWithFingerprint("same")).toEqual([]);
    await quarantine(reading, "bad", { code: "SOURCE_FORBIDDEN", message: "No.", action: "Ask." }, null);
    expect(await known().refsWithFingerprint("")).toEqual(["bad"]);
  });

  it("their refs", async () => {
    await add("b", "one");
    await add("a", "two");
    expect(await refs()).toEqual(["a", "b"]);
  });

  it("also after so much was new that the rest is not asked for", async () => {
    for (let index = 0; index < 50; index += 1) {
      expect(await known().fingerprintOf(`new ${index}`)).toBeNull();
      expect(await known().refsWithFingerprint(`of ${index}`)).toEqual([]);
      await add(`new ${index}`, `${index}`, { fingerprint: `of ${index}` });
      if (index % 7 === 0) await writer.settle();
    }
    await quarantine(reading, "bad", { code: "SOURCE_FORBIDDEN", message: "No.", action: "Ask." }, null);
    for (let index = 0; index < 50; index += 1) {
      expect(await known().fingerprintOf(`new ${index}`)).toBe(`of ${index}`);
      expect(await known().refsWithFingerprint(`of ${index}`)).toEqual([`new ${index}`]);
    }
    expect(await known().fingerprintOf("bad")).toBe("");
    expect(await known().fingerprintOf("never met")).toBeNull();
  });
});
