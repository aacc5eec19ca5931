import { createHash, randomUUID } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findMotoPython } from "@anneal/connectors/conformance/start-moto";
import {
  bucketDocuments,
  pageOf,
  startTestSources,
  type TestSources,
} from "@anneal/connectors/conformance/start-sources";
import { parseSourceUri, type SourceUriOptions } from "@anneal/connectors/source-uri";
import { workspaceMembers } from "@anneal/core/access/acl";
import type { CheckOutcome } from "@anneal/core/connect/check-outcome";
import {
  checkWorkflowName,
  syncWorkflowId,
  syncWorkflowName,
  type CheckInput,
  type SyncInput,
} from "@anneal/core/connect/contract";
import { servingName } from "@anneal/core/deploy/contract";
import { loopWorkflowId, loopWorkflowName, stages, taskQueue, type LoopInput } from "@anneal/core/loop/contract";
import { loopSettingsSchema, type LoopSettings } from "@anneal/core/loop/settings";
import { openDatabase, type DatabaseHandle, type Scope } from "@anneal/db/database";
import { migrateDatabase } from "@anneal/db/migrate";
import { saveWorkspace } from "@anneal/db/queries/access";
import { deleteSource, getSource, restoreSource, saveSource } from "@anneal/db/queries/sources";
import { getDatasetVersion } from "@anneal/db/queries/dataset";
import { createDeployment, getDeployment, listCurrentAliases } from "@anneal/db/queries/deploy";
import { getAdapterVersion, listAdapterVersions } from "@anneal/db/queries/register";
import { listDocuments } from "@anneal/db/queries/documents";
import { countIndexed, listDocumentChunks } from "@anneal/db/queries/indexing";
import { createRun, getRun, listDrops } from "@anneal/db/queries/loop";
import { listActivePlacements } from "@anneal/db/queries/pools";
import {
  getTrainingRun,
  listTrainingLog,
  listTrainingMetrics,
  listTrainingRuns,
  listTrainingSamples,
} from "@anneal/db/queries/train";
import { saveDraft } from "@anneal/db/queries/source-drafts";
import { listSyncs } from "@anneal/db/queries/source-syncs";
import { createSecretBox } from "@anneal/db/secret-box";
import { createInferenceClient, type InferenceClient } from "@anneal/engines/inference-client";
import { createVectorIndex, type VectorIndex } from "@anneal/engines/vector-index";
import { choosePort } from "@anneal/processes/choose-port";
import { startStack, type Stack } from "@anneal/local-stack/stack";
import { openObjectStore } from "@anneal/objects/open-object-store";
import type { ObjectStore } from "@anneal/objects/object-store";
import { Client, Connection } from "@temporalio/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// One stack and one workspace for the file; each test goes on from where the one before it ended.

let testDir: string;
let stateDir: string;
let sourceDir: string;
let stack: Stack;
let database: DatabaseHandle;
let connection: Connection;
let temporal: Client;
let scope: Scope;
let engine: InferenceClient;
let vectors: VectorIndex;
let objects: ObjectStore;

const training = { rank: 8, epochs: 1, maxSteps: 6, batchTokens: 512, maxLength: 256 };

/** Question headings: pairs come from the text itself, so that no teacher is needed. */
const documents: Record<string, [question: string, answer: string][]> = {
  "filter.md": [
    [
      "How often is the filter of the pump changed?",
      "The filter of the pump is changed every 90 days by the technician on duty.",
    ],
    [
      "Who orders new filters for the pump?",
      "New filters are ordered by the store in Karrow on the first Monday of the month.",
    ],
    [
      "What does a clogged filter sound like?",
      "A clogged filter hums at a low pitch and the pressure gauge falls below 2 bar.",
    ],
  ],
  "travel.md": [
    [
      "How are train journeys booked?",
      "Train journeys are booked in the travel portal at least five days before departure.",
    ],
    [
      "Which hotels may be chosen on a journey?",
      "Any hotel below 140 euros a night may be chosen without asking for approval.",
    ],
    ["When are travel costs paid back?", "Travel costs are paid back with the salary of the month after the journey."],
  ],
  "visitors.md": [
    ["Where do visitors sign in?", "Visitors sign in at the desk in the north hall and receive a yellow badge."],
    [
      "May visitors enter the clean room?",
      "Visitors may enter the clean room only with a trained guide and in a full suit.",
    ],
    ["Who shows visitors out?", "The person who invited the visitors shows them out and collects their badges."],
  ],
  "holiday.md": [
    [
      "How many days of holiday does everyone have?",
      "Everyone has thirty days of holiday a year, and two more after ten years of work.",
    ],
    [
      "Until when can old holiday be taken?",
      "Holiday of the last year can be taken until the end of March, then it lapses.",
    ],
    ["Who approves a holiday request?", "The head of the team approves a holiday request within three working days."],
  ],
};

