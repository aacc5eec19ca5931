import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { checkDisk } from "./check-disk.ts";
import { choosePort, claimPort } from "@anneal/processes/choose-port";
import { queryGpus } from "@anneal/processes/query-gpus";
import { restrictGpus } from "@anneal/processes/restrict-gpus";
import { encryptionSettings } from "./encryption-settings.ts";
import type { Progress, Service, ServiceName } from "./progress.ts";
import { makeStateDir } from "./make-state-dir.ts";
import { locatePython } from "./python-env.ts";
import { resolveBaseModel } from "./resolve-base-model.ts";
import { loadSecrets } from "./secrets.ts";
import { readRecord, writeRecord } from "./stack-record.ts";
import { readStackSettings } from "./stack-settings.ts";
import { startWeb, startWorker } from "./start-apps.ts";
import { startEmbeddings } from "./start-embeddings.ts";
import { type EngineGpus, startEngine } from "./start-engine.ts";
import { startPostgres } from "./start-postgres.ts";
import { startTemporal } from "./start-temporal.ts";
import { startVectors } from "./start-vectors.ts";
import { lockState } from "./state-lock.ts";
import { unlessAborted } from "./unless-aborted.ts";

const neededDiskBytes = 2 * 1024 ** 3;
/** On a CPU. */
const defaultKvCacheGib = 1;
const portNames = ["postgres", "temporal", "vectors", "embeddings", "engine"] as const;

export type StackOptions = {
  stateDir: string;
  env: Readonly<Record<string, string | undefined>>;
  onProgress?: (progress: Progress) => void;
  /** Whether `startWeb` will be called: its port is then claimed before anything starts. Default true. */
  withPortal?: boolean;
  /** Whether to start the inference engine where none is set; tests that need none leave it out. Default true. */
  withEngine?: boolean;
  /**
   * On a machine with GPUs: where the first engine may run, for which it waits, as whoever gives places has said. Without
   * it the engine starts at once, with vLLM's own defaults. A CPU engine waits for nothing.
   */
  firstEngineGpus?: Promise<EngineGpus>;
  /** Ends a start that is under way, with CANCELLED; what runs already is ended by `stop`. */
  signal?: AbortSignal;
};

export type Stack = {
  /** All variables that worker and portal read; secrets among them. */
  env: Record<string, string>;
  portalUrl: string;
  /** For migrations: a role that may change the schema. */
  databaseOwnerUrl: string;
  /** What runs now, in the order in which it became ready. */
  readonly services: readonly Service[];
  /** The inference engine answers; rejects with an AnnealError when it could not be started. */
  engineReady: Promise<void>;
  /**
   * One more engine of the same model beside the first, until its `stop`. `number` is 2 for the second: it names the log
   * and the port that the next start tries again. Null where the engines are somebody else's.
   */
  startEngine: ((number: number, gpus?: EngineGpus) => Promise<Service>) | null;
  /** Memory for keys and values that each engine takes at its start, on a CPU. */
  kvCacheGib: number;
  /** What engines are told on GPUs, to size them by; null on a CPU, and where the engines are somebody else's. */
  gpuEngine: {
    kvCacheGib: number | null;
    maxModelLen: number;
    lora: { maxLoras: number; maxRank: number };
  } | null;
  startWorker(): Promise<Service>;
  startWeb(): Promise<Service>;
  /** Ends everything that was started, and nothing else. Can be called at any time, also twice. */
  stop(): Promise<void>;
};

