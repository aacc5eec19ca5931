import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { workspaceUser, type Principal } from "@anneal/core/access/acl";
import { writeCleanDigest } from "@anneal/core/clean/clean-digest";
import { syncWorkflowId, syncWorkflowName, type SyncInput } from "@anneal/core/connect/contract";
import { AnnealError } from "@anneal/core/errors";
import { loopWorkflowId, loopWorkflowName, taskQueue, type LoopInput, type Stage } from "@anneal/core/loop/contract";
import { loopSettingsSchema, type RunPurpose } from "@anneal/core/loop/settings";
import type { Scope } from "@anneal/db/database";
import { listAssistants } from "@anneal/db/queries/chat";
import { addSource, addWorkspace } from "@anneal/db/testing/source-fixture";
import { listSources } from "@anneal/db/queries/sources";
import { getDocument, listDocuments, saveDropped } from "@anneal/db/queries/documents";
import { createRun, getRun, listDrops } from "@anneal/db/queries/loop";
import { createSecretBox } from "@anneal/db/secret-box";
import { ParserPool } from "@anneal/documents/parser-pool";
import { createVectorIndex, type VectorIndex } from "@anneal/engines/vector-index";
import { locatePython } from "@anneal/local-stack/python-env";
import { startVectors } from "@anneal/local-stack/start-vectors";
import { openFolderStore } from "@anneal/objects/folder-store";
import { choosePort } from "@anneal/processes/choose-port";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { createCleanActivities } from "./activities/clean.ts";
import { createConnectActivities } from "./activities/connect.ts";
import { createDedupeActivities } from "./activities/dedupe.ts";
import { findIndexed, lengthEmbeddings } from "./activities/indexed.fixture.ts";
import { createIndexingActivities } from "./activities/indexing.ts";
import { createRunActivities } from "./activities/run.ts";
import { createMainContentExtractor, type MainContentExtractor } from "./drivers/main-content.ts";
import { startTestWorker, type TestWorker } from "./test-worker.fixture.ts";

// From a folder to what its readers find, by the real workflows and stages, but for those that learn: they are refused.

let worker: TestWorker;
let parsers: ParserPool;
let mainContent: MainContentExtractor;
let server: Awaited<ReturnType<typeof startVectors>>;
let vectors: VectorIndex;
let scope: Scope;
let ada: Principal;
/** Of stages that have no part in a run that only makes documents findable. */
const learned: string[] = [];
const refuse = (name: string) => async () => {
  learned.push(name);
  throw new AnnealError("CONFLICT", `${name} was called.`, { action: "Nothing is to be learned here." });
};

beforeAll(async () => {
  const located = locatePython(process.env);
  parsers = new ParserPool({ size: 1 });
  mainContent = createMainContentExtractor({
    python: located.python,
    pythonPath: fileURLToPath(new URL("../../sidecars/src", import.meta.url)),
  });
  const port = await choosePort(undefined);
  vectors = createVectorIndex({ url: `http://127.0.0.1:${port}`, apiKey: "key" });
  worker = await startTestWorker(({ test, database, python }) => {
    const { db } = test;
    const objects = openFolderStore(join(test.dir, "objects"));
    return {
      ...createConnectActivities({
        database,
        objects,
        secretBox: createSecretBox(randomBytes(32).toString("base64")),
        chromiumPath: null,
        ownFolders: [],
        python,
        observeRemote: () => () => undefined,
        readerPushes: { begin: async () => undefined, ensure: async () => undefined },
      }),
      ...createRunActivities({ db }),
      ...createCleanActivities({ db, objects, parsers, mainContent }),
      ...createDedupeActivities({ db, objects }),
      ...createIndexingActivities({ db, objects, vectors, embeddings: lengthEmbeddings }),
      buildDataset: refuse("buildDataset"),
      prepareTraining: refuse("prepareTraining"),
      registerAdapter: refuse("registerAdapter"),
      planDeployStage: refuse("planDeployStage"),
    };
  });
  const dir = join(worker.test.dir, "vectors");
  server = await startVectors({ env: process.env, python: located, dir, logFile: `${dir}.log`, port, apiKey: "key" });
});

afterAll(async () => {
  await worker?.stop();
  await server?.stop();
  mainContent?.close();
  await parsers?.close();
});

beforeEach(async () => {
  scope = await addWorkspace(worker.test.db);
  ada = workspaceUser(scope.workspaceId, "ada");
  learned.length = 0;
});

const pump = "The filter of the pump is changed every ninety days by the technician on duty, who signs the log.";

/** A folder whose documents Ada alone may read. */
async function addFolder(name: string, files: Record<string, string>): Promise<{ id: string; folder: string }> {
  const id = randomUUID();
  const folder = join(worker.test.dir, id);
  await mkdir(folder);
  for (const [file, content] of Object.entries(files)) await writeFile(join(folder, file), content);
  await addSource(scope, { id, name, config: { path: folder }, defaultAcl: { allow: [ada], deny: [] } });
  return { id, folder };
}

async function sync(sourceId: string): Promise<void> {
  const { workspaceId } = scope;
  const input: SyncInput = { workspaceId, sourceId, confirmDeletions: false, startedBy: "ada" };
  const workflowId = syncWorkflowId(sourceId);
  await worker.client.workflow.execute(syncWorkflowName, { workflowId, taskQueue, args: [input] });
}

