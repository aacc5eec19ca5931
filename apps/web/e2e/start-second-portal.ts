import { join } from "node:path";
import { awaitReady } from "@anneal/local-stack/await-ready";
import { nextProgram, webDir } from "@anneal/local-stack/build-portal";
import { supervise } from "@anneal/local-stack/supervise";
import { readPortalEnvironment } from "./portal-environment.ts";

/**
 * Another portal on the databases of a running stack, with other settings. It serves the build that the stack made.
 * Only on Linux: the settings of the stack's own portal, which stand in no file, are read from its process.
 * @returns how to stop it
 */
export async function startSecondPortal(
  stateDir: string,
  options: { port: number; settings: Record<string, string> },
): Promise<() => Promise<void>> {
  const inherited = await readPortalEnvironment(stateDir);
  const child = supervise({
    command: process.execPath,
    args: [nextProgram, "start", "--hostname", "127.0.0.1", "--port", String(options.port)],
    cwd: webDir,
    env: { ...inherited, ...options.settings },
    logFile: join(stateDir, "logs/second-portal.log"),
  });
  const health = `http://127.0.0.1:${options.port}/api/health`;
  await awaitReady({
    title: "The second portal",
    child,
    probe: async () => (await fetch(health, { signal: AbortSignal.timeout(10_000) })).ok,
    timeoutMs: 60_000,
  });
  return child.stop;
}
