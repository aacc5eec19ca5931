import { mkdir } from "node:fs/promises";
import { answersHttp, awaitReady } from "./await-ready.ts";
import type { LaunchOptions, Service } from "./progress.ts";
import type { PythonEnvironment } from "./python-env.ts";
import { supervise } from "./supervise.ts";

export type SidecarOptions = LaunchOptions & {
  python: PythonEnvironment;
  dir: string;
  port: number;
};

/**
 * One of our Python servers (apps/sidecars), by its module's name. It is not told to watch its parent: the guard that
 * every supervised program runs under does that.
 */
export async function startSidecar(
  name: "vectors" | "embeddings",
  options: SidecarOptions & { args: readonly string[] },
): Promise<Service> {
  await mkdir(options.dir, { recursive: true });
  const child = supervise({
    command: options.python.python,
    args: ["-m", `sidecars.${name}`, "--port", String(options.port), ...options.args],
    env: { ...options.env, ...options.python.variables, HF_HUB_OFFLINE: "1" },
    logFile: options.logFile,
    onSpawn: options.onSpawn,
  });
  const url = `http://127.0.0.1:${options.port}`;
  await awaitReady({
    title: `The ${name} server`,
    child,
    probe: answersHttp(`${url}/healthz`),
    timeoutMs: 120_000,
    signal: options.signal,
  });
  return {
    name,
    url,
    get pid() {
      return child.pid;
    },
    stop: () => child.stop(),
  };
}