beforeAll(async () => {
  testDir = await mkdtemp(join(tmpdir(), "anneal-loop-"));
  // PostgreSQL does not run as root, and must be able to enter.
  await chmod(testDir, 0o755);
  stateDir = join(testDir, "state");
  sourceDir = join(testDir, "source");
  for (const dir of [stateDir, sourceDir]) await mkdir(dir, { mode: 0o755 });
  for (const [name, pairs] of Object.entries(documents)) {
    const body = pairs.map(([question, answer]) => `## ${question}\n\n${answer}\n`).join("\n");
    await writeFile(join(sourceDir, name), `# ${name}\n\n${body}`);
  }
  await writeFile(join(sourceDir, "damaged.pdf"), `%PDF-1.7\n${"broken ".repeat(50)}`);

  stack = await startStack({
    stateDir,
    env: { ...process.env, ANNEAL_KV_CACHE_GIB: "0.25" },
    withPortal: false,
  });
  await migrateDatabase(stack.databaseOwnerUrl, "anneal_app");
  database = openDatabase(stack.env["ANNEAL_DATABASE_URL"]!);
  const { db } = database;
  const workspace = await saveWorkspace(db, { slug: "test", name: "Test" });
  scope = { db, workspaceId: workspace.id };
  await addFolder("folder", sourceDir);
  await stack.startWorker();
  connection = await Connection.connect({ address: stack.env["ANNEAL_TEMPORAL_ADDRESS"]! });
  temporal = new Client({ connection });
  engine = createInferenceClient({ url: stack.env["ANNEAL_INFERENCE_URLS"]! });
  vectors = createVectorIndex({ url: stack.env["ANNEAL_QDRANT_URL"]!, apiKey: stack.env["ANNEAL_QDRANT_API_KEY"] });
  objects = openObjectStore(stack.env["ANNEAL_OBJECTS"]!);
}, 300_000);

afterAll(async () => {
  await connection?.close();
  await database?.close();
  await stack?.stop();
  await rm(testDir, { recursive: true, force: true });
}, 60_000);

async function addFolder(name: string, path: string): Promise<string> {
  const id = randomUUID();
  const defaultAcl = { allow: [workspaceMembers(scope.workspaceId)], deny: [] };
  await saveSource(scope, {
    id,
    name,
    kind: "file",
    config: { path },
    sealedSecrets: null,
    defaultAcl,
    schedule: null,
  });
  return id;
}

type SettingsChange = Omit<Partial<LoopSettings>, "training"> & { training?: Partial<LoopSettings["training"]> };

/** Adds a source by its address, as `anneal loop --source` does. */
async function addSource(uri: string, options: SourceUriOptions = {}): Promise<string> {
  const { kind, name, config, secrets } = parseSourceUri(uri, options);
  const id = randomUUID();
  await saveSource(scope, {
    id,
    name,
    kind,
    config,
    sealedSecrets: seal(secrets, id),
    defaultAcl: { allow: [workspaceMembers(scope.workspaceId)], deny: [] },
    schedule: null,
  });
  return id;
}

function seal(secrets: Record<string, string>, purpose: string): Buffer | null {
  if (Object.keys(secrets).length === 0) return null;
  return createSecretBox(stack.env["ANNEAL_ENCRYPTION_KEY"]!).seal(secrets, purpose);
}

/** Starts a run as the portal does. */
async function startLoop(change: SettingsChange = {}) {
  const settings = loopSettingsSchema.parse({
    generatedPassages: 0,
    evalShare: 0.25,
    ...change,
    training: { ...training, ...change.training },
  });
  const runId = randomUUID();
  const workflowId = loopWorkflowId(runId, 1);
  await createRun(scope, { id: runId, workflowId, startedBy: "test", settings });
  const input: LoopInput = { workspaceId: scope.workspaceId, runId, settings, fromStage: "connect", startedBy: "test" };
  const handle = await temporal.workflow.start(loopWorkflowName, { workflowId, taskQueue, args: [input] });
  const ended = handle.result().catch(() => undefined);
  return { runId, end: async () => ended.then(() => getRun(scope, runId)) };
}

