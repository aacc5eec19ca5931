import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { nobody } from "@anneal/core/access/acl";
import { syncWorkflowId, syncWorkflowName, type SyncInput } from "@anneal/core/connect/contract";
import { pushReadersWorkflowId } from "@anneal/core/indexing/contract";
import { taskQueue } from "@anneal/core/loop/contract";
import { grantGroup } from "@anneal/connectors/conformance/fake-microsoft/fake-grants";
import {
  startFakeMicrosoft,
  type FakeMicrosoft,
} from "@anneal/connectors/conformance/fake-microsoft/start-fake-microsoft";
import { openDatabase, type DatabaseHandle, type Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { saveSource } from "@anneal/db/queries/sources";
import { listHeldPrincipals } from "@anneal/db/queries/directory";
import { listDocuments } from "@anneal/db/queries/documents";
import { hasReaderChanges } from "@anneal/db/queries/reader-changes";
import { listSyncs } from "@anneal/db/queries/source-syncs";
import { createSecretBox } from "@anneal/db/secret-box";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { createVectorIndex, type VectorIndex } from "@anneal/engines/vector-index";
import { locatePython } from "@anneal/local-stack/python-env";
import { startTemporal } from "@anneal/local-stack/start-temporal";
import { startVectors } from "@anneal/local-stack/start-vectors";
import { openFolderStore } from "@anneal/objects/folder-store";
import type { ObjectStore } from "@anneal/objects/object-store";
import { choosePort } from "@anneal/processes/choose-port";
import { Client, Connection } from "@temporalio/client";
import { DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { createConnectActivities } from "./activities/connect.ts";
import { createIndexed } from "./activities/indexed.fixture.ts";
import { createPushActivities } from "./activities/push-readers.ts";
import { workflowsPath } from "./check-determinism.ts";
import { createReaderPushes } from "./drivers/reader-pushes.ts";
import { withFailures } from "./error-map.ts";

// From a change at the source to what somebody finds: the real workflows on a real Temporal, PostgreSQL and Qdrant's
// engine, and a tenant of Microsoft 365 as its documentation describes it. No run of the loop takes place.

const ada = "ada@contoso.example";

let test: TestDatabase;
let database: DatabaseHandle;
let temporal: Awaited<ReturnType<typeof startTemporal>>;
let connections: [Connection, NativeConnection];
let client: Client;
let worker: Worker;
let running: Promise<void>;
let objects: ObjectStore;
/** What happens before a content is stored. */
const store = { beforePut: async (): Promise<void> => undefined };
let fake: FakeMicrosoft;
let port: number;
let server: Awaited<ReturnType<typeof startVectors>>;
let vectors: VectorIndex;
/** Requests that changed payloads. */
let pushes = 0;
let scope: Scope;
let sourceId: string;
let indexed: ReturnType<typeof createIndexed>;
let items: Record<"pump" | "valve", ReturnType<FakeMicrosoft["tenant"]["put"]>>;
let documentIds: Record<string, string>;

const { python } = locatePython(process.env);
const secretBox = createSecretBox(randomBytes(32).toString("base64"));

const startIndex = () =>
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
  database = openDatabase(test.appUrl);
  port = await choosePort(undefined);
  server = await startIndex();
  const index = createVectorIndex({ url: server.url, apiKey: "key" });
  vectors = {
    ...index,
    async setDocumentsPayload(...change) {
      await index.setDocumentsPayload(...change);
      pushes += 1;
    },
  };
  fake = await startFakeMicrosoft();
  const folder = openFolderStore(join(test.dir, "objects"));
  objects = {
    ...folder,
    async put(key, body) {
      await store.beforePut();
      return folder.put(key, body);
    },
  };
  const temporalPort = await choosePort(undefined);
  temporal = await startTemporal({
    env: process.env,
    binary: locatePython(process.env).temporal,
    dir: join(test.dir, "temporal"),
    logFile: join(test.dir, "temporal.log"),
    port: temporalPort,
    httpPort: await choosePort(undefined, new Set([temporalPort])),
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
  worker = await Worker.create({
    connection: connections[1],
    taskQueue,
    workflowsPath,
    activities: withFailures({
      ...createConnectActivities({
        database,
        objects,
        secretBox,
        chromiumPath: null,
        ownFolders: [],
        python: { python, pythonPath: undefined },
        observeRemote: () => () => undefined,
        readerPushes: createReaderPushes(client),
      }),
      ...createPushActivities({ db: test.db, vectors }),
    }),
  });
  running = worker.run();
});

afterAll(async () => {
  worker?.shutdown();
  await running;
  for (const connection of connections ?? []) await connection.close();
  await temporal?.stop();
  await fake?.stop();
  await server?.stop();
  await database?.close();
  await test?.stop();
});

beforeEach(async () => {
  const { id: workspaceId } = await saveWorkspace(test.db, { slug: randomUUID(), name: "Test" });
  scope = { db: test.db, workspaceId };
  sourceId = randomUUID();
  indexed = createIndexed({ scope, objects, vectors });
  const { tenant } = fake;
  const person = tenant.users.get("ada") ?? tenant.addUser("ada");
  const facts = { groupTypes: [], owners: [] };
  for (const [name, members] of [["staff", [person.id]] as const, ["guests", []] as const])
    tenant.groups.set(name, { id: randomUUID(), displayName: name, members: [...members], ...facts });
  const drive = tenant.addDrive("Documents");
  tenant.siteDriveIds.splice(0, Number.POSITIVE_INFINITY, drive.id);
  items = { pump: tenant.put(drive, "pump.txt", "pump"), valve: tenant.put(drive, "valve.txt", "valve") };
  for (const item of Object.values(items)) tenant.share(item, [grantGroup(tenant, "guests")]);
  await saveSource(scope, {
    id: sourceId,
    name: "Team",
    kind: "sharepoint",
    config: {
      tenantId: tenant.id,
      clientId: tenant.clientId,
      siteUrl: "https://contoso.sharepoint.example/sites/team",
      graphUrl: fake.graphUrl,
      authorityUrl: fake.authorityUrl,
      allowPrivateHosts: true,
    },
    sealedSecrets: secretBox.seal({ clientSecret: tenant.clientSecret }, sourceId),
    defaultAcl: nobody,
    schedule: null,
  });
  await sync();
  const { rows } = await listDocuments(scope, { sourceId }, { limit: 10, offset: 0 });
  documentIds = Object.fromEntries(rows.map(({ title, id }) => [title.replace(".txt", ""), id]));
  for (const [name, id] of Object.entries(documentIds)) await indexed.clean(id, `The ${name} is cleaned every week.`);
  await indexed.index();
  pushes = 0;
});

async function sync() {
  const input: SyncInput = { workspaceId: scope.workspaceId, sourceId, confirmDeletions: false, startedBy: ada };
  await client.workflow.execute(syncWorkflowName, { workflowId: syncWorkflowId(sourceId), taskQueue, args: [input] });
  const [row] = (await listSyncs(scope, sourceId, { limit: 1, offset: 0 })).rows;
  expect(row).toMatchObject({ status: "done", error: null });
}

/** Names of the documents that Ada finds with what she holds now. */
async function found(): Promise<string[]> {
  const ids = await indexed.find(await listHeldPrincipals(scope, ada));
  return Object.keys(documentIds)
    .filter((name) => ids.includes(documentIds[name]!))
    .sort();
}

const untilFound = (names: string[]) => expect.poll(found, { timeout: 60_000 }).toEqual(names);
const share = (name: keyof typeof items, ...groups: string[]) =>
  fake.tenant.share(
    items[name],
    groups.map((group) => grantGroup(fake.tenant, group)),
  );

it("a sharing is found, and one that is taken back is not, after the sync that saw it, with nothing embedded again", async () => {
  const { length } = indexed.embedded;
  expect(length).toBe(2);
  expect(await found()).toEqual([]);
  share("pump", "staff");
  await sync();
  await untilFound(["pump"]);
  share("pump", "guests");
  share("valve", "guests", "staff");
  await sync();
  await untilFound(["valve"]);
  expect(indexed.embedded).toHaveLength(length);
});

it("who joins a group finds what it may read, and who leaves it does not, with no payload written", async () => {
  const { tenant } = fake;
  const guests = tenant.groups.get("guests")!;
  guests.members = [tenant.users.get("ada")!.id];
  await sync();
  expect(await found()).toEqual(["pump", "valve"]);
  guests.members = [];
  await sync();
  expect(await found()).toEqual([]);
  expect(await hasReaderChanges(scope)).toBe(false);
  expect(pushes).toBe(0);
  await expect(client.workflow.getHandle(pushReadersWorkflowId(scope.workspaceId)).describe()).rejects.toThrow(
    /not found/i,
  );
});

it("a sync is done while the index is down, and what it saw is told when the index is back", async () => {
  share("pump", "staff");
  await server.stop();
  try {
    await sync();
    // A second one is neither in the way of the push nor held up by it.
    share("valve", "staff");
    await sync();
    expect(await hasReaderChanges(scope)).toBe(true);
  } finally {
    server = await startIndex();
  }
  await untilFound(["pump", "valve"]);
  await client.workflow.getHandle(pushReadersWorkflowId(scope.workspaceId)).result();
  expect(await hasReaderChanges(scope)).toBe(false);
});

it("a push that was given up is made by the next sync, whether it sees anything or not", async () => {
  share("pump", "staff");
  await server.stop();
  const push = client.workflow.getHandle(pushReadersWorkflowId(scope.workspaceId));
  try {
    await sync();
    await push.terminate();
  } finally {
    server = await startIndex();
  }
  expect(await found()).toEqual([]);
  await sync();
  await untilFound(["pump"]);
});

it("what a long sync saw is found before it ends", async () => {
  const { tenant } = fake;
  share("pump", "staff");
  // The feed goes on with a document whose content takes until the other is found.
  const { promise, resolve } = Promise.withResolvers<void>();
  store.beforePut = () => promise;
  tenant.put(tenant.drives.get(tenant.siteDriveIds[0]!)!, "zebra.txt", "zebra");
  const reading = sync();
  try {
    await untilFound(["pump"]);
    expect((await listSyncs(scope, sourceId, { limit: 1, offset: 0 })).rows).toMatchObject([{ status: "running" }]);
  } finally {
    resolve();
    await reading;
    store.beforePut = async () => undefined;
  }
});
