import { defaultLimits, defaultPageBounds } from "@anneal/connectors/connector";
import { createHostSender } from "@anneal/connectors/remote/send-to-host";
import { directoryQueue } from "@anneal/core/connect/contract";
import { reconcileWorkflowId, reconcileWorkflowName } from "@anneal/core/deploy/contract";
import { taskQueue } from "@anneal/core/loop/contract";
import { assertRowSecurity, openDatabase } from "@anneal/db/database";
import { removeReplicasExcept, saveReplica } from "@anneal/db/queries/serving";
import { savePool, schedulePending } from "@anneal/db/queries/pools";
import { openSecretBox } from "@anneal/db/open-secret-box";
import { roomFor } from "@anneal/documents/limits";
import { findNetworkConfinement } from "@anneal/processes/network-confinement";
import { ParserPool } from "@anneal/documents/parser-pool";
import { createEmbeddingsClient } from "@anneal/engines/embeddings-client";
import { createInferenceClient } from "@anneal/engines/inference-client";
import { createVectorIndex } from "@anneal/engines/vector-index";
import { requireFreeSpace } from "@anneal/objects/free-space";
import { openObjectStore } from "@anneal/objects/open-object-store";
import { Client, Connection, WorkflowExecutionAlreadyStartedError } from "@temporalio/client";
import { DefaultLogger, NativeConnection, Worker } from "@temporalio/worker";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createCheckActivities } from "./activities/check-source.ts";
import { createCleanActivities } from "./activities/clean.ts";
import { createConnectActivities } from "./activities/connect.ts";
import { createDatasetActivities } from "./activities/dataset.ts";
import { createDedupeActivities } from "./activities/dedupe.ts";
import { createDeployActivities } from "./activities/deploy.ts";
import { createIndexingActivities } from "./activities/indexing.ts";
import { createDirectoryActivities } from "./activities/directories.ts";
import { createPurgeActivities } from "./activities/purge-deleted.ts";
import { createPushActivities } from "./activities/push-readers.ts";
import { createRegisterActivities } from "./activities/register.ts";
import { createRunActivities } from "./activities/run.ts";
import { createServingScaler, type PlacedEngine } from "./activities/scale-serving.ts";
import { createServingActivities } from "./activities/serving.ts";
import { createTrainActivities, machinePool } from "./activities/train.ts";
import { readBaseModel } from "./base-model.ts";
import { describeThisMachine } from "./drivers/this-machine.ts";
import { createMainContentExtractor } from "./drivers/main-content.ts";
import { ensureDirectorySchedule } from "./drivers/directory-schedule.ts";
import { ensurePurgeSchedule } from "./drivers/purge-schedule.ts";
import { createReaderPushes } from "./drivers/reader-pushes.ts";
import { createReplicaDriver } from "./drivers/replicas.ts";
import { createTeacher } from "./drivers/teacher.ts";
import { hasWorkflowEnded } from "./drivers/workflow-state.ts";
import { ownFoldersOf, readEnv } from "./env.ts";
import { withFailures, withFreeSpace } from "./error-map.ts";
import { installRuntime } from "./install-runtime.ts";
import { log } from "./log.ts";
import { createRemoteMetrics } from "./remote-metrics.ts";
import { describeEngines } from "./serving-profile.ts";

/** After every request of a person, a late one included. */
const backgroundPriority = 2;