async function runLoop(change: SettingsChange = {}) {
  return (await startLoop(change)).end();
}

async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | null | false>,
  timeoutMs = 400_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe().catch(() => undefined);
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(200);
  }
}

const noteOf = (run: Awaited<ReturnType<typeof getRun>>, stage: (typeof stages)[number]) =>
  run.stages.find((row) => row.stage === stage)?.note;

const allDocuments = async () => (await listDocuments(scope, {}, { limit: 100, offset: 0 })).rows;

const answerOf = async (model: string) =>
  engine.chat({ model, messages: [{ role: "user", content: "Who approves?" }], maxTokens: 4, temperature: 0 });

async function servingNow(): Promise<string> {
  const aliases = await listCurrentAliases(scope);
  expect(aliases.map(({ adapterName, alias }) => `${adapterName}@${alias}`)).toEqual(["support@production"]);
  return aliases[0]!.servingName;
}

/** Trainings that hold or wait for a place. */
const trainingsPlaced = async () =>
  (await listActivePlacements(scope.db))
    .map(({ subject }) => subject)
    .filter((subject) => subject.startsWith("training:"));

const loadedAdapters = async () =>
  (await engine.listModels()).filter((model) => model.isAdapter).map((model) => model.id);

it(
  "goes round once: from five files to an adapter that answers and an index to quote from",
  { timeout: 600_000 },
  async () => {
    const run = await runLoop();
    expect(run.error).toBeNull();
    expect(run.stages.map(({ stage, status }) => [stage, status])).toEqual(stages.map((stage) => [stage, "done"]));

    const damaged = (await allDocuments()).find(({ ref }) => ref === "damaged.pdf");
    expect(damaged).toMatchObject({ status: "quarantined", drop: { stage: "clean", code: "DOCUMENT_DAMAGED" } });
    const drops = await listDrops(scope, run.id, { stage: "clean", limit: 10, offset: 0 });
    expect(drops.rows.map(({ ref, code }) => [ref, code])).toEqual([["damaged.pdf", "DOCUMENT_DAMAGED"]]);
    expect(drops.rows[0]!.reason).toMatch(/\w+ .*\.$/);

    const dataset = await getDatasetVersion(scope, run.outputs.datasetVersionId!);
    const jsonl = Buffer.concat([await objects.get(dataset.trainKey), await objects.get(dataset.evalKey)]);
    expect(createHash("sha256").update(jsonl).digest("hex")).toBe(dataset.digest);
    expect(jsonl.toString().trimEnd().split("\n")).toHaveLength(dataset.trainCount + dataset.evalCount);

    const evaluated = (await listTrainingMetrics(scope, run.outputs.trainingRunId!)).filter(
      (row) => row.evalLoss !== null,
    );
    const samples = await listTrainingSamples(scope, run.outputs.trainingRunId!);
    expect(samples.map(({ step }) => step)).toEqual(evaluated.map(({ step }) => step));
    const questions = samples.map((evaluation) =>
      evaluation.samples.map(({ question, expected }) => question + expected),
    );
    expect(questions[0]).toHaveLength(Math.min(3, dataset.evalCount));
    for (const asked of questions) expect(asked).toEqual(questions[0]);

    const { adapter, version } = await getAdapterVersion(scope, run.outputs.adapterVersionId!);
    expect(version.lineage).toMatchObject({ datasetDigest: dataset.digest, trainingRunId: run.outputs.trainingRunId });
    expect(await objects.exists(`${version.objectPrefix}/adapter_model.safetensors`)).toBe(true);
    const name = servingName(adapter.name, version.digest);
    expect(await servingNow()).toBe(name);
    const deployment = await getDeployment(scope, run.outputs.deploymentId!);
    expect(deployment).toMatchObject({ status: "done", servingName: name, replicaCount: 1 });
    const onOne = [{ url: engine.url, status: "done", durationMs: expect.any(Number) }];
    expect(deployment.steps).toMatchObject([
      { step: "load", status: "done", replicas: onOne },
      { step: "probe", status: "done", replicas: onOne },
      { step: "flip", status: "done" },
      { step: "drain", status: "skipped" },
      { step: "unload", status: "skipped" },
    ]);
    expect((await answerOf(name)).completionTokens).toBeGreaterThan(0);

    const indexed = await countIndexed(scope, run.outputs.collectionId!, null);
    expect(indexed.documents).toBe(4);
    expect(await vectors.count(run.outputs.collectionId!)).toBe(indexed.chunks);

    expect(run.report).toMatchObject({
      dataset: { digest: dataset.digest },
      index: { documents: 4, chunks: indexed.chunks },
    });
    expect(await trainingsPlaced()).toEqual([]);
  },
);

