import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { nobody } from "@anneal/core/access/acl";
import type { DeployInput } from "@anneal/core/deploy/contract";
import { AnnealError } from "@anneal/core/errors";
import { loopSettingsSchema } from "@anneal/core/loop/settings";
import type { Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { saveSource } from "@anneal/db/queries/sources";
import { upsertDocument } from "@anneal/db/queries/synced-documents";
import { listCurrentAliases } from "@anneal/db/queries/deploy";
import { getDocument } from "@anneal/db/queries/documents";
import { countIndexed, saveCollection } from "@anneal/db/queries/indexing";
import { addRunOutputs, beginStage, createRun, getRun } from "@anneal/db/queries/loop";
import { saveAdapterVersion } from "@anneal/db/queries/register";
import {
  beatGateway,
  listReplicas,
  listResidencies,
  readAliasEpoch,
  removeGateway,
  removeReplicasExcept,
  saveReplica,
  saveResidency,
  updateReplica,
  type Replica,
} from "@anneal/db/queries/serving";
import { endPlacement, listActivePlacements, savePool, submitPlacement } from "@anneal/db/queries/pools";
import { createTrainingRun, getTrainingRun } from "@anneal/db/queries/train";
import { saveDatasetVersion } from "@anneal/db/queries/dataset";
import { ensureServingTarget, getServingTarget, updateServingTarget } from "@anneal/db/queries/serving-target";
import { ParserPool } from "@anneal/documents/parser-pool";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import type { EmbeddingsClient } from "@anneal/engines/embeddings-client";
import { createVectorIndex } from "@anneal/engines/vector-index";
import { choosePort } from "@anneal/processes/choose-port";
import { locatePython } from "@anneal/local-stack/python-env";
import { startVectors } from "@anneal/local-stack/start-vectors";
import { openFolderStore } from "@anneal/objects/folder-store";
import type { ObjectStore } from "@anneal/objects/object-store";
import { defaultProfile } from "@anneal/sizing/autoscale/replica-profile";
import { asyncLocalStorage, type Context } from "@temporalio/activity";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { createReplicaDriver, type ReplicaDriver } from "../drivers/replicas.ts";
import { createLog } from "../log.ts";
import { createCleanActivities } from "./clean.ts";
import { createDeployActivities, type DeployActivities } from "./deploy.ts";
import { startFakeEngine, type FakeEngine } from "./fake-engine.fixture.ts";
import { createIndexingActivities } from "./indexing.ts";
import { createServingScaler } from "./scale-serving.ts";
import { createServingActivities } from "./serving.ts";
import { createTrainActivities, machinePool } from "./train.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

let handle: TestDatabase;
let objects: ObjectStore;
let scope: Scope;

beforeAll(async () => {
  handle = await startTestDatabase();
  objects = openFolderStore(join(handle.dir, "objects"));
});

afterAll(() => handle?.stop());

beforeEach(async () => {
  scope = await createScope();
});

async function createScope(): Promise<Scope> {
  const { id } = await saveWorkspace(handle.db, { slug: randomUUID(), name: "Test" });
  return { db: handle.db, workspaceId: id };
}

async function createStageInput(outputs = {}) {
  const [runId, settings] = [randomUUID(), loopSettingsSchema.parse({})];
  await createRun(scope, { id: runId, workflowId: "w", startedBy: "ada", settings });
  await addRunOutputs(scope, runId, outputs);
  return { workspaceId: scope.workspaceId, runId, settings };
}

/** What the activities ask of Temporal: who they are, and that nobody stops them. */
const asActivity = <T>(work: () => Promise<T>, signal = new AbortController().signal): Promise<T> =>
  asyncLocalStorage.run(
    {
      info: { workflowExecution: { workflowId: "w", runId: "w" } },
      cancellationSignal: signal,
      heartbeat: () => undefined,
    } as unknown as Context,
    work,
  );

describe("deploying", () => {
  let engine: FakeEngine;
  let replica: Replica;
  let driver: ReplicaDriver;
  let deploying: DeployActivities;
  /** New for each test: a name is held by whichever workspace serves it. */
  let adapterName: string;
  const versionOf = (servingName: string) => servingName.split("@")[1]!;

  beforeAll(async () => {
    engine = await startFakeEngine();
    driver = createReplicaDriver({
      db: handle.db,
      objects,
      adapterDir: join(handle.dir, "adapters"),
      apiKey: undefined,
    });
    deploying = createDeployActivities({ db: handle.db, replicas: driver, hasWorkflowEnded: async () => false });
  });

  afterAll(() => engine.close());

  beforeEach(async () => {
    engine.held.clear();
    engine.refused.clear();
    adapterName = `support-${randomUUID()}`;
    await removeReplicasExcept(handle.db, []);
    replica = await saveReplica(handle.db, { url: engine.url, baseModel: "tiny" });
    await updateReplica(handle.db, replica.id, { status: "ready" });
  });

  async function register(digest: string): Promise<string> {
    const lineage = {
      baseModel: "tiny",
      baseDigest: "b",
      datasetVersionId: randomUUID(),
      datasetDigest: "d",
      trainingRunId: randomUUID(),
      config: {},
    };
    const objectPrefix = `adapters/${digest}`;
    await objects.put(`${objectPrefix}/adapter_config.json`, Buffer.from("{}"));
    const facts = { objectPrefix, rank: 8, sizeBytes: 2, lineage, metrics: {}, card: "" };
    const adapter = { name: adapterName, baseModel: "tiny" };
    return (await saveAdapterVersion(scope, adapter, { id: randomUUID(), digest, ...facts })).version.id;
  }

  const inputOf = (adapterVersionId: string, alias = "production"): DeployInput => ({
    workspaceId: scope.workspaceId,
    deploymentId: randomUUID(),
    adapterVersionId,
    alias,
    by: "ada",
  });
  const report = (input: DeployInput, status: "done" | "failed") =>
    deploying.reportDeployment({ ...input, steps: [], result: null, status, error: null });

  async function load(input: DeployInput) {
    const target = { ...input, ...(await deploying.openDeployment(input)) };
    await deploying.loadOnReplicas(target);
    return target;
  }
  async function flip(input: DeployInput) {
    return deploying.flipDeployment(await load(input));
  }
  /** As the workflow does it. */
  async function deploy(adapterVersionId: string, alias?: string) {
    const input = inputOf(adapterVersionId, alias);
    const { previousServingName: servingName, epoch } = await flip(input);
    await deploying.drainPrevious({ ...input, servingName, epoch });
    const unloaded = await deploying.unloadPrevious({ ...input, servingName });
    await report(input, "done");
    return unloaded;
  }
  const desired = async () =>
    Object.fromEntries((await listResidencies(handle.db)).map((each) => [versionOf(each.servingName), each.desired]));
  /** Of this test's adapter: other workspaces serve what other tests have left. */
  const loadedOn = ({ held }: FakeEngine) =>
    [...held]
      .filter((name) => name.startsWith(adapterName))
      .map(versionOf)
      .toSorted();
  const loaded = () => loadedOn(engine);

  it("leaves a version loaded that another alias serves when loading it once more fails", async () => {
    const one = await register("one");
    await asActivity(() => deploy(one));
    engine.refused.add(`${adapterName}@one`);
    const input = inputOf(one, "staging");
    await asActivity(() => expect(load(input)).rejects.toThrow(AnnealError));
    await report(input, "failed");
    expect(await listResidencies(handle.db)).toMatchObject([
      { desired: "resident", observed: "resident", error: null },
    ]);
  });

  it("unloads no version that another deployment brings to its alias, or that another workspace serves", async () => {
    const [one, two] = [await register("one"), await register("two")];
    await asActivity(async () => {
      await deploy(one);
      const staging = inputOf(one, "staging");
      await load(staging);
      expect(await deploy(two)).toMatchObject({ skipped: true });
      await report(staging, "failed");
    });
    expect(await desired()).toEqual({ one: "absent", two: "resident" });

    const mine = scope;
    scope = await createScope();
    const theirs = await register("two");
    await asActivity(() => deploy(theirs));
    scope = mine;
    await asActivity(async () => expect(await deploy(one)).toMatchObject({ skipped: true }));
    expect(loaded()).toEqual(["one", "two"]);
  });

  it("gives back what it loaded when it fails before the flip, and takes it again when it is tried again", async () => {
    const [one, two] = [await register("one"), await register("two")];
    await asActivity(async () => {
      await deploy(one);
      const input = inputOf(two);
      await load(input);
      await report(input, "failed");
      expect(await desired()).toEqual({ one: "resident", two: "absent" });
      await load(inputOf(two, "staging"));
    });
    // The reconciler, which had read that it should go.
    await driver.unload(replica, `${adapterName}@two`);
    expect(loaded()).toContain("two");
  });

  it("unloads with the next deployment what an earlier one had to leave, once no request runs on it", async () => {
    const versions = [await register("one"), await register("two"), await register("three"), await register("four")];
    const [one, two, three, four] = versions as [string, string, string, string];
    const beat = async (inFlight: Record<string, number>) =>
      beatGateway(handle.db, { id: gatewayId, epoch: (await readAliasEpoch(handle.db)) + 100, inFlight });
    const gatewayId = randomUUID();
    onTestFinished(() => removeGateway(handle.db, gatewayId));
    await asActivity(async () => {
      await deploy(one);
      // It flips, and its drain runs out of time.
      const slow = inputOf(two);
      await flip(slow);
      await report(slow, "failed");
      await beat({ [`${adapterName}@one`]: 1 });
      expect(await deploy(three)).toMatchObject({ detail: `${adapterName}@two` });
      expect(loaded()).toEqual(["one", "three"]);
      await beat({});
      expect((await deploy(four)).detail?.split(", ").map(versionOf).toSorted()).toEqual(["one", "three"]);
      expect(loaded()).toEqual(["four"]);
    });
    expect(await desired()).toEqual({ four: "resident" });
  });

  const statusOf = async (replicaId: string) =>
    (await listReplicas(handle.db)).find(({ id }) => id === replicaId)?.status;

  /** The reconciler, for as long as `work` takes. */
  async function whileWatching(
    work: () => Promise<void>,
    changes: Partial<Parameters<typeof createServingActivities>[0]> = {},
  ): Promise<void> {
    const serving = createServingActivities({
      db: handle.db,
      replicas: driver,
      maxLoraRank: 16,
      servingProfile: null,
      scaler: { step: async () => undefined },
      log: { info: () => undefined, warn: () => undefined },
      ...changes,
    });
    const stop = new AbortController();
    const watching = asActivity(() => serving.watchReplicas(), stop.signal);
    try {
      await work();
    } finally {
      stop.abort();
      await watching.catch(() => undefined);
    }
  }
  const untilStatus = (replicaId: string, status: Replica["status"]) =>
    vi.waitFor(async () => expect(await statusOf(replicaId)).toBe(status), { timeout: 20_000, interval: 50 });
  const watchUntilReady = (replicaId: string) => whileWatching(() => untilStatus(replicaId, "ready"));

  it("brings an engine that comes later what is served, before it gets a request", async () => {
    await asActivity(async () => deploy(await register("one")));
    const late = await startFakeEngine();
    onTestFinished(() => late.close());
    const { id } = await saveReplica(handle.db, { url: late.url, baseModel: "tiny" });
    await watchUntilReady(id);
    expect(loadedOn(late)).toEqual(["one"]);
  });

  it("brings an engine under a new address what its aliases point at, though the ledger went with the old one", async () => {
    await asActivity(async () => deploy(await register("one")));
    await removeReplicasExcept(handle.db, []);
    const moved = await startFakeEngine();
    onTestFinished(() => moved.close());
    const { id } = await saveReplica(handle.db, { url: moved.url, baseModel: "tiny" });
    await watchUntilReady(id);
    expect(loadedOn(moved)).toEqual(["one"]);
  });

  it("brings an engine that was away during a rollback what is served now", async () => {
    const [one, two] = [await register("one"), await register("two")];
    await asActivity(async () => {
      await deploy(one);
      await deploy(two);
      const late = await startFakeEngine();
      onTestFinished(() => late.close());
      const away = await saveReplica(handle.db, { url: late.url, baseModel: "tiny" });
      // It was told to give up the first version, and went away before it had.
      const name = { servingName: `${adapterName}@one`, objectPrefix: "adapters/one", workspaceId: scope.workspaceId };
      await saveResidency(handle.db, { ...name, replicaId: away.id, desired: "absent", observed: "resident" });
      await deploy(one);
      await watchUntilReady(away.id);
      expect(loadedOn(late)).toEqual(["one"]);
    });
  });

  it("tells of what nobody foresaw without the parameters of a query that failed", async () => {
    const lines: string[] = [];
    const failed = () =>
      new Error("Failed query: select $1\nparams: ann@example.com", { cause: new Error("no answer") });
    const scaler = { step: () => Promise.reject(failed()) };
    const replicas = {
      ...driver,
      client: () => {
        throw failed();
      },
    };
    const untilAllFailed = async () => {
      await vi.waitUntil(() => lines.some((line) => line.includes("autoscaler")));
    };
    await whileWatching(untilAllFailed, {
      replicas,
      scaler,
      log: createLog({ write: (line) => void lines.push(line) }),
    });
    const told = lines.map((line) => JSON.parse(line) as { msg: string; err: { message: string } });
    expect(told.map(({ msg }) => msg)).toEqual(["replica could not be reconciled", "the autoscaler failed"]);
    for (const { err } of told) expect(err.message).toContain("select $1");
    expect(lines.join()).toContain("no answer");
    const { error } = (await listReplicas(handle.db)).find(({ id }) => id === replica.id)!;
    expect(error).toContain("select $1");
    expect(`${lines.join()} ${error}`).not.toContain("ann@example.com");
  });

  it("drains an engine only once every gateway has heard of it and the last request has ended", async () => {
    const gateway = { id: randomUUID(), epoch: 0, inFlight: {} };
    const late = await startFakeEngine();
    onTestFinished(() => late.close());
    onTestFinished(() => void (engine.load.running = 0));
    engine.load.running = 1;
    await beatGateway(handle.db, gateway);
    onTestFinished(() => removeGateway(handle.db, gateway.id));
    await updateReplica(handle.db, replica.id, { status: "draining", drainingSince: new Date() });
    await whileWatching(async () => {
      // Another engine being ready says that the reconciler has been round since.
      const { id } = await saveReplica(handle.db, { url: late.url, baseModel: "tiny" });
      await untilStatus(id, "ready");
      expect(await statusOf(replica.id)).toBe("draining");

      engine.load.running = 0;
      await updateReplica(handle.db, id, { status: "down" });
      await untilStatus(id, "ready");
      expect(await statusOf(replica.id)).toBe("draining");

      const report = async () => {
        await beatGateway(handle.db, gateway);
        return statusOf(replica.id);
      };
      await vi.waitFor(async () => expect(await report()).toBe("drained"), { timeout: 20_000, interval: 100 });
    });
  });

  it("asks for more engines when requests pile up, says why, and leaves a target alone that people set", async () => {
    let nowMs = Date.now();
    const scaling = {
      profile: {
        ...defaultProfile,
        name: "slow",
        prefillTokensPerSecond: 100,
        decodeBaseMs: 100,
        decodePerSequenceMs: 50,
      },
      limits: { ttftMs: 1000, tpotMs: 500 },
      coldStartSeconds: 30,
      order: "arrival" as const,
    };
    const scaler = createServingScaler({
      db: handle.db,
      replicas: driver,
      baseModel: "tiny",
      scaling,
      intervalSeconds: 15,
      now: () => nowMs,
    });
    const bounds = {
      desired: 1,
      minReplicas: 1,
      maxReplicas: 4,
      reasons: [],
      controller: null,
      decidedAt: new Date(0),
    };
    await ensureServingTarget(handle.db, { baseModel: "tiny", mode: "manual", ...bounds });
    await declareMachineWithOneEngine();
    Object.assign(engine.load, { running: 200, waiting: 400 });
    onTestFinished(() => void Object.assign(engine.load, { running: 0, waiting: 0 }));
    const decide = async (times: number) => {
      for (let count = 0; count < times; count += 1) {
        await scaler.step();
        nowMs += 15_000;
      }
      return (await getServingTarget(handle.db, "tiny"))!;
    };
    expect(await decide(4)).toMatchObject({ desired: 1, reasons: [] });
    await updateServingTarget(handle.db, "tiny", { mode: "automatic" });
    const busy = await decide(8);
    expect(busy.desired).toBeGreaterThan(1);
    expect(busy.desired).toBeLessThanOrEqual(4);
    expect(busy.reasons.join(" ")).toMatch(/waiting/);
  });

  /** A machine with room for five engines of which one runs. */
  async function declareMachineWithOneEngine(): Promise<void> {
    const place = { nvlinkDomain: null, railGroup: null, numaNodes: 1, migProfiles: [], labels: {}, costPerHour: 0 };
    const gpus = { gpuModel: null, gpus: 0, gpuMemoryGib: 0 };
    const node = { name: "here", ...gpus, ...place, cpuMilli: 8000, memoryMib: 5120, cordoned: false, lost: false };
    await savePool(handle.db, { name: "this-machine", nodes: [node] });
    const gang = [{ count: 1, gpus: 0, gpuMilli: 1000, cpuMilli: 0, memoryMib: 1024 }];
    const request = { id: "replica:engine-1", team: "default", kind: "serving" as const, priority: 0, gang };
    await submitPlacement(handle.db, { request, workspaceId: null, predictedBytes: 2 ** 30, breakdown: {} });
  }

  it("leaves a rollback alone when a later run makes nothing new, and says whose it was", async () => {
    const [one, two] = [await register("one"), await register("two")];
    const stage = await createStageInput({ adapterVersionId: two });
    await asActivity(async () => {
      await deploy(one);
      await deploy(two);
      await deploy(one);
      expect(await deploying.planDeployStage(stage)).toMatchObject({
        leftAsItIs: { outCount: 0, note: expect.stringMatching(/was set to v1 by ada after v2 had served/) },
      });
      // What is new is deployed as ever.
      const fresh = await createStageInput({ adapterVersionId: await register("three") });
      expect(await deploying.planDeployStage(fresh)).toMatchObject({ alias: "production" });
    });
  });

  it("flips again when its stage is retried after a rollback, and never says done for what the alias left", async () => {
    const [one, two] = [await register("one"), await register("two")];
    const stage = await createStageInput({ adapterVersionId: two });
    const serves = async () => (await listCurrentAliases(scope)).map((entry) => versionOf(entry.servingName));
    const plan = async () => (await deploying.planDeployStage(stage)) as DeployInput;
    await asActivity(async () => {
      await deploy(one);
      const failed = await plan();
      await flip(failed);
      await report(failed, "failed");
      await deploy(one);
      expect(await serves()).toEqual(["one"]);
      const confirmed = deploying.confirmDeployed({ ...stage, deploymentId: failed.deploymentId });
      await expect(confirmed).rejects.toMatchObject({ code: "CONFLICT" });

      const retried = await plan();
      await flip(retried);
      await report(retried, "done");
      expect(await serves()).toEqual(["two"]);
      await deploying.confirmDeployed({ ...stage, deploymentId: retried.deploymentId });
    });
  });
});

/** A text file that a source of its own has just brought, or brings anew. */
async function arrive(sourceId: string, text: string, ref = "a.txt") {
  const [bytes, hash] = [Buffer.from(text), sha256(text)];
  const content = { contentHash: hash, contentKey: `content/${hash}`, sizeBytes: bytes.length };
  await objects.put(content.contentKey, bytes);
  const item = { ref, uri: `file:///${ref}`, title: null, mediaType: "text/plain", modifiedAt: null };
  const { sizeBytes } = content;
  return upsertDocument(scope, sourceId, { ...item, sizeBytes, fingerprint: hash, acl: null }, content);
}

async function addSource(): Promise<string> {
  const id = randomUUID();
  const source = { name: "s", kind: "file", config: {}, sealedSecrets: null, defaultAcl: nobody, schedule: null };
  await saveSource(scope, { id, ...source });
  return id;
}

function startCleaning(store: ObjectStore) {
  const parsers = new ParserPool({ size: 1 });
  onTestFinished(() => parsers.close());
  const mainContent = { extract: async () => null, close: () => undefined };
  return createCleanActivities({ db: handle.db, objects: store, parsers, mainContent });
}

describe("cleaning", () => {
  const prose = (subject: string) =>
    `The ${subject} was opened to the public in the spring, and it has been kept by the people of the town since then. ` +
    `Anybody who wants to see the ${subject} can walk there from the market in less than a quarter of an hour. ` +
    `It is closed on Mondays and in the week before Christmas, when the volunteers repair what the summer has worn out. ` +
    `Visitors with children find a small room behind the ${subject} where tea and cake are sold in the afternoon.`;

  it("cleans a document again that gets new bytes while it is cleaned", async () => {
    const sourceId = await addSource();
    const { documentId } = await arrive(sourceId, prose("museum"));

    // "Read now" comes between the reading of the bytes and the saving of what was made of them.
    let reads = 0;
    const interrupted: ObjectStore = {
      ...objects,
      async stream(key) {
        const bytes = await objects.stream(key);
        reads += 1;
        if (reads === 1) await arrive(sourceId, prose("lighthouse"));
        return bytes;
      },
    };
    const cleaning = startCleaning(interrupted);
    const stage = await createStageInput();
    await asActivity(() => cleaning.cleanDocuments(stage));

    const document = await getDocument(scope, documentId);
    expect(document).toMatchObject({ status: "kept", contentHash: sha256(prose("lighthouse")) });
    expect(Buffer.from(await objects.get(document.cleanKey!)).toString("utf8")).toContain("lighthouse");
    expect(reads).toBe(2);
  });
});

describe("indexing", () => {
  it("goes on within a long document after a failure: no passage is embedded twice, none is missing", async () => {
    const vectorsServer = await startVectors({
      env: process.env,
      python: locatePython(process.env),
      dir: join(handle.dir, "vectors"),
      logFile: join(handle.dir, "vectors.log"),
      port: await choosePort(undefined),
      apiKey: "key",
    });
    onTestFinished(() => vectorsServer.stop());
    const vectors = createVectorIndex({ url: vectorsServer.url, apiKey: "key" });

    const sections = Array.from(
      { length: 150 },
      (_, index) =>
        `# Room ${index}\n\nThe room with the number ${index} is opened at ${index} minutes past six, and whoever works there ` +
        `finds the key of cabinet ${index * 7} on hook ${index * 3} beside the door. It is closed again when person ${index} leaves.`,
    );
    await arrive(await addSource(), sections.join("\n\n"), "rooms.md");
    const stage = await createStageInput();
    await beginStage(scope, stage.runId, "index");
    await asActivity(() => startCleaning(objects).cleanDocuments(stage));

    const embedded: string[] = [];
    let allowed = 40;
    const embeddings: EmbeddingsClient = {
      model: "m",
      embed: async (texts) => {
        if (embedded.length > allowed) throw new Error("It went away.");
        if (texts[0] !== "dimensions") embedded.push(...texts);
        return texts.map((text) => [text.length, 1]);
      },
    };
    const indexing = createIndexingActivities({ db: handle.db, objects, vectors, embeddings });
    await asActivity(() => expect(indexing.indexDocuments(stage)).rejects.toThrow("It went away."));
    const collectionOf = async () =>
      (await saveCollection(scope, { embeddingModel: "m", dimensions: 2, settings: {} })).id;
    const kept = (await countIndexed(scope, await collectionOf(), null)).chunks;
    expect(kept).toBe(embedded.length);

    allowed = Number.POSITIVE_INFINITY;
    await asActivity(() => indexing.indexDocuments(stage));
    expect(new Set(embedded).size).toBe(embedded.length);
    expect(embedded.length).toBeGreaterThan(kept);
    expect(await countIndexed(scope, await collectionOf(), null)).toMatchObject({ chunks: embedded.length });
    expect(await vectors.count(await collectionOf())).toBe(embedded.length);
    const run = await getRun(scope, stage.runId);
    expect(run.stages.find((row) => row.stage === "index")?.progress).toMatchObject({ unit: "passages" });
  });
});

describe("admitting a training", () => {
  const config = {
    model_type: "llama",
    hidden_size: 64,
    intermediate_size: 128,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 4,
    vocab_size: 1000,
    max_position_embeddings: 2048,
    tie_word_embeddings: true,
    torch_dtype: "bfloat16",
  };

  async function prepare(training: Record<string, unknown>) {
    const [datasetVersionId, trainingRunId] = [randomUUID(), randomUUID()];
    const files = { trainKey: "t", evalKey: "e", trainCount: 1, evalCount: 0, pairCount: 1, droppedCount: 0 };
    const version = { id: datasetVersionId, name: "documents", digest: "d", acl: nobody, settings: {}, stats: {} };
    await saveDatasetVersion(scope, { ...version, ...files, runId: null }, []);
    const run = { id: trainingRunId, runId: null, datasetVersionId, baseModel: "tiny", inputDigest: "i", config: {} };
    await createTrainingRun(scope, run);
    const stage = await createStageInput();
    return { ...stage, trainingRunId, settings: loopSettingsSchema.parse({ training }) };
  }
  const activities = () =>
    createTrainActivities({
      db: handle.db,
      objects,
      stateDir: handle.dir,
      python: "python3",
      pythonPath: undefined,
      baseModel: { name: "tiny", path: handle.dir, digest: "d", config, weightBytes: 1_000_000 },
      maxLoraRank: 16,
      sampleCount: 0,
    });

  beforeEach(async () => {
    for (const { subject } of await listActivePlacements(handle.db)) await endPlacement(handle.db, subject);
    const place = { nvlinkDomain: null, railGroup: null, numaNodes: 1, migProfiles: [], labels: {}, costPerHour: 0 };
    const gpus = { gpuModel: null, gpus: 0, gpuMemoryGib: 0 };
    const node = { name: "here", ...gpus, ...place, cpuMilli: 2000, memoryMib: 3072, cordoned: false, lost: false };
    await savePool(handle.db, { name: machinePool, nodes: [node] });
  });

  it.each([
    ["that one GPU of the catalogue would hold", 200_000, /GiB\) would hold it/],
    ["that nothing would hold", 50_000_000, /larger machine\.$/],
  ])("refuses a job %s with what it needs, what the machine has, and what to do", async (_, batchTokens, action) => {
    const input = await prepare({ batchTokens });
    const refused = asActivity(() => activities().admitTraining(input));
    await expect(refused).rejects.toMatchObject({
      code: "ADMISSION_REFUSED",
      message: expect.stringMatching(/needs [\d.]+ GiB.*here has 3\.0 GiB free of 3\.0 GiB/),
      action: expect.stringMatching(action),
    });
    expect(await getTrainingRun(scope, input.trainingRunId)).toMatchObject({
      status: "failed",
      admission: { status: "refused" },
    });
  });

  it("waits for its place, says what for, and goes on when there is room", async () => {
    const gang = [{ count: 1, gpus: 0, gpuMilli: 1000, cpuMilli: 0, memoryMib: 3000 }];
    const request = { id: "replica:engine-1", team: "default", kind: "serving" as const, priority: 100, gang };
    await submitPlacement(handle.db, { request, workspaceId: null, predictedBytes: 1, breakdown: {} });
    const input = await prepare({ batchTokens: 512 });
    const admitted = asActivity(() => activities().admitTraining(input));
    const admission = async () => (await getTrainingRun(scope, input.trainingRunId)).admission;
    await vi.waitFor(
      async () => expect(await admission()).toMatchObject({ status: "queued", reason: expect.stringMatching(/room/) }),
      { timeout: 20_000, interval: 50 },
    );
    await endPlacement(handle.db, "replica:engine-1");
    await admitted;
    expect(await admission()).toMatchObject({ status: "admitted", node: "here" });
  });
});
