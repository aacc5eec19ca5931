import { join } from "node:path";
import { awaitReady } from "./await-ready.ts";
import { buildPortal, nextProgram, webDir } from "./build-portal.ts";
import { repoDir } from "./environment.mjs";
import type { LaunchOptions, Service } from "./progress.ts";
import { type Supervised, supervise } from "./supervise.ts";

/** The line that apps/worker writes once it takes tasks. */
export const workerReadyLine = "worker ready";

/** Of Node's four a folder whose server hangs holds up to three (file-calls.ts of the connectors); they cost nothing unused. */
const workerThreads = { UV_THREADPOOL_SIZE: "32" };

export async function startWorker(options: LaunchOptions): Promise<Service> {
  const child = supervise({
    command: process.execPath,
    // It is all imports, so that what hastens them comes before it.
    args: ["--import", join(repoDir, "packages/db/src/resolve-drizzle.ts"), join(repoDir, "apps/worker/src/main.ts")],
    env: { ...workerThreads, ...options.env },
    logFile: options.logFile,
    // Long enough to hand running activities back to Temporal.
    graceSeconds: 20,
    onSpawn: options.onSpawn,
  });
  const probe = async () => child.lastLines.some((line) => line.includes(workerReadyLine));
  await awaitReady({
    title: "The worker",
    child,
    probe,
    timeoutMs: 90_000,
    signal: options.signal,
  });
  return describe("worker", "", child);
}

/** The portal, built first when its sources have changed since the last build. */
export async function startWeb(options: LaunchOptions & { host: string; port: number; url: string }): Promise<Service> {
  await buildPortal(options.env, options.signal);
  const child = supervise({
    command: process.execPath,
    args: [nextProgram, "start", "--hostname", options.host, "--port", String(options.port)],
    cwd: webDir,
    env: { ...options.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
    logFile: options.logFile,
    onSpawn: options.onSpawn,
  });
  const probe = async () => {
    const response = await fetch(`http://127.0.0.1:${options.port}/`, {
      redirect: "manual",
      signal: AbortSignal.timeout(10_000),
    });
    await response.body?.cancel();
    return response.status < 500;
  };
  await awaitReady({
    title: "The portal",
    child,
    probe,
    timeoutMs: 60_000,
    signal: options.signal,
  });
  return describe("web", options.url, child);
}

function describe(name: "worker" | "web", url: string, child: Supervised): Service {
  return {
    name,
    url,
    get pid() {
      return child.pid;
    },
    stop: () => child.stop(),
  };
}