it(
  "does nothing twice: no document is read, nothing is trained, no version is made; a dead deployment is no obstacle",
  { timeout: 300_000 },
  async () => {
    const [before] = await listTrainingRuns(scope);
    // Its workflow is one that Temporal does not know: the worker died for good, or Temporal lost its data.
    const dead = randomUUID();
    const [{ version: served } = { version: null }] = await listAdapterVersions(scope);
    await createDeployment(scope, {
      id: dead,
      adapterVersionId: served!.id,
      workflowId: "nobody-knows-it",
      alias: "production",
      servingName: await servingNow(),
      by: "test",
    });
    const run = await runLoop();
    expect(run.error).toBeNull();
    expect(run.status).toBe("done");
    expect(await getDeployment(scope, dead)).toMatchObject({ status: "failed", error: { code: "DEPLOYMENT_FAILED" } });
    expect(await answerOf(await servingNow())).toBeTruthy();
    for (const stage of ["connect", "clean", "dataset", "train", "register", "index"] as const) {
      expect(noteOf(run, stage)).toMatch(/^Nothing changed/);
    }
    expect(run.outputs.trainingRunId).toBe(before!.id);
    expect(await listTrainingRuns(scope)).toHaveLength(1);
    expect(await listAdapterVersions(scope)).toHaveLength(1);
  },
);

it(
  "forgets a document that its source no longer has: its passages, its points and its part of the dataset",
  { timeout: 400_000 },
  async () => {
    const gone = (await allDocuments()).find(({ ref }) => ref === "travel.md")!;
    expect((await listDocumentChunks(scope, gone.id)).length).toBeGreaterThan(0);
    const oldName = await servingNow();
    await rm(join(sourceDir, "travel.md"));

    // One of four is more than a sync deletes unasked.
    const run = await runLoop({ confirmDeletions: true });
    expect(run.error).toBeNull();
    expect(await listDocumentChunks(scope, gone.id)).toEqual([]);
    const indexed = await countIndexed(scope, run.outputs.collectionId!, null);
    expect(indexed.documents).toBe(3);
    expect(await vectors.count(run.outputs.collectionId!)).toBe(indexed.chunks);
    const dataset = await getDatasetVersion(scope, run.outputs.datasetVersionId!);
    expect(Buffer.from(await objects.get(dataset.trainKey)).toString()).not.toContain(gone.id);

    // The version that was served before is drained and unloaded.
    expect(await servingNow()).not.toBe(oldName);
    expect(await loadedAdapters()).toEqual([await servingNow()]);
  },
);

const python = findMotoPython();