/** The composition root: the only place that makes effects and hands them to the activities. */
async function main(): Promise<void> {
  const env = readEnv();
  const database = openDatabase(env.ANNEAL_DATABASE_URL);
  const { db } = database;
  await assertRowSecurity(db);
  const objects = openObjectStore(
    env.ANNEAL_OBJECTS,
    env.ANNEAL_S3_ENDPOINT ? { s3Endpoint: env.ANNEAL_S3_ENDPOINT } : {},
  );
  const baseModel = await readBaseModel(env.ANNEAL_BASE_MODEL);
  const replicas = createReplicaDriver({
    db,
    objects,
    adapterDir: join(env.ANNEAL_STATE_DIR, "adapters"),
    apiKey: env.ANNEAL_INFERENCE_API_KEY,
  });
  const maxLoraRank = env.ANNEAL_MAX_LORA_RANK ?? null;
  const firstReplica = env.ANNEAL_INFERENCE_URLS[0] ?? "";
  const hasPriorities = env.ANNEAL_INFERENCE_PRIORITIES === "true";
  const teacher = createTeacher({
    client: () =>
      env.ANNEAL_TEACHER_URL
        ? createInferenceClient({ url: env.ANNEAL_TEACHER_URL, apiKey: env.ANNEAL_TEACHER_API_KEY })
        : replicas.client(firstReplica),
    model: env.ANNEAL_TEACHER_MODEL ?? baseModel.name,
    // Asked for whole pairs, a model of a few hundred million parameters echoes the instructions.
    style: env.ANNEAL_TEACHER_URL || baseModel.weightBytes > 4e9 ? "pairs" : "questions",
    priority: hasPriorities && !env.ANNEAL_TEACHER_URL ? backgroundPriority : undefined,
  });
  const python = { python: env.ANNEAL_PYTHON, pythonPath: env.PYTHONPATH };
  const mainContent = createMainContentExtractor(python);
  const vectors = createVectorIndex({ url: env.ANNEAL_QDRANT_URL, apiKey: env.ANNEAL_QDRANT_API_KEY });
  const secretBox = await openSecretBox(env);
  const embeddings = createEmbeddingsClient({
    url: env.ANNEAL_EMBEDDINGS_URL,
    model: env.ANNEAL_EMBEDDINGS_MODEL,
    apiKey: env.ANNEAL_EMBEDDINGS_API_KEY,
  });

  await removeReplicasExcept(db, env.ANNEAL_INFERENCE_URLS);
  for (const url of env.ANNEAL_INFERENCE_URLS) await saveReplica(db, { url, baseModel: baseModel.name });
  const machine = await describeThisMachine(env.ANNEAL_GPUS);
  for (const note of machine.notes) log.warn(note);
  await savePool(db, { name: machinePool, nodes: [machine.node] });
  // What ran on a GPU that is not there any more waits for another.
  await schedulePending(db);
  const order = hasPriorities ? ("late-last" as const) : ("arrival" as const);
  const traits = describeEngines(env.ANNEAL_INFERENCE_GPUS ?? null, machine.gpuModel, baseModel);
  if (traits === null) log.info("nobody says what the engines run on: they are not scaled by themselves");
  const servingProfile = traits && { ...traits, order };
  const { gpuModel } = machine;
  const profilePlaced =
    env.ANNEAL_INFERENCE_GPUS === undefined && gpuModel !== null
      ? ({ gpus, cacheGibPerGpu }: PlacedEngine) => {
          const placed = describeEngines(null, `${gpus}x${gpuModel}`, baseModel, cacheGibPerGpu);
          return placed && { ...placed, order };
        }
      : null;

  const { metricMeter } = installRuntime(
    {
      // Task tokens and the like are noise, and an activity's input is nobody's to log.
      logger: new DefaultLogger("WARN", ({ level, message, meta }) => {
        const { workflowId, activityType, attempt, error } = meta ?? {};
        log[level === "ERROR" ? "error" : "warn"]({ workflowId, activityType, attempt, err: error }, message);
      }),
      telemetryOptions: { logging: { forward: {}, filter: "ERROR" } },
    },
    env.ANNEAL_WORKER_METRICS_ADDRESS,
  );
  const observeRemote = createRemoteMetrics(metricMeter);
  const ocr = env.ANNEAL_OCR_LANGUAGES === undefined ? {} : { languages: env.ANNEAL_OCR_LANGUAGES };
  const unstructured = env.ANNEAL_UNSTRUCTURED_URL && {
    url: env.ANNEAL_UNSTRUCTURED_URL,
    strategy: env.ANNEAL_UNSTRUCTURED_STRATEGY,
    ...(env.ANNEAL_UNSTRUCTURED_API_KEY ? { apiKey: env.ANNEAL_UNSTRUCTURED_API_KEY } : {}),
    ...ocr,
    send: createHostSender(observeRemote("unstructured")),
  };
  const documentBytes = env.ANNEAL_DOCUMENT_MAX_MIB * 2 ** 20;
  const parseTimeoutMs = env.ANNEAL_PARSE_TIMEOUT_SECONDS * 1000;
  const parsers = new ParserPool({
    size: 2,
    timeoutMs: parseTimeoutMs,
    ...roomFor(documentBytes),
    ocr,
    ...(unstructured ? { unstructured } : {}),
  });
  if (findNetworkConfinement() === null)
    log.warn("parsers of documents and web pages cannot be kept off the network here: it allows no network namespaces");
  const connecting = {
    chromiumPath: env.ANNEAL_CHROMIUM ?? null,
    ownFolders: ownFoldersOf(env),
    python,
    observeRemote,
    limits: { ...defaultLimits, documentBytes, pages: { ...defaultPageBounds, timeoutMs: parseTimeoutMs } },
  };
  const client = new Client({
    connection: await Connection.connect({ address: env.ANNEAL_TEMPORAL_ADDRESS }),
    namespace: env.ANNEAL_TEMPORAL_NAMESPACE,
  });
  const readerPushes = createReaderPushes(client);
  const connection = await NativeConnection.connect({ address: env.ANNEAL_TEMPORAL_ADDRESS });
  const { releaseTraining, ...training } = createTrainActivities({
    db,
    objects,
    stateDir: env.ANNEAL_STATE_DIR,
    ...python,
    baseModel,
    maxLoraRank,
    sampleCount: env.ANNEAL_TRAINING_SAMPLES,
  });
  const scaler = createServingScaler({
    db,
    replicas,
    baseModel: baseModel.name,
    scaling: servingProfile,
    profilePlaced,
    intervalSeconds: env.ANNEAL_AUTOSCALE_INTERVAL_SECONDS,
  });
  const { endWaiting, ...reading } = createConnectActivities({
    database,
    objects,
    secretBox,
    readerPushes,
    deletions: { maxShare: env.ANNEAL_MAX_DELETED_SHARE },
    documentTimeoutMs: env.ANNEAL_DOCUMENT_TIMEOUT_SECONDS * 1000,
    ...connecting,
  });
  const { listDirectories, readDirectory } = createDirectoryActivities({
    database,
    secretBox,
    // Over half of the interval: the last has begun before the next firing.
    spreadMs: (env.ANNEAL_DIRECTORY_MINUTES * 60_000) / 2,
    ...connecting,
  });
  const shutdown = { shutdownGraceTime: "5 seconds", shutdownForceTime: "10 seconds" } as const;
  const worker = await Worker.create({
    connection,
    namespace: env.ANNEAL_TEMPORAL_NAMESPACE,
    taskQueue,
    identity: env.ANNEAL_WORKER_ID,
    workflowsPath: fileURLToPath(new URL("./workflows/all.ts", import.meta.url)),
    activities: withFailures({
      // What closes and frees goes on without room; what writes much does not begin.
      ...createRunActivities({ db }),
      releaseTraining,
      endWaiting,
      ...createCheckActivities({ db, secretBox, ...connecting }),
      listDirectories,
      ...createPurgeActivities({ db, objects, vectors, tombstoneDays: env.ANNEAL_TOMBSTONE_DAYS }),
      ...createPushActivities({ db, vectors }),
      ...createDeployActivities({ db, replicas, hasWorkflowEnded: (id) => hasWorkflowEnded(client, id) }),
      ...createServingActivities({ db, replicas, maxLoraRank, servingProfile, scaler, log }),
      ...withFreeSpace(
        {
          ...reading,
          ...createCleanActivities({ db, objects, parsers, mainContent }),
          ...createDedupeActivities({ db, objects }),
          ...createDatasetActivities({ db, objects, teacher }),
          ...training,
          ...createRegisterActivities({ db, objects, baseModel, maxLoraRank }),
          ...createIndexingActivities({ db, objects, vectors, embeddings }),
        },
        () => requireFreeSpace(env.ANNEAL_STATE_DIR),
      ),
    }),
    maxConcurrentActivityTaskExecutions: 20,
    // The portal reads a sync's progress from its heartbeats; the default passes on one in 48 seconds.
    maxHeartbeatThrottleInterval: "2 seconds",
    ...shutdown,
  });
  const directoryWorker = await Worker.create({
    connection,
    namespace: env.ANNEAL_TEMPORAL_NAMESPACE,
    taskQueue: directoryQueue,
    identity: env.ANNEAL_WORKER_ID,
    activities: withFailures({ readDirectory }),
    maxConcurrentActivityTaskExecutions: 4,
    ...shutdown,
  });

  await client.workflow
    .start(reconcileWorkflowName, { workflowId: reconcileWorkflowId, taskQueue })
    .catch((error: unknown) => {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    });

  await ensurePurgeSchedule(client);
  await ensureDirectorySchedule(client, env.ANNEAL_DIRECTORY_MINUTES);

  // One line that the supervisor waits for.
  console.log("worker ready");
  try {
    await Promise.all([worker.run(), directoryWorker.run()]);
  } finally {
    mainContent.close();
    await parsers.close();
    await client.connection.close();
    await connection.close();
    await database.close();
  }
}

await main();
