import { AnnealError } from "@anneal/core/errors";
import { type Database, openDatabase } from "@anneal/db/database";
import { migrateDatabase } from "@anneal/db/migrate";
import { endPlacement, listPools, stackEngine } from "@anneal/db/queries/pools";
import type { Progress } from "@anneal/local-stack/progress";
import { startStack, type Stack } from "@anneal/local-stack/stack";
import type { EngineGpus } from "@anneal/local-stack/start-engine";
import { hostname } from "node:os";
import { basename } from "node:path";
import { describeError } from "./describe-error.ts";
import { stateDirOf, type Env } from "./env.ts";
import { type EngineSizing, type FirstEngine, followServingTarget } from "./follow-serving-target.ts";
import { createPortalClient, type PortalClient } from "./portal/client.ts";
import type { AccessFile } from "./access-file.ts";
import { seedWorkspace } from "./seed.ts";
import { sizeCpuEngine, sizeGpuEngine } from "./size-engines.ts";

export type RunningStack = { stack: Stack; access: AccessFile; portal: PortalClient };

/** Everything up to a usable portal: engines, schema, administrator, worker, web. The engine may still be loading. */
export async function runStack(
  env: Env,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<RunningStack> {
  const stateDir = stateDirOf(env);
  let stack: Stack | undefined;
  let scaling: { end(): Promise<void> } | undefined;
  const failed = new AbortController();
  const first = Promise.withResolvers<EngineGpus>();
  // On a CPU nobody waits for it.
  first.promise.catch(() => undefined);
  try {
    stack = await startStack({ stateDir, env, onProgress, signal, firstEngineGpus: first.promise });
    const { ANNEAL_DATABASE_URL: databaseUrl = "" } = stack.env;
    const appRole = decodeURIComponent(new URL(databaseUrl).username);
    const ownRole = decodeURIComponent(new URL(stack.databaseOwnerUrl).username);
    await migrateDatabase(stack.databaseOwnerUrl, appRole === ownRole ? undefined : appRole);
    const access = await seedWorkspace(databaseUrl, stateDir);
    const { gpuEngine, startWorker, startWeb } = stack;
    const scale = async (running: Stack) => {
      scaling = await startScaling(running, first, onProgress, AbortSignal.any([signal, failed.signal]));
    };
    // An engine on GPUs waits for the worker, which declares them, and not for a portal that is still being built.
    const worker = startWorker();
    await Promise.all([gpuEngine === null ? worker : worker.then(() => scale(stack!)), startWeb()]);
    if (gpuEngine === null) await scale(stack);
    const portal = createPortalClient({ url: stack.portalUrl, workspace: access.workspace, apiKey: access.apiKey });
    const stop = async () => {
      await scaling?.end();
      await stack!.stop();
    };
    return { stack: { ...stack, stop }, access, portal };
  } catch (error) {
    failed.abort();
    // Together: it may be waiting for an engine, which only the stack's end gives up.
    await Promise.all([scaling?.end(), stack?.stop()]);
    // Ctrl-C in a terminal also reaches what a start runs, whose last words are then no failure.
    if (!signal.aborted) throw error;
    throw new AnnealError("CANCELLED", "The start was stopped; everything that it had started is ended.", {
      action: "Start it again when you want to.",
      cause: error,
    });
  }
}

/**
 * Follows the serving target until the stack stops, where the engines are this stack's to start.
 * @param first settled where the first engine waits for its place on a GPU
 */
async function startScaling(
  stack: Stack,
  first: PromiseWithResolvers<EngineGpus>,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<{ end(): Promise<void> }> {
  const { startEngine, gpuEngine } = stack;
  if (startEngine === null) return { end: async () => {} };
  const { db, close } = openDatabase(stack.env["ANNEAL_DATABASE_URL"] ?? "", { maxConnections: 2 });
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort(), { once: true });
  if (signal.aborted) stop.abort();
  const sizing = await sizeEngine(stack, db).catch(async (error: unknown) => {
    await close();
    if (gpuEngine === null) throw error;
    // The engine fails to start, with these words.
    first.reject(error);
  });
  if (!sizing) return { end: async () => {} };
  const waiting: FirstEngine = {
    start: first.resolve,
    refuse: first.reject,
    wait: (reason) => onProgress({ service: "engine", state: "starting", seconds: 0, note: `It waits. ${reason}` }),
  };
  const following = followServingTarget({
    db,
    baseModel: basename(stack.env["ANNEAL_BASE_MODEL"] ?? ""),
    sizing,
    startEngine,
    ...(gpuEngine === null ? {} : { first: waiting }),
    signal: stop.signal,
    onFailure: (error) => {
      if (!stop.signal.aborted) console.error(`✗ engine      ${describeError(error)}`);
    },
  });
  // What failed to start holds nothing.
  if (gpuEngine !== null) stack.engineReady.catch(() => endPlacement(db, stackEngine)).catch(() => undefined);
  return {
    async end() {
      stop.abort();
      await following.catch(() => undefined);
      await close();
    },
  };
}

async function sizeEngine({ env, gpuEngine, kvCacheGib }: Stack, db: Database): Promise<EngineSizing> {
  const path = env["ANNEAL_BASE_MODEL"] ?? "";
  if (gpuEngine === null) return sizeCpuEngine(path, kvCacheGib);
  // The worker has declared the machine before it said that it is ready.
  const nodes = (await listPools(db)).flatMap((pool) => pool.nodes);
  const node = nodes.find(({ name }) => name === hostname());
  return sizeGpuEngine(path, gpuEngine, node);
}

/** One line per service and state, for a terminal or a log. */
export function printProgress({ service, state, seconds, note }: Progress): void {
  if (state === "starting") {
    if (note) console.log(`… ${service.padEnd(11)} ${note}`);
    return;
  }
  const mark = state === "ready" ? "✓" : "✗";
  console.log(`${mark} ${service.padEnd(11)} ${state} after ${seconds.toFixed(1)} s${note ? `: ${note}` : ""}`);
}