/**
 * Starts, in parallel, every engine that the environment does not already point elsewhere. Returns when all but the
 * inference engine answer; that one takes longer and becomes ready behind `engineReady`.
 * @throws AnnealError ALREADY_RUNNING, PORT_TAKEN, DISK_FULL, PREREQUISITE_MISSING, ENGINE_UNAVAILABLE ...
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { stateDir, env: given, withPortal = true, withEngine = true } = options;
  const settings = readStackSettings(given);
  const kvCacheGib = settings.ANNEAL_KV_CACHE_GIB ?? defaultKvCacheGib;
  await makeStateDir(stateDir);
  if (settings.ANNEAL_OBJECTS?.startsWith("file:"))
    await makeStateDir(fileURLToPath(settings.ANNEAL_OBJECTS), "ANNEAL_OBJECTS");
  await checkDisk(stateDir, neededDiskBytes);
  const python = locatePython(given);
  // The worker asks again and would end with it, after the rest has started.
  if (settings.ANNEAL_GPUS) restrictGpus(await queryGpus(given), settings.ANNEAL_GPUS);
  const lock = await lockState(stateDir);
  const running: Service[] = [];
  const pending = new Set<Promise<unknown>>();
  const abort = new AbortController();
  options.signal?.addEventListener("abort", () => abort.abort(), { once: true });
  if (options.signal?.aborted) abort.abort();
  let stopped: Promise<void> | undefined;
  let saved: Promise<void> = Promise.resolve();

  try {
    const baseModel = settings.ANNEAL_BASE_MODEL
      ? await resolveBaseModel({
          model: settings.ANNEAL_BASE_MODEL,
          python,
          env: given,
          onProgress: (note) => options.onProgress?.({ service: "model", state: "starting", seconds: 0, note }),
          signal: abort.signal,
        })
      : python.modelDir;
    const secrets = await loadSecrets(stateDir);
    const previous = await readRecord(stateDir);
    const portalPort = withPortal ? await claimPort(settings.ANNEAL_PORT, "ANNEAL_PORT") : settings.ANNEAL_PORT;
    const portalUrl = settings.NEXTAUTH_URL ?? `http://localhost:${portalPort}`;
    const ports = await choosePorts(previous?.ports ?? {}, portalPort);
    await lock.setPortalUrl(portalUrl);

    const common = (name: ServiceName) => ({
      env: given,
      logFile: join(stateDir, "logs", `${name}.log`),
      onSpawn: lock.recordChild,
      signal: abort.signal,
    });
    const local = <Name extends (typeof portNames)[number]>(name: Name) => ({
      ...common(name),
      dir: join(stateDir, name),
      port: ports[name],
    });

    const [postgres, temporal, vectors, embeddings] = await Promise.all([
      settings.ANNEAL_DATABASE_URL
        ? undefined
        : track("postgres", () =>
            startPostgres({
              ...local("postgres"),
              ownerPassword: secrets.databaseOwnerPassword,
              appPassword: secrets.databaseAppPassword,
              stackId: secrets.stackId,
            }),
          ),
      settings.ANNEAL_TEMPORAL_ADDRESS
        ? undefined
        : track("temporal", async () =>
            startTemporal({
              ...local("temporal"),
              httpPort: await choosePort(undefined, new Set([portalPort, ...Object.values(ports)])),
              binary: python.temporal,
              namespace: settings.ANNEAL_TEMPORAL_NAMESPACE,
            }),
          ),
      settings.ANNEAL_QDRANT_URL
        ? undefined
        : track("vectors", () => startVectors({ ...local("vectors"), python, apiKey: secrets.vectorsApiKey })),
      settings.ANNEAL_EMBEDDINGS_URL
        ? undefined
        : track("embeddings", () => startEmbeddings({ ...local("embeddings"), python })),
    ]);

    const launchEngine = (logName: string, port: number, place?: EngineGpus | Promise<EngineGpus>) =>
      track("engine", async () => {
        const gpus = place && (await unlessAborted(place, abort.signal));
        return startEngine({
          ...common("engine"),
          logFile: join(stateDir, "logs", `${logName}.log`),
          port,
          python,
          model: baseModel,
          servedName: basename(baseModel),
          maxLoras: settings.ANNEAL_MAX_LORAS,
          maxLoraRank: settings.ANNEAL_MAX_LORA_RANK,
          maxContextTokens: settings.ANNEAL_MAX_CONTEXT_TOKENS,
          kvCacheGiB: kvCacheGib,
          threads: settings.ANNEAL_ENGINE_THREADS,
          ...(gpus ? { gpus } : {}),
        });
      });
    const ownEngines = !settings.ANNEAL_INFERENCE_URLS && withEngine;
    const onGpus = ownEngines && python.accelerator === "cuda";
    // Started after the others, which would be slowed down by its long import.
    const engineReady = ownEngines
      ? launchEngine("engine", ports.engine, onGpus ? options.firstEngineGpus : undefined).then(() => {})
      : Promise.resolve();
    // Who waits for it sees the failure; who does not must not be ended by it.
    engineReady.catch(() => {});

    const databaseUrl = settings.ANNEAL_DATABASE_URL ?? postgres?.appUrl ?? "";
    const env: Record<string, string> = {
      ...forwarded(given),
      ANNEAL_STATE_DIR: stateDir,
      ANNEAL_PORT: String(portalPort),
      ANNEAL_DATABASE_URL: databaseUrl,
      ANNEAL_TEMPORAL_ADDRESS: settings.ANNEAL_TEMPORAL_ADDRESS ?? temporal?.url ?? "",
      ANNEAL_TEMPORAL_NAMESPACE: settings.ANNEAL_TEMPORAL_NAMESPACE,
      ANNEAL_QDRANT_URL: settings.ANNEAL_QDRANT_URL ?? vectors?.url ?? "",
      ...(vectors ? { ANNEAL_QDRANT_API_KEY: secrets.vectorsApiKey } : {}),
      ANNEAL_EMBEDDINGS_URL: settings.ANNEAL_EMBEDDINGS_URL ?? embeddings?.url ?? "",
      ANNEAL_EMBEDDINGS_MODEL: settings.ANNEAL_EMBEDDINGS_MODEL,
      ANNEAL_INFERENCE_URLS: settings.ANNEAL_INFERENCE_URLS ?? `http://127.0.0.1:${ports.engine}`,
      ...(ownEngines ? { ANNEAL_INFERENCE_PRIORITIES: "true" } : {}),
      ...(ownEngines && python.accelerator === "cpu" ? { ANNEAL_INFERENCE_GPUS: "cpu" } : {}),
      ANNEAL_MAX_LORA_RANK: String(settings.ANNEAL_MAX_LORA_RANK),
      ANNEAL_BASE_MODEL: baseModel,
      ANNEAL_OBJECTS: settings.ANNEAL_OBJECTS ?? pathToFileURL(join(stateDir, "objects")).href,
      ...encryptionSettings(settings, secrets.encryptionKey),
      NEXTAUTH_SECRET: settings.NEXTAUTH_SECRET ?? secrets.nextAuthSecret,
      NEXTAUTH_URL: portalUrl,
      ANNEAL_PYTHON: python.python,
      PYTHONPATH: python.variables["PYTHONPATH"] ?? python.pythonPath,
    };
    await save();

    return {
      env,
      portalUrl,
      databaseOwnerUrl: settings.ANNEAL_DATABASE_OWNER_URL ?? postgres?.ownerUrl ?? databaseUrl,
      services: running,
      engineReady,
      startEngine: ownEngines ? addEngine : null,
      kvCacheGib,
      gpuEngine: onGpus
        ? {
            kvCacheGib: settings.ANNEAL_KV_CACHE_GIB ?? null,
            maxModelLen: settings.ANNEAL_MAX_CONTEXT_TOKENS,
            lora: { maxLoras: settings.ANNEAL_MAX_LORAS, maxRank: settings.ANNEAL_MAX_LORA_RANK },
          }
        : null,
      startWorker: () => track("worker", () => startWorker({ ...common("worker"), env: { ...given, ...env } })),
      startWeb: () =>
        track("web", () =>
          startWeb({
            ...common("web"),
            env: { ...given, ...env },
            host: settings.ANNEAL_HOST,
            port: portalPort,
            url: portalUrl,
          }),
        ),
      stop,
    };

    async function addEngine(number: number, gpus?: EngineGpus): Promise<Service> {
      const name = `engine-${number}`;
      const port = await choosePort(previous?.ports[name], new Set([portalPort, ...Object.values(ports)]));
      ports[name] = port;
      const service = await launchEngine(name, port, gpus);
      return {
        ...service,
        get pid() {
          return service.pid;
        },
        async stop() {
          running.splice(running.indexOf(service), 1);
          await service.stop();
          await save();
        },
      };
    }

    function track<Started extends Service>(name: ServiceName, start: () => Promise<Started>): Promise<Started> {
      const started = launch(name, start);
      pending.add(started);
      const settled = () => pending.delete(started);
      started.then(settled, settled);
      return started;
    }

    async function launch<Started extends Service>(name: ServiceName, start: () => Promise<Started>): Promise<Started> {
      const startedAt = Date.now();
      const report = (state: Progress["state"], note?: string) =>
        options.onProgress?.({
          service: name,
          state,
          seconds: (Date.now() - startedAt) / 1000,
          ...(note ? { note } : {}),
        });
      report("starting");
      try {
        const service = await start();
        running.push(service);
        report("ready");
        await save();
        return service;
      } catch (error) {
        if (!abort.signal.aborted) report("failed", error instanceof Error ? error.message : String(error));
        throw error;
      }
    }

    /** One after another: services that become ready at once would write the same half file. */
    function save(): Promise<void> {
      saved = saved
        .catch(() => {})
        .then(() => (stopped ? undefined : writeRecord(stateDir, portalUrl, ports, running)));
      return saved;
    }
  } catch (error) {
    await stop();
    throw error;
  }

  function stop(): Promise<void> {
    stopped ??= (async () => {
      abort.abort();
      await Promise.allSettled(pending);
      // The programs that use the engines go first, so that none of them sees its database disappear.
      const isApp = ({ name }: Service) => name === "worker" || name === "web";
      await Promise.all(running.filter(isApp).map((service) => service.stop()));
      await Promise.all(running.filter((service) => !isApp(service)).map((service) => service.stop()));
      await lock.release();
    })();
    return stopped;
  }
}

/** Distinct ports, those of last time where they are free. */
async function choosePorts(
  previous: Readonly<Record<string, number>>,
  portalPort: number,
): Promise<Record<(typeof portNames)[number], number> & Record<string, number>> {
  const chosen = new Set([portalPort]);
  const ports: Awaited<ReturnType<typeof choosePorts>> = {
    postgres: 0,
    temporal: 0,
    vectors: 0,
    embeddings: 0,
    engine: 0,
  };
  for (const name of portNames) {
    ports[name] = await choosePort(previous[name], chosen);
    chosen.add(ports[name]);
  }
  return ports;
}

/** The settings of ours that the caller has, so that `Stack.env` alone is complete. */
function forwarded(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const ours = Object.entries(env).filter(
    (entry): entry is [string, string] => /^(ANNEAL|AWS|NEXTAUTH)_/.test(entry[0]) && Boolean(entry[1]),
  );
  return Object.fromEntries(ours);
}
