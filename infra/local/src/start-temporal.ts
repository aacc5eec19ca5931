import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { answersHttp, awaitReady } from "./await-ready.ts";
import type { LaunchOptions, Service } from "./progress.ts";
import { supervise } from "./supervise.ts";

export type TemporalOptions = LaunchOptions & {
  /** The Temporal CLI. */
  binary: string;
  dir: string;
  port: number;
  httpPort: number;
  namespace: string;
};

/** Temporal's development server on SQLite; `url` is its gRPC address, host:port. */
export async function startTemporal(options: TemporalOptions): Promise<Service> {
  await mkdir(options.dir, { recursive: true });
  const child = supervise({
    command: options.binary,
    args: [
      "server",
      "start-dev",
      "--headless",
      "--ip=127.0.0.1",
      `--port=${options.port}`,
      `--http-port=${options.httpPort}`,
      `--db-filename=${join(options.dir, "temporal.db")}`,
      `--namespace=${options.namespace}`,
      "--log-level=warn",
    ],
    env: options.env,
    logFile: options.logFile,
    onSpawn: options.onSpawn,
  });
  const probe = answersHttp(`http://127.0.0.1:${options.httpPort}/api/v1/namespaces/${options.namespace}`);
  await awaitReady({ title: "Temporal", child, probe, timeoutMs: 60_000, signal: options.signal });
  return {
    name: "temporal",
    url: `127.0.0.1:${options.port}`,
    get pid() {
      return child.pid;
    },
    stop: () => child.stop(),
  };
}
