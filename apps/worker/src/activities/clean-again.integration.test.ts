import { createHash, randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nobody } from "@anneal/core/access/acl";
import { loopSettingsSchema } from "@anneal/core/loop/settings";
import type { Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { saveSource } from "@anneal/db/queries/sources";
import { upsertDocument } from "@anneal/db/queries/synced-documents";
import { listDocuments } from "@anneal/db/queries/documents";
import { createRun } from "@anneal/db/queries/loop";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import type { OcrOptions } from "@anneal/documents/ocr/text-recognizer";
import { ParserPool, type ParserPoolOptions } from "@anneal/documents/parser-pool";
import { deflatedArchive } from "@anneal/documents/testing/archive-fixture";
import { fakeTesseract, pictureThat } from "@anneal/documents/testing/fake-tesseract";
import { openFolderStore } from "@anneal/objects/folder-store";
import type { ObjectStore } from "@anneal/objects/object-store";
import { asyncLocalStorage, type Context } from "@temporalio/activity";
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from "vitest";
import { createCleanActivities } from "./clean.ts";

const prose =
  "The museum was opened to the public in the spring, and it has been kept by the people of the town since then. " +
  "Anybody who wants to see the museum can walk there from the market in less than a quarter of an hour. " +
  "It is closed on Mondays and in the week before Christmas, when the volunteers repair what the summer has worn out. " +
  "Visitors with children find a small room behind the museum where tea and cake are sold in the afternoon.";

let handle: TestDatabase;
let objects: ObjectStore;
let scope: Scope;
let sourceId: string;
/** Names of what was read since the last look. */
let read: string[] = [];
const names = new Map<string, string>();

beforeAll(async () => {
  handle = await startTestDatabase();
  const store = openFolderStore(join(handle.dir, "objects"));
  objects = {
    ...store,
    stream: async (key) => {
      read.push(names.get(key)!);
      return store.stream(key);
    },
  };
});
beforeEach(async () => {
  const { id } = await saveWorkspace(handle.db, { slug: randomUUID(), name: "Test" });
  scope = { db: handle.db, workspaceId: id };
  sourceId = randomUUID();
  const source = { id: sourceId, name: "s", kind: "file", config: {}, sealedSecrets: null, schedule: null };
  await saveSource(scope, { ...source, defaultAcl: nobody });
});
afterAll(() => handle?.stop());

async function arrive(ref: string, bytes: Uint8Array): Promise<void> {
  const contentHash = createHash("sha256").update(bytes).digest("hex");
  const content = { contentHash, contentKey: `content/${contentHash}`, sizeBytes: bytes.length };
  names.set(content.contentKey, ref);
  await objects.put(content.contentKey, Buffer.from(bytes));
  const facts = { ref, uri: `file:///${ref}`, title: null, mediaType: null, modifiedAt: null, acl: null };
  await upsertDocument(scope, sourceId, { ...facts, sizeBytes: bytes.length, fingerprint: contentHash }, content);
}

/** One worker's cleaning stage, and what it read. */
async function cleanWith(parsers: ParserPool): Promise<string[]> {
  onTestFinished(() => parsers.close());
  const mainContent = { extract: async () => null, close: () => undefined };
  const { cleanDocuments } = createCleanActivities({ db: handle.db, objects, parsers, mainContent });
  const [runId, settings] = [randomUUID(), loopSettingsSchema.parse({})];
  await createRun(scope, { id: runId, workflowId: "w", startedBy: "ada", settings });
  const context = {
    info: { workflowExecution: { workflowId: "w", runId: "w" } },
    cancellationSignal: new AbortController().signal,
    heartbeat: () => undefined,
  } as unknown as Context;
  read = [];
  await asyncLocalStorage.run(context, () => cleanDocuments({ workspaceId: scope.workspaceId, runId, settings }));
  return read.sort();
}

it("reads a scan once for each worker that knows another language, and never again in turns", async () => {
  const command = join(handle.dir, "tesseract");
  await writeFile(command, fakeTesseract, { mode: 0o755 });
  await arrive("prose.txt", Buffer.from(prose));
  await arrive("photo.png", pictureThat("text"));
  await arrive("scans.zip", deflatedArchive([{ name: "photo.png", data: pictureThat("text") }]));
  const scans = ["photo.png", "scans.zip"];

  // One without Tesseract comes first, and what it could not read waits for one that has it.
  const recognise = (ocr: OcrOptions) => cleanWith(new ParserPool({ size: 1, ocr }));
  const without = () => recognise({ command: join(handle.dir, "not-there") });
  const english = () => recognise({ command, languages: ["eng"] });
  const both = () => recognise({ command, languages: ["eng", "deu"] });
  expect(await without()).toEqual(["photo.png", "prose.txt", "scans.zip"]);
  expect(await without()).toEqual([]);
  expect(await english()).toEqual(scans);
  expect(await both()).toEqual(scans);
  for (const worker of [english, both, without, english, () => recognise({ command, languages: ["deu", "eng"] })]) {
    expect(await worker()).toEqual([]);
  }
}, 120_000);

/** Parsers of another release. */
class OtherParsers extends ParserPool {
  override version(): string {
    return "another";
  }
}

it("reads everything once more under another parser version, what could not be read as well, and then never again", async () => {
  await arrive("prose.txt", Buffer.from(prose));
  await arrive("broken.pdf", Buffer.from("%PDF-1.7 and no more"));
  const all = ["broken.pdf", "prose.txt"];
  expect(await cleanWith(new ParserPool({ size: 1 }))).toEqual(all);
  expect(await cleanWith(new ParserPool({ size: 1 }))).toEqual([]);
  expect(await cleanWith(new OtherParsers({ size: 1 }))).toEqual(all);
  expect(await cleanWith(new OtherParsers({ size: 1 }))).toEqual([]);
}, 120_000);

it.each([
  ["larger", { limits: { maxBytes: 1000 } }],
  ["longer", { timeoutMs: 1 }],
] satisfies [string, ParserPoolOptions][])(
  "tries what took %s than allowed again as soon as more is allowed, and nothing else",
  async (_, bounds) => {
    await arrive("broken.pdf", Buffer.from("no more of it"));
    expect(await cleanWith(new ParserPool({ size: 1 }))).toEqual(["broken.pdf"]);
    await arrive("prose.txt", Buffer.from(prose.repeat(3)));
    expect(await cleanWith(new ParserPool({ size: 1, ...bounds }))).toEqual(["prose.txt"]);
    expect(await statusOf("prose.txt")).toBe("quarantined");
    expect(await cleanWith(new ParserPool({ size: 1, ...bounds }))).toEqual([]);
    expect(await cleanWith(new ParserPool({ size: 1 }))).toEqual(["prose.txt"]);
    expect(await statusOf("prose.txt")).toBe("kept");
    expect(await cleanWith(new ParserPool({ size: 1, ...bounds }))).toEqual([]);
  },
  120_000,
);

it("reads again what left a file out as too large, once more is allowed, and nothing else", async () => {
  const bounds = { limits: { maxBytes: 1000 } };
  const whole = { name: "small.txt", data: prose };
  await arrive("whole.zip", deflatedArchive([whole]));
  await arrive("part.zip", deflatedArchive([whole, { name: "large.txt", data: prose.repeat(3) }]));
  // Of this one nothing else is left.
  await arrive(
    "none.zip",
    deflatedArchive([
      { name: "program.exe", data: "MZ\0\0" },
      { name: "large.txt", data: prose.repeat(3) },
    ]),
  );
  // And of this one too little to be kept.
  await arrive(
    "little.zip",
    deflatedArchive([
      { name: "blank.txt", data: "\n" },
      { name: "large.txt", data: prose.repeat(3) },
    ]),
  );
  const cut = ["little.zip", "none.zip", "part.zip"];
  expect(await cleanWith(new ParserPool({ size: 1, ...bounds }))).toEqual([...cut, "whole.zip"]);
  expect(await Promise.all(cut.map(statusOf))).toEqual(["dropped", "quarantined", "kept"]);
  expect(await cleanWith(new ParserPool({ size: 1, ...bounds }))).toEqual([]);
  expect(await cleanWith(new ParserPool({ size: 1 }))).toEqual(cut);
  expect(await Promise.all(cut.map(statusOf))).toEqual(["kept", "kept", "kept"]);
  expect(await cleanWith(new ParserPool({ size: 1, ...bounds }))).toEqual([]);
}, 120_000);

async function statusOf(ref: string): Promise<string | undefined> {
  const { rows } = await listDocuments(scope, {}, { limit: 10, offset: 0 });
  return rows.find((row) => row.ref === ref)?.status;
}
