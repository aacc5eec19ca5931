import { AnnealError } from "@anneal/core/errors";
import { openDatabase } from "@anneal/db/database";
import { migrateDatabase } from "@anneal/db/migrate";
import type { Progress } from "@anneal/local-stack/progress";
import { startStack, type Stack } from "@anneal/local-stack/stack";
import { estimateCpuEngine } from "@anneal/sizing/memory/cpu-engine";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { describeError } from "./describe-error.ts";
import { stateDirOf, type Env } from "./env.ts";
import { followServingTarget } from "./follow-serving-target.ts";
import { createPortalClient, type PortalClient } from "./portal/client.ts";
import { seedWorkspace, type AccessFile } from "./seed.ts";

export type RunningStack = { stack: Stack; access: AccessFile; portal: PortalClient };

/** Everything up to a usable portal: engines, schema, administrator, worker, web. The engine may still be loading. */
export async function runStack(
  env: Env,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<RunningStack> {
  const stateDir = stateDirOf(env);
  let stack: Stack | undefined;
  try {
    stack = await startStack({ stateDir, env, onProgress, signal });
    const { ANNEAL_DATABASE_URL: databaseUrl = "" } = stack.env;
    const appRole = decodeURIComponent(new URL(databaseUrl).username);
    const ownRole = decodeURIComponent(new URL(stack.databaseOwnerUrl).username);
    await migrateDatabase(stack.databaseOwnerUrl, appRole === ownRole ? undefined : appRole);
    const access = await seedWorkspace(databaseUrl, stateDir);
    await Promise.all([stack.startWorker(), stack.startWeb()]);
    const scaling = await startScaling(stack, signal);
    const portal = createPortalClient({ url: stack.portalUrl, workspace: access.workspace, apiKey: access.apiKey });
    return { stack: { ...stack, stop: () => scaling.end().then(stack!.stop) }, access, portal };
  } catch (error) {
    await stack?.stop();
    // Ctrl-C in a terminal also reaches what a start runs, whose last words are then no failure.
    if (!signal.aborted) throw error;
    throw new AnnealError("CANCELLED", "The start was stopped; everything that it had started is ended.", {
      action: "Start it again when you want to.",
      cause: error,
    });
  }
}

/** Follows the serving target until the stack stops, where the engines are this stack's to start. */
async function startScaling(stack: Stack, signal: AbortSignal): Promise<{ end(): Promise<void> }> {
  const { startEngine } = stack;
  if (startEngine === null) return { end: async () => {} };
  const { db, close } = openDatabase(stack.env["ANNEAL_DATABASE_URL"] ?? "", { maxConnections: 2 });
  const path = stack.env["ANNEAL_BASE_MODEL"] ?? "";
  const weights = (await readdir(path)).filter((name) => name.endsWith(".safetensors"));
  const sizes = await Promise.all(weights.map(async (name) => (await stat(join(path, name))).size));
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort(), { once: true });
  const following = followServingTarget({
    db,
    baseModel: basename(path),
    sizing: estimateCpuEngine({
      weightBytes: sizes.reduce((sum, size) => sum + size, 0),
      kvCacheGib: stack.kvCacheGib,
    }),
    startEngine,
    signal: stop.signal,
    onFailure: (error) => {
      if (!stop.signal.aborted) console.error(`✗ engine      ${describeError(error)}`);
    },
  });
  return {
    async end() {
      stop.abort();
      await following.catch(() => undefined);
      await close();
    },
  };
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

/** Aborted by the first Ctrl-C or termination; a second one does not cut the ending short. */
export function abortOnSignal(onStop: () => void): AbortSignal {
  const controller = new AbortController();
  const handle = () => {
    if (controller.signal.aborted) return;
    onStop();
    controller.abort();
  };
  process.on("SIGINT", handle);
  process.on("SIGTERM", handle);
  return controller.signal;
}