describe.skipIf(python === null)("sources in S3, in PostgreSQL and on a website", () => {
  let from: TestSources;
  let ids: Record<"bucket" | "table" | "query" | "site", string>;

  beforeAll(async () => {
    from = await startTestSources(python!, stack.databaseOwnerUrl);
    const { bucket, table, query, site } = from.uris;
    ids = {
      bucket: await addSource(bucket, from.options),
      table: await addSource(table),
      query: await addSource(query),
      site: await addSource(site),
    };
  });
  afterAll(async () => {
    // The tests that follow go on with the folder alone.
    for (const id of Object.values(ids ?? {})) await deleteSource(scope, id);
    await from?.stop();
  });

  const refsOf = async (sourceId: string) =>
    (await listDocuments(scope, { sourceId }, { limit: 100, offset: 0 })).rows.map(({ ref }) => ref).toSorted();
  const syncsOf = async (sourceId: string) => (await listSyncs(scope, sourceId, { limit: 20, offset: 0 })).rows;
  const startSync = async (sourceId: string, change: Partial<SyncInput> & { workflowId?: string } = {}) => {
    const { workflowId = syncWorkflowId(sourceId), ...rest } = change;
    const input: SyncInput = {
      workspaceId: scope.workspaceId,
      sourceId,
      confirmDeletions: false,
      startedBy: "ada@example.com",
      ...rest,
    };
    return temporal.workflow.start(syncWorkflowName, { workflowId, taskQueue, args: [input] });
  };
  const sync = async (sourceId: string, change: Partial<SyncInput> = {}) => {
    await (await startSync(sourceId, change)).result();
    return (await syncsOf(sourceId))[0]!;
  };
  const counts = { scanned: 0, read: 0, added: 0, changed: 0, removed: 0, dropped: 0 };
  const expectIndexed = async (run: Awaited<ReturnType<typeof getRun>>, count: number) => {
    expect(run.error).toBeNull();
    const indexed = await countIndexed(scope, run.outputs.collectionId!, null);
    expect(indexed.documents).toBe(count);
    expect(await vectors.count(run.outputs.collectionId!)).toBe(indexed.chunks);
  };

  it(
    "go round the loop; a second run reads only what changed, and what is gone or removed leaves the index",
    { timeout: 600_000 },
    async () => {
      const own = (await readdir(sourceDir)).filter((name) => name.endsWith(".md")).length;
      await expectIndexed(await runLoop(), own + 3 + 3 + 2 + 3);
      expect(await refsOf(ids.query)).toEqual(["query/1", "query/2"]);
      expect((await syncsOf(ids.site))[0]).toMatchObject({
        ...counts,
        scanned: 3,
        read: 3,
        added: 3,
        status: "done",
        startedBy: "test",
        runId: expect.any(String),
      });

      await from.putObject("manuals/lift.md", bucketDocuments["manuals/lift.md"]!.replace("three minutes", "an hour"));
      await from.deleteObject("manuals/roof.md");
      await from.runSql("update berths set title = 'North mole' where id = 1; delete from berths where id = 3");
      await from.runSql("update notices set public = false where id = 2");
      const loans = "Loans are four weeks long, and nothing else of this page is as it was. ".repeat(8);
      from.site.pages.set("/loans", { body: pageOf("Loans", loans, ["/"]) });
      from.site.pages.delete("/rooms");
      from.site.takeLog();
      // One of three is more than a sync deletes unasked.
      await expectIndexed(await runLoop({ confirmDeletions: true }), own + 2 + 2 + 1 + 2);
      const one = { read: 1, changed: 1, removed: 1 };
      expect((await syncsOf(ids.bucket))[0]).toMatchObject({ ...counts, ...one, scanned: 2 });
      expect((await syncsOf(ids.table))[0]).toMatchObject({ ...counts, ...one, scanned: 2 });
      expect((await syncsOf(ids.query))[0]).toMatchObject({ ...counts, removed: 1, scanned: 1 });
      expect((await syncsOf(ids.site))[0]).toMatchObject({ ...counts, ...one, scanned: 2 });
      expect(from.site.takeLog()).toEqual(expect.arrayContaining(["304 /", "200 /loans", "404 /rooms"]));
      expect(await refsOf(ids.site)).toEqual([`${from.uris.site}`, `${from.uris.site}loans`]);

      await deleteSource(scope, ids.bucket);
      await expectIndexed(await runLoop(), own + 2 + 1 + 2);
      expect(await refsOf(ids.bucket)).toEqual([]);

      // Taken back, its documents are there at once, and in the index with the next run, without being read again.
      await restoreSource(scope, ids.bucket);
      expect(await refsOf(ids.bucket)).toEqual(["manuals/boiler.md", "manuals/lift.md"]);
      await expectIndexed(await runLoop(), own + 2 + 2 + 1 + 2);
      expect((await syncsOf(ids.bucket))[0]).toMatchObject({ ...counts, scanned: 2 });
    },
  );

  it("hold back a mass deletion until a person has confirmed it", async () => {
    const keys = Array.from({ length: 12 }, (_, index) => `manuals/sheet-${index}.md`);
    for (const key of keys) await from.putObject(key, `# Sheet\n\n${key} is one of many.\n`);
    expect(await sync(ids.bucket)).toMatchObject({ ...counts, scanned: 14, read: 12, added: 12 });
    for (const key of keys) await from.deleteObject(key);

    const held = await sync(ids.bucket);
    expect(held).toMatchObject({ ...counts, scanned: 2, status: "done", error: { code: "CONFLICT" } });
    expect(held.error!.message).toBe(
      "The source no longer has 12 of 14 documents, more than the 20% that one sync may delete; all were kept.",
    );
    expect((await getSource(scope, ids.bucket)).lastSyncError).toEqual(held.error);
    expect(await refsOf(ids.bucket)).toHaveLength(14);

    expect(await sync(ids.bucket, { confirmDeletions: true })).toMatchObject({ ...counts, scanned: 2, removed: 12 });
    expect((await getSource(scope, ids.bucket)).lastSyncError).toBeNull();
    expect(await refsOf(ids.bucket)).toEqual(["manuals/boiler.md", "manuals/lift.md"]);
  });

  it("are never read twice at once: a second sync says so, a run waits, and so does a second run", async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const loans = from.site.pages.get("/loans")!;
    from.site.pages.set("/loans", { ...loans, gate });
    const before = (await syncsOf(ids.site)).length;
    try {
      const first = await startSync(ids.site);
      await until("it is being read", async () => (await syncsOf(ids.site)).length > before);

      // What a schedule starts has an id of its own.
      const second = await startSync(ids.site, { workflowId: `sync-${randomUUID()}`, startedBy: "schedule" });
      await second.result();
      expect((await syncsOf(ids.site))[0]).toMatchObject({
        ...counts,
        status: "skipped",
        startedBy: "schedule",
        error: { code: "ALREADY_RUNNING", message: expect.stringContaining("started by ada@example.com") },
      });

      const runs = [await startLoop({ sourceIds: [ids.site] }), await startLoop({ sourceIds: [ids.site] })];
      const statuses = async () =>
        (await Promise.all(runs.map(({ runId }) => getRun(scope, runId)))).map((r) => r.status);
      const waiting = await until("one run waits for the source", async () => {
        const found = (await Promise.all(runs.map(({ runId }) => getRun(scope, runId)))).flatMap((run) => run.stages);
        return found.find(({ progress }) => progress?.note?.startsWith("Waiting: "));
      });
      expect(waiting.stage).toBe("connect");
      expect((await statuses()).toSorted()).toEqual(["running", "waiting"]);

      open();
      await first.result();
      // The site alone has no pairs to learn from, which ends a run soon.
      for (const { end } of runs) expect((await end()).error).toMatchObject({ code: "DATASET_EMPTY" });
      const [started, ended] = [
        (await Promise.all(runs.map(({ runId }) => getRun(scope, runId)))).map((run) => run.stages[0]!.startedAt!),
        (await Promise.all(runs.map(({ runId }) => getRun(scope, runId)))).map((run) => run.endedAt!),
      ];
      const [early, late] = started[0]! < started[1]! ? [0, 1] : [1, 0];
      expect(started[late]!.getTime()).toBeGreaterThanOrEqual(ended[early]!.getTime());
    } finally {
      open();
      from.site.pages.set("/loans", loans);
    }
    const reads = (await syncsOf(ids.site)).filter(({ status }) => status === "done").toReversed();
    expect(reads.length).toBeGreaterThanOrEqual(before + 3);
    for (const [index, read] of reads.slice(1).entries())
      expect(read.startedAt.getTime()).toBeGreaterThanOrEqual(reads[index]!.endedAt!.getTime());
  });

  it("end their sync when they are removed while it reads, and none of its documents comes alive", async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const home = from.site.pages.get("/")!;
    from.site.pages.set("/new", { body: pageOf("New", "A page that nobody has seen before today. ".repeat(12)), gate });
    from.site.pages.set("/", { body: `${String(home.body)}<a href="/new">new</a>` });
    const before = (await syncsOf(ids.site)).length;
    const refs = await refsOf(ids.site);
    const reading = await startSync(ids.site);
    const ended = reading.result().catch((error: unknown) => error);
    await until("it is being read", async () => (await syncsOf(ids.site)).length > before);
    await deleteSource(scope, ids.site);
    open();
    from.site.pages.set("/", home);
    expect(await ended).toBeInstanceOf(Error);
    expect((await syncsOf(ids.site))[0]).toMatchObject({ status: "failed", error: { code: "SOURCE_NOT_FOUND" } });
    expect(await refsOf(ids.site)).toEqual([]);
    await restoreSource(scope, ids.site);
    expect(await refsOf(ids.site)).toEqual(refs);
  });

  describe("tried before they are saved", () => {
    async function check(uri: string, options: SourceUriOptions = {}) {
      const { kind, config, secrets } = parseSourceUri(uri, options);
      const id = randomUUID();
      await saveDraft(scope, { id, kind, config, sealedSecrets: seal(secrets, id), sealedFor: id });
      return run({ draftId: id });
    }
    async function run(of: CheckInput["of"]) {
      const workflowId = `check-${randomUUID()}`;
      const args: [CheckInput] = [{ workspaceId: scope.workspaceId, of }];
      const handle = await temporal.workflow.start(checkWorkflowName, { workflowId, taskQueue, args });
      const outcome = (await handle.result()) as CheckOutcome;
      const { events } = await handle.fetchHistory();
      // As JSON, bytes are base64.
      const history = JSON.stringify(events, (key, value: unknown) =>
        key === "data" && typeof value === "string" ? Buffer.from(value, "base64").toString() : value,
      );
      return { outcome, history };
    }
    const summaryOf = ({ outcome }: Awaited<ReturnType<typeof check>>) =>
      outcome.status === "ok" ? outcome.summary : outcome.error.message;

    it("say what they hold", async () => {
      const folder = summaryOf(await check(`file://${sourceDir}`));
      expect(folder).toMatch(/can be read and holds \d files, such as \S+, \S+ and \S+\.$/);
      expect(summaryOf(await check(from.uris.bucket, from.options))).toMatch(
        /^"manuals\/" in bucket "papers" can be read and holds \d objects: manuals\/boiler\.md/,
      );
      expect(summaryOf(await check(from.uris.table))).toMatch(/can be read: \d rows in "berths"\.$/);
      expect(summaryOf(await check(from.uris.query))).toMatch(/can be read: \d rows? in "query"\.$/);
      expect(summaryOf(await check(from.uris.site))).toContain(
        "answers, and its first page, “Harbour library”, leads to 2 pages: /loans and /rooms.",
      );
      // The stored source, with its stored credentials.
      expect((await run({ sourceId: ids.bucket })).outcome.status).toBe("ok");
    });

    it("say what is wrong and what to do, and no credential gets into Temporal's history", async () => {
      const table = new URL(from.uris.table);
      table.password = "tide-table-secret";
      await from.requireKeys(true);
      try {
        const cases: [code: string, sentence: string, uri: string, options?: SourceUriOptions][] = [
          ["SOURCE_NOT_FOUND", "does not exist", join(stateDir, "nowhere")],
          [
            "SOURCE_UNREACHABLE",
            "cannot be reached",
            from.uris.bucket,
            { ...from.options, s3Endpoint: "http://127.0.0.1:9" },
          ],
          ["SOURCE_CREDENTIALS", "did not accept the access key", from.uris.bucket, from.options],
          ["SOURCE_CREDENTIALS", "did not accept user", table.href],
          ["SOURCE_UNREACHABLE", "cannot be reached", `http://127.0.0.1:${await choosePort(undefined)}/`],
        ];
        for (const [code, sentence, uri, options] of cases) {
          const { outcome, history } = await check(uri, options);
          expect(outcome).toMatchObject({
            status: "failed",
            error: { code, message: expect.stringContaining(sentence), action: expect.stringMatching(/\.$/) },
            checks: [{ capability: "read", status: "missing", message: expect.stringContaining(sentence) }],
          });
          expect(history).toContain(code);
          expect(history).not.toMatch(/tide-table-secret|AKIDHARBOUR/);
        }
      } finally {
        await from.requireKeys(false);
      }
    });
  });
});

