import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { workspaceMembers } from "@anneal/core/access/acl";
import { purgeScheduleId, syncWorkflowId, syncWorkflowName, type SyncInput } from "@anneal/core/connect/contract";
import { AnnealError } from "@anneal/core/errors";
import { taskQueue, type StageInput } from "@anneal/core/loop/contract";
import { loopSettingsSchema } from "@anneal/core/loop/settings";
import { openDatabase, type DatabaseHandle, type Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { deleteSource, listSources, saveSource } from "@anneal/db/queries/sources";
import { countSourceDocuments, getDocument, listDocuments } from "@anneal/db/queries/documents";
import { createRun, getRun } from "@anneal/db/queries/loop";
import { endSync, listSyncFailures, listSyncs, requestPause, type SyncCounts } from "@anneal/db/queries/source-syncs";
import { releaseDocument, restoreDocument } from "@anneal/db/queries/tombstones";
import { createSecretBox } from "@anneal/db/secret-box";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import type { VectorIndex } from "@anneal/engines/vector-index";
import { locatePython } from "@anneal/local-stack/python-env";
import { startTemporal } from "@anneal/local-stack/start-temporal";
import { openFolderStore } from "@anneal/objects/folder-store";
import type { ObjectStore } from "@anneal/objects/object-store";
import { choosePort } from "@anneal/processes/choose-port";
import { Context, heartbeat } from "@temporalio/activity";
import { Client, Connection } from "@temporalio/client";
import { DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createConnectActivities } from "./activities/connect.ts";
import { createPurgeActivities } from "./activities/purge-deleted.ts";
import { createRunActivities } from "./activities/run.ts";
import { workflowsPath } from "./check-determinism.ts";
import { ensurePurgeSchedule } from "./drivers/purge-schedule.ts";
import type { ReaderPushes } from "./drivers/reader-pushes.ts";
import { withFailures } from "./error-map.ts";

// A folder is read by the real workflow on a real Temporal; only what it stores passes a gate.

/** The folder connector's: after so many files it yields a checkpoint. */
const checkpointEvery = 200;

let test: TestDatabase;
let database: DatabaseHandle;
let temporal: Awaited<ReturnType<typeof startTemporal>>;
let connections: [Connection, NativeConnection];
let client: Client;
let worker: Worker;
let running: Promise<void>;
let scope: Scope;
let folder: string;
let sourceId: string;

const noVectors = new Proxy({} as VectorIndex, { get: () => expect.fail("the index was asked") });
/** No workspace here has an index to tell. */
const noPushes: ReaderPushes = { begin: async () => undefined, ensure: async () => undefined };

/** How many contents were stored, and what happens before each. */
const store = { puts: 0, beforePut: async (_count: number): Promise<void> => undefined };
/** Folders of two files: what is deleted in them is meant. */
const deletions = { maxShare: 1 };
/** What happens before a source is locked, which is before its sync has a row or goes on in it. */
let beforeLock = async (): Promise<void> => undefined;

beforeAll(async () => {
  test = await startTestDatabase();
  database = openDatabase(test.appUrl);
  const port = await choosePort(undefined);
  temporal = await startTemporal({
    env: process.env,
    binary: locatePython(process.env).temporal,
    dir: join(test.dir, "temporal"),
    logFile: join(test.dir, "temporal.log"),
    port,
    httpPort: await choosePort(undefined, new Set([port])),
    namespace: "default",
  });
  Runtime.install({
    logger: new DefaultLogger("ERROR", () => {}),
    telemetryOptions: { logging: { forward: {}, filter: "OFF" } },
  });
  connections = [
    await Connection.connect({ address: temporal.url }),
    await NativeConnection.connect({ address: temporal.url }),
  ];
  client = new Client({ connection: connections[0] });
  const folderStore = openFolderStore(join(test.dir, "objects"));
  const objects: ObjectStore = {
    ...folderStore,
    async put(key, body) {
      store.puts += 1;
      await store.beforePut(store.puts);
      return folderStore.put(key, body);
    },
  };
  const secretBox = createSecretBox(randomBytes(32).toString("base64"));
  const { python } = locatePython(process.env);
  worker = await Worker.create({
    connection: connections[1],
    taskQueue,
    workflowsPath,
    maxHeartbeatThrottleInterval: "200 milliseconds",
    activities: withFailures({
      ...createConnectActivities({
        database: {
          db: database.db,
          async tryLock(name) {
            await beforeLock();
            return database.tryLock(name);
          },
        },
        objects,
        secretBox,
        chromiumPath: null,
        ownFolders: [],
        python: { python, pythonPath: undefined },
        observeRemote: () => () => undefined,
        readerPushes: noPushes,
        deletions,
      }),
      ...createRunActivities({ db: test.db }),
      // Nothing here is ever indexed, and what is deleted may go at once.
      ...createPurgeActivities({ db: test.db, objects, vectors: noVectors, tombstoneDays: 0 }),
    }),
  });
  running = worker.run();
});

afterAll(async () => {
  worker?.shutdown();
  await running;
  for (const connection of connections ?? []) await connection.close();
  await temporal?.stop();
  await database?.close();
  await test?.stop();
});

beforeEach(async () => {
  const { id: workspaceId } = await saveWorkspace(test.db, { slug: randomUUID(), name: "Test" });
  scope = { db: test.db, workspaceId };
  sourceId = randomUUID();
  folder = join(test.dir, sourceId);
  await mkdir(folder);
  await saveSource(scope, {
    id: sourceId,
    name: "Folder",
    kind: "file",
    config: { path: folder },
    sealedSecrets: null,
    defaultAcl: { allow: [workspaceMembers(workspaceId)], deny: [] },
    schedule: null,
  });
  store.puts = 0;
  store.beforePut = async () => undefined;
  beforeLock = async () => undefined;
  deletions.maxShare = 1;
});

const nameOf = (index: number) => `${String(index).padStart(4, "0")}.txt`;
const write = (index: number) => writeFile(join(folder, nameOf(index)), `${sourceId} ${index}`);
const writeAll = (count: number) => Promise.all(Array.from({ length: count }, (_, index) => write(index)));
const pickCounts = ({ scanned, read, added, changed, removed, dropped, bytes }: SyncCounts): SyncCounts => {
  return { scanned, read, added, changed, removed, dropped, bytes };
};
const syncs = async () => (await listSyncs(scope, sourceId, { limit: 20, offset: 0 })).rows;
const live = () => countSourceDocuments(scope, [sourceId]);

async function start(change: Partial<SyncInput> = {}, workflowId = syncWorkflowId(sourceId)) {
  const input: SyncInput = {
    workspaceId: scope.workspaceId,
    sourceId,
    confirmDeletions: false,
    startedBy: "ada@example.com",
    ...change,
  };
  return client.workflow.start(syncWorkflowName, { workflowId, taskQueue, args: [input] });
}
async function sync(change: Partial<SyncInput> = {}) {
  await (await start(change)).result();
  return (await syncs())[0]!;
}

/** The sync comes as far as its nth content and waits there. */
function gateAt(count: number) {
  const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  store.beforePut = async (put) => {
    if (put !== count) return;
    reached.resolve();
    await opened.promise;
  };
  return { reached: reached.promise, open: opened.resolve };
}

async function pauseAt(count: number) {
  const gate = gateAt(count);
  const sync = await start();
  await gate.reached;
  expect(await requestPause(scope, sourceId)).toBe(true);
  gate.open();
  await sync.result();
  return (await syncs())[0]!;
}

describe("a sync that is paused", () => {
  it("stops at its next checkpoint and, resumed, goes on as the same sync and fetches nothing twice", async () => {
    await writeAll(250);
    const paused = await pauseAt(10);
    expect(paused).toMatchObject({ status: "paused", scanned: checkpointEvery, added: checkpointEvery, removed: 0 });
    expect(paused.bytes).toBeGreaterThan(checkpointEvery * 36);
    expect(await live()).toBe(checkpointEvery);

    const resumed = await sync({ continues: paused.id });
    expect(resumed).toMatchObject({ id: paused.id, status: "done", scanned: 250, read: 250, added: 250, removed: 0 });
    expect(await syncs()).toHaveLength(1);
    expect(await live()).toBe(250);
    expect(store.puts).toBe(250);
  });

  it("is left alone by its source's schedule, and superseded by whoever reads the source by hand", async () => {
    await writeAll(300);
    const paused = await pauseAt(1);
    await sync({ startedBy: "schedule" });
    expect(await syncs()).toMatchObject([{ id: paused.id, status: "paused" }]);
    expect(await live()).toBe(checkpointEvery);

    await sync();
    expect(await syncs()).toMatchObject([
      { status: "done", scanned: 300, added: 100 },
      { id: paused.id, status: "cancelled" },
    ]);
  });

  it("has ended instead when only its end was left to do", async () => {
    await writeAll(3);
    expect(await pauseAt(3)).toMatchObject({ status: "done", scanned: 3 });
  });
});

describe("deletions that a person confirms", () => {
  it("are those that they were told of: of many more they are asked again", async () => {
    deletions.maxShare = 0.2;
    await writeAll(20);
    await sync();
    const remove = (from: number, to: number) =>
      Promise.all(Array.from({ length: to - from }, (_, index) => rm(join(folder, nameOf(from + index)))));
    await remove(0, 5);
    expect(await sync()).toMatchObject({ removed: 0, error: { details: { missing: 5 } } });
    // Before they look: most of the folder is gone.
    await remove(5, 19);
    expect(await sync({ confirmDeletions: true })).toMatchObject({ removed: 0, error: { details: { missing: 19 } } });
    expect(await live()).toBe(20);
    expect(await sync({ confirmDeletions: true })).toMatchObject({ removed: 19, error: null });
    expect(await live()).toBe(1);
  });
});

describe("a sync whose source is changed while it reads", () => {
  const lead = async (path: string) => {
    const id = sourceId;
    const defaultAcl = { allow: [workspaceMembers(scope.workspaceId)], deny: [] };
    const facts = { name: "Folder", kind: "file", sealedSecrets: null, schedule: null, defaultAcl };
    await saveSource(scope, { id, ...facts, config: { path }, isElsewhere: true });
  };

  it("reads anew with the new settings, as the same sync, and deletes nothing that was confirmed for the old ones", async () => {
    deletions.maxShare = 0.2;
    await writeAll(250);
    await sync();
    await write(250);
    const other = join(test.dir, randomUUID());
    await mkdir(other);
    await writeFile(join(other, "public.txt"), "for all");
    const gate = gateAt(251);
    const changed = await start({ confirmDeletions: true });
    await gate.reached;
    await lead(other);
    gate.open();
    await changed.result();
    expect(await syncs()).toMatchObject([
      { status: "done", scanned: 1, removed: 0, error: { code: "CONFLICT", details: { heldBack: true } } },
      { status: "done", scanned: 250 },
    ]);
    const readers = [workspaceMembers(scope.workspaceId)];
    const { rows } = await listDocuments(scope, { sourceId, readers }, { limit: 10, offset: 0 });
    expect(rows.map(({ ref }) => ref)).toEqual(["public.txt"]);
  });
});

describe("a sync whose source asks to be left alone", () => {
  const throttled = (retryAfterMs: number) =>
    new AnnealError("RATE_LIMITED", "Too many requests.", { action: "Wait.", details: { retryAfterMs } });
  const waiting = async (status = "waiting") =>
    expect.poll(async () => (await syncs())[0]?.status, { timeout: 20_000 }).toBe(status);

  it("goes on after each wait, however many there are, while it gets on between, and stays one sync", async () => {
    await writeAll(300);
    let throttles = 0;
    store.beforePut = async (put) => {
      if (put % 40 !== 0) return;
      throttles += 1;
      throw throttled(20);
    };
    expect(await sync()).toMatchObject({ status: "done", scanned: 300, added: 300, dropped: 0, waitsUntil: null });
    expect(await syncs()).toHaveLength(1);
    expect(await live()).toBe(300);
    expect(throttles).toBeGreaterThan(6);
  });

  it("ends with the source's word after six waits in a row that brought nothing", async () => {
    await writeAll(1);
    store.beforePut = async () => {
      throw throttled(5);
    };
    await expect(sync()).rejects.toThrow();
    expect(store.puts).toBe(7);
    expect(await syncs()).toMatchObject([
      { status: "failed", error: { code: "RATE_LIMITED", message: expect.stringContaining("6 times in a row") } },
    ]);
  });

  it("says until when it waits, is let alone by its schedule meanwhile, and can be cancelled", async () => {
    await writeAll(30);
    store.beforePut = async (put) => {
      if (put === 20) throw throttled(3_600_000);
    };
    const before = Date.now();
    const handle = await start();
    await waiting();
    const [row] = await syncs();
    expect(row).toMatchObject({ error: { code: "RATE_LIMITED", message: "Too many requests." }, endedAt: null });
    expect(row!.waitsUntil!.getTime()).toBeGreaterThanOrEqual(before + 3_600_000);

    const fired = await start({ startedBy: "schedule" }, randomUUID());
    expect(await fired.result()).toMatchObject({ scanned: 0, heldBack: expect.stringContaining("Waiting until") });
    expect(await syncs()).toEqual([row]);

    await handle.cancel();
    await expect(handle.result()).rejects.toThrow("cancelled");
    expect(await syncs()).toMatchObject([{ id: row!.id, status: "cancelled", waitsUntil: null }]);
    expect(await sync()).toMatchObject({ status: "done", added: 30 - row!.added });
  });

  it("is the same one in a new workflow, as it is where the history of its own has grown long", async () => {
    await writeAll(30);
    store.beforePut = async (put) => {
      if (put === 20) throw throttled(3_600_000);
    };
    const handle = await start();
    await waiting();
    const [row] = await syncs();
    await handle.terminate();
    const continued = await start({ waited: { syncId: row!.id, idleWaits: 1 } });
    expect(await continued.result()).toMatchObject({ scanned: 30, changed: 30 });
    expect(await syncs()).toMatchObject([{ id: row!.id, status: "done", added: 30, read: 30 }]);
  });

  it("still tells after the wait what it could not read before its checkpoint", async () => {
    await writeAll(30);
    store.beforePut = async (put) => {
      if (put === 20) throw throttled(3_600_000);
    };
    const handle = await start();
    await waiting();
    await handle.terminate();
    // As an attempt leaves it that was told of a failure by a feed, which tells nothing twice.
    const [{ id, ...row }] = (await syncs()) as [Awaited<ReturnType<typeof syncs>>[number]];
    const failure = { ref: "gone.txt", code: "SOURCE_FORBIDDEN" as const, message: "No.", action: "Grant it." };
    const ended = { id, sourceId, counts: pickCounts({ ...row, dropped: 1 }), failures: [failure] };
    await endSync(scope, ended, { status: "waiting", until: new Date(), error: throttled(1).toReport() });
    const continued = await start({ waited: { syncId: id, idleWaits: 1 } });
    expect(await continued.result()).toMatchObject({ scanned: 30, failed: 1 });
    expect(await syncs()).toMatchObject([{ id, status: "done", added: 30, dropped: 1 }]);
    expect(await listSyncFailures(scope, id)).toEqual([failure]);
  });

  it("waits no longer where the attempt after the wait fails before it begins", async () => {
    await writeAll(1);
    store.beforePut = async () => {
      beforeLock = async () => {
        throw new AnnealError("DISK_FULL", "The disk is full.", { action: "Make room." });
      };
      throw throttled(20);
    };
    await expect(sync()).rejects.toThrow();
    expect(await syncs()).toMatchObject([{ status: "failed", waitsUntil: null, error: { code: "DISK_FULL" } }]);
    expect(await listSources(scope)).toMatchObject([{ waitsUntil: null, lastSyncError: { code: "DISK_FULL" } }]);
  });

  it("within a run says so in the run's stage, and the run has all of it", async () => {
    await writeAll(30);
    store.beforePut = async (put) => {
      if (put === 20) throw throttled(3000);
    };
    const [runId, settings] = [randomUUID(), loopSettingsSchema.parse({})];
    await createRun(scope, { id: runId, workflowId: runId, startedBy: "ada@example.com", settings });
    const input: StageInput = { workspaceId: scope.workspaceId, runId, settings };
    const run = await client.workflow.start("connect", { workflowId: `${runId}-connect`, taskQueue, args: [input] });
    const stage = async () => (await getRun(scope, runId)).stages.find(({ stage }) => stage === "connect");
    await expect
      .poll(async () => (await stage())?.progress?.note, { timeout: 20_000 })
      .toContain("UTC, as “Folder” asked for.");
    await run.result();
    expect(await stage()).toMatchObject({ status: "done", inCount: 30, outCount: 30 });
    expect(await syncs()).toMatchObject([{ runId, status: "done", added: 30, startedBy: "ada@example.com" }]);
  });
});

describe("a run over several sources", () => {
  const connect = async () => {
    const [runId, settings] = [randomUUID(), loopSettingsSchema.parse({})];
    await createRun(scope, { id: runId, workflowId: runId, startedBy: "ada@example.com", settings });
    const input: StageInput = { workspaceId: scope.workspaceId, runId, settings };
    const run = await client.workflow.start("connect", { workflowId: `${runId}-connect`, taskQueue, args: [input] });
    await run.result().catch(() => undefined);
    return (await getRun(scope, runId)).stages.find(({ stage }) => stage === "connect");
  };
  const addFolder = (name: string, path: string) =>
    saveSource(scope, {
      id: randomUUID(),
      name,
      kind: "file",
      config: { path },
      sealedSecrets: null,
      defaultAcl: { allow: [], deny: [] },
      schedule: null,
    });

  it("goes on without one that cannot be read, and says which and why", async () => {
    await writeAll(3);
    // By name the first one.
    await addFolder("Attic", join(folder, "gone"));
    expect(await connect()).toMatchObject({
      status: "done",
      inCount: 3,
      note: expect.stringMatching(
        /^3 new or changed, 0 deleted\. “Attic” could not be read, and stays as it was: .*gone/,
      ),
    });
    expect((await listSources(scope)).find(({ name }) => name === "Attic")?.lastSyncError?.code).toMatch(/^SOURCE_/);
  });

  it("fails where none of them can be read", async () => {
    await rm(folder, { recursive: true });
    await addFolder("Attic", join(folder, "gone"));
    expect(await connect()).toMatchObject({ status: "failed", error: { code: "SOURCE_NOT_FOUND" } });
    expect(await live()).toBe(0);
  });
});

it("a sync that is cancelled ends at once, and the next one goes on with what it had not stored", async () => {
  await writeAll(300);
  const reached = Promise.withResolvers<void>();
  store.beforePut = async (put) => {
    if (put !== 250) return;
    reached.resolve();
    // A heartbeat is how the activity hears of it.
    const pulse = setInterval(() => heartbeat(), 100);
    await Context.current().cancelled.catch(() => undefined);
    clearInterval(pulse);
  };
  const handle = await start();
  await reached.promise;
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow("cancelled");
  await expect.poll(async () => (await syncs())[0]?.status, { timeout: 20_000 }).toBe("cancelled");
  const [cancelled] = await syncs();
  expect(cancelled!.workflowId).toBe(syncWorkflowId(sourceId));
  expect(await sync()).toMatchObject({ status: "done", scanned: 300, added: 300 - cancelled!.added });
  expect(await live()).toBe(300);
});

it("says while it reads how much of what the last sync listed it has seen, and how much was fetched", async () => {
  await writeAll(20);
  await sync();
  for (let index = 0; index < 20; index++) await writeFile(join(folder, nameOf(index)), `changed ${index}`);
  const gate = gateAt(20 + 15);
  const handle = await start();
  await gate.reached;
  expect((await syncs())[0]).toMatchObject({ status: "running", progress: { expected: 20 } });
  gate.open();
  await handle.result();
  expect((await syncs())[0]).toMatchObject({ status: "done", changed: 20, progress: null, bytes: 10 * 9 + 10 * 10 });
});

describe("a deleted document", () => {
  const documentOf = async (ref: string, status?: "deleted") => {
    const { rows } = await listDocuments(scope, { sourceId, ...(status ? { status } : {}) }, { limit: 50, offset: 0 });
    return rows.find((row) => row.ref === ref);
  };

  it("that a person took back outlives the next syncs, follows its source again when it is back there", async () => {
    await writeAll(3);
    await sync();
    await rm(join(folder, nameOf(1)));
    expect(await sync()).toMatchObject({ removed: 1 });
    const { id } = (await documentOf(nameOf(1), "deleted"))!;
    await restoreDocument(scope, id, "ada@example.com");
    expect(await sync()).toMatchObject({ status: "done", removed: 0 });
    expect(await getDocument(scope, id)).toMatchObject({ deletedAt: null, restoredBy: "ada@example.com" });

    await write(1);
    expect(await sync()).toMatchObject({ added: 1 });
    expect(await getDocument(scope, id)).toMatchObject({ restoredAt: null });
    await rm(join(folder, nameOf(1)));
    expect(await sync()).toMatchObject({ removed: 1 });
  });

  it("that a person let go again stays deleted", async () => {
    await writeAll(2);
    await sync();
    await rm(join(folder, nameOf(0)));
    await sync();
    const { id } = (await documentOf(nameOf(0), "deleted"))!;
    await restoreDocument(scope, id, "ada@example.com");
    await releaseDocument(scope, id);
    expect(await sync()).toMatchObject({ removed: 0 });
    expect((await getDocument(scope, id)).deletedAt).not.toBeNull();
  });
});

it("a source that is removed while its sync is paused stays removed", async () => {
  await writeAll(300);
  const paused = await pauseAt(1);
  await deleteSource(scope, sourceId);
  await expect((await start({ continues: paused.id })).result()).rejects.toThrow();
  expect(await live()).toBe(0);
  expect(await readdir(folder)).toHaveLength(300);
});

it("the purge is scheduled daily from the first start on, once, and what fires it takes what has expired", async () => {
  await ensurePurgeSchedule(client);
  await ensurePurgeSchedule(client);
  const handle = client.schedule.getHandle(purgeScheduleId);
  expect((await handle.describe()).spec.intervals).toMatchObject([{ every: 24 * 60 * 60_000 }]);

  await writeAll(2);
  await sync();
  await rm(join(folder, nameOf(0)));
  await sync();
  const { rows } = await listDocuments(scope, { sourceId, status: "deleted" }, { limit: 5, offset: 0 });
  await handle.trigger();
  await expect
    .poll(
      () =>
        getDocument(scope, rows[0]!.id).then(
          () => "there",
          () => "gone",
        ),
      { timeout: 60_000 },
    )
    .toBe("gone");
  expect(await live()).toBe(1);
});