/** As the portal starts it. */
async function runFor(purpose: RunPurpose, sourceIds: string[], fromStage: Stage = "connect") {
  const settings = loopSettingsSchema.parse({ purpose, sourceIds });
  const runId = randomUUID();
  const workflowId = loopWorkflowId(runId, 1);
  await createRun(scope, { id: runId, workflowId, startedBy: "ada", settings, fromStage });
  const input: LoopInput = { workspaceId: scope.workspaceId, runId, settings, fromStage, startedBy: "ada" };
  const handle = await worker.client.workflow.start(loopWorkflowName, { workflowId, taskQueue, args: [input] });
  await handle.result().catch(() => undefined);
  return getRun(scope, runId);
}

const sourceOf = async (sourceId: string) => (await listSources(scope)).find(({ id }) => id === sourceId);
const refsOf = async (ids: string[]) => {
  const { rows } = await listDocuments(scope, {}, { limit: 10, offset: 0 });
  return rows.filter(({ id }) => ids.includes(id)).map(({ ref }) => ref);
};
const find = async (collectionId: string | undefined, held: Principal[]) =>
  refsOf(await findIndexed({ scope, vectors }, collectionId!, held));

it("what a sync fetched of a source is found by its readers, what cannot be parsed is told, and nothing is learned", async () => {
  const source = await addFolder("Pumps", { "pump.md": pump, "cut.pdf": "%PDF-1.7\nbroken" });
  const other = await addFolder("Others", { "valve.md": "The valve is opened slowly." });
  for (const { id } of [source, other]) await sync(id);
  expect(await sourceOf(source.id)).toMatchObject({ waitingCount: 2, unindexedCount: 0, quarantinedCount: 0 });

  const run = await runFor("search", [source.id], "clean");
  expect(run).toMatchObject({ status: "done", error: null });
  expect(run.stages.map(({ stage, status }) => `${stage} ${status}`)).toEqual([
    "connect skipped",
    "clean done",
    "dedupe done",
    "index done",
  ]);
  const { collectionId } = run.outputs;
  expect(await find(collectionId, [ada])).toEqual(["pump.md"]);
  expect(await find(collectionId, [workspaceUser(scope.workspaceId, "bob")])).toEqual([]);

  expect(await sourceOf(source.id)).toMatchObject({ waitingCount: 0, unindexedCount: 0, quarantinedCount: 1 });
  expect(await sourceOf(other.id)).toMatchObject({ waitingCount: 1 });
  const { rows } = await listDrops(scope, run.id, { stage: "clean", limit: 10, offset: 0 });
  expect(rows).toMatchObject([{ ref: "cut.pdf", code: "DOCUMENT_DAMAGED", reason: expect.stringContaining(".") }]);

  expect(learned).toEqual([]);
  expect(run.report).toMatchObject({ dataset: null, run: null, adapter: null, deployment: null });
  expect(run.report).toMatchObject({ index: { documents: 1 }, stages: [{ stage: "connect" }, {}, {}, {}] });
  expect(await listAssistants(scope)).toMatchObject([{ name: "assistant", model: "base", collectionId }]);
});

it("a run from its start reads the source first", async () => {
  const { id, folder } = await addFolder("Pumps", { "pump.md": pump });
  await sync(id);
  await writeFile(
    join(folder, "visit.md"),
    "Visitors sign in at the desk in the north hall and receive a yellow badge.",
  );
  const run = await runFor("search", [id]);
  expect(run.stages.map(({ status }) => status)).toEqual(["done", "done", "done", "done"]);
  expect((await find(run.outputs.collectionId, [ada])).toSorted()).toEqual(["pump.md", "visit.md"]);
  expect(learned).toEqual([]);
});

it("where nothing could be parsed the run fails in words, and the document says why", async () => {
  const { id } = await addFolder("Pumps", { "cut.pdf": "%PDF-1.7\nbroken" });
  await sync(id);
  const run = await runFor("search", [id], "clean");
  expect(run).toMatchObject({ status: "failed", error: { code: "SOURCE_EMPTY", stage: "clean" } });
  expect(await sourceOf(id)).toMatchObject({ waitingCount: 0, quarantinedCount: 1 });
});

it("where nothing was read yet the run says so", async () => {
  const { id } = await addFolder("Pumps", { "pump.md": pump });
  const run = await runFor("search", [id], "clean");
  expect(run).toMatchObject({
    status: "failed",
    error: { code: "SOURCE_EMPTY", message: "There is no document to clean.", action: "Sync the source first." },
  });
});

it("what an earlier release could not parse is parsed by a run, though nothing of it is counted as waiting", async () => {
  const { id } = await addFolder("Pumps", { "pump.md": pump });
  await sync(id);
  const { rows } = await listDocuments(scope, { sourceId: id }, { limit: 1, offset: 0 });
  const document = await getDocument(scope, rows[0]!.id);
  const drop = { stage: "clean", code: "DOCUMENT_UNSUPPORTED", reason: "There is no parser for it." };
  const cleanDigest = writeCleanDigest({ cleanVersion: "earlier", contentHash: document.contentHash }, null);
  await saveDropped(scope, document, { status: "quarantined", cleanDigest, drop });
  expect(await sourceOf(id)).toMatchObject({ waitingCount: 0, unindexedCount: 0, quarantinedCount: 1 });
  const { outputs } = await runFor("search", [id], "clean");
  expect(await find(outputs.collectionId, [ada])).toEqual(["pump.md"]);
  expect(await sourceOf(id)).toMatchObject({ quarantinedCount: 0 });
});

it("a run that is for everything goes on to learn", async () => {
  const { id } = await addFolder("Pumps", { "pump.md": pump });
  const run = await runFor("everything", [id]);
  expect(run).toMatchObject({ status: "failed", error: { stage: "dataset" } });
  expect(learned).toEqual(["buildDataset"]);
  expect(await sourceOf(id)).toMatchObject({ waitingCount: 0, unindexedCount: 1 });
});