it(
  "writes a vector store that was lost again with the next run, from what the rest holds",
  { timeout: 400_000 },
  async () => {
    const before = await runLoop();
    const collection = before.outputs.collectionId!;
    const { chunks } = await countIndexed(scope, collection, null);
    const store = stack.services.find(({ name }) => name === "vectors")!;
    const lostPid = store.pid;
    await rm(join(stateDir, "vectors"), { recursive: true });
    process.kill(-lostPid, "SIGKILL");
    await until("the supervisor has started an empty store", async () => store.pid !== lostPid);
    await until("it answers", async () => vectors.ensureCollection(randomUUID(), 2).then(() => true));
    await expect(vectors.count(collection)).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });

    const run = await runLoop();
    expect(run.error).toBeNull();
    expect(noteOf(run, "index")).toBe(`${chunks} passages written or removed.`);
    expect(await vectors.count(collection)).toBe(chunks);
    expect(await countIndexed(scope, collection, null)).toMatchObject({ chunks });
  },
);

it(
  "survives kill -9 of the trainer and of the worker: the training goes on from a checkpoint, no step is lost",
  { timeout: 600_000 },
  async () => {
    const { runId, end } = await startLoop({ retrain: true, training: { maxSteps: 12, epochs: 50, batchTokens: 256 } });
    const trainingRunId = await until("the training has begun", async () => {
      const { trainingRunId: id } = (await getRun(scope, runId)).outputs;
      return id !== undefined && (await listTrainingMetrics(scope, id)).length > 0 && id;
    });
    const checkpoints = async () =>
      (await listTrainingMetrics(scope, trainingRunId)).filter((row) => row.checkpoint !== null).length;
    const resumptions = async () =>
      (await listTrainingLog(scope, trainingRunId)).filter(({ message }) => message.includes("resumed from step"))
        .length;

    await until("there is a checkpoint", async () => (await checkpoints()) > 0);
    const pidFile = join(stateDir, "training", trainingRunId, "trainer.pid");
    process.kill(Number((await readFile(pidFile, "utf8")).split(" ")[0]), "SIGKILL");
    await until("the trainer has resumed", async () => (await resumptions()) === 1);

    const worker = stack.services.find(({ name }) => name === "worker")!;
    const before = worker.pid;
    process.kill(-before, "SIGKILL");
    await until("the supervisor has started another worker", async () => worker.pid !== before);

    const run = await end();
    expect(run.error).toBeNull();
    expect(run.status).toBe("done");
    expect(await resumptions()).toBe(2);
    const { status, result } = await getTrainingRun(scope, trainingRunId);
    expect({ status, steps: result?.["steps"] }).toEqual({ status: "done", steps: 12 });
    const steps = (await listTrainingMetrics(scope, trainingRunId))
      .filter((row) => row.loss !== null)
      .map((row) => row.step);
    expect(steps).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    expect(await trainingsPlaced()).toEqual([]);
  },
);

it(
  "brings a killed engine back with its adapter; what cannot be served or does not fit is refused meanwhile",
  { timeout: 600_000 },
  async () => {
    const name = await servingNow();
    const service = stack.services.find(({ name: each }) => each === "engine")!;
    process.kill(-service.pid, "SIGKILL");
    await until("the engine is gone", async () => !(await engine.isHealthy()));
    const trainings = (await listTrainingRuns(scope)).length;

    const tooHigh = await runLoop({ retrain: true, training: { rank: 64 } });
    expect(tooHigh.error).toMatchObject({
      stage: "train",
      code: "ADAPTER_UNSERVEABLE",
      details: { rank: 64, maxLoraRank: 16 },
    });
    expect(await listTrainingRuns(scope)).toHaveLength(trainings);

    const tooLarge = await runLoop({ retrain: true, training: { batchTokens: 50_000_000 } });
    expect(tooLarge.error).toMatchObject({ stage: "train", code: "ADMISSION_REFUSED" });
    expect(tooLarge.error!.message).toMatch(/needs [\d.]+ GiB.*[\d.]+ GiB free of [\d.]+ GiB/);
    expect(tooLarge.error!.action).toContain("batch tokens");
    expect((await getTrainingRun(scope, tooLarge.outputs.trainingRunId!)).status).toBe("failed");
    expect(await trainingsPlaced()).toEqual([]);

    const answer = await until("the adapter answers again", () => answerOf(name), 240_000);
    expect(answer.completionTokens).toBeGreaterThan(0);
    await expect(engine.loadAdapter("missing", join(stateDir, "nowhere"))).rejects.toThrow();
  },
);

it("goes round with a single document, of which a part is held back for evaluation", { timeout: 600_000 }, async () => {
  const folder = join(testDir, "single");
  await mkdir(folder);
  const body = documents["visitors.md"]!.map(([question, answer]) => `## ${question}\n\n${answer}\n`).join("\n");
  await writeFile(join(folder, "only.md"), `# Guests\n\n${body.replaceAll("isitors", "isiting guests")}`);
  const sourceId = await addFolder("single", folder);
  const run = await runLoop({ sourceIds: [sourceId], datasetName: "single" });
  expect(run.error).toBeNull();
  expect(run.report).toMatchObject({ deployment: { replicas: 1 } });
  expect(run.report!.dataset?.eval).toBeGreaterThan(0);
  expect(run.report!.dataset?.train).toBeGreaterThan(0);
  expect((await answerOf(await servingNow())).completionTokens).toBeGreaterThan(0);
});
