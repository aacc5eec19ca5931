import { spawn, type ChildProcess } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { choosePort } from "@anneal/local-stack/choose-port";
import { repoDir } from "@anneal/local-stack/environment";

const startTimeoutMs = 6 * 60_000;
const loopTimeoutMs = 8 * 60_000;
/** Enough of the examples that every page has something to show, little enough to train in a minute. */
const folders = ["support", "it"];

/**
 * A whole stack in a folder of its own with one finished loop. The specs find it through ANNEAL_E2E_*; a caller that
 * has a stack already names it by the same variables.
 * @returns how to stop it
 */
export default async function globalSetup(): Promise<() => Promise<void>> {
  if (process.env["ANNEAL_E2E_URL"]) return async () => {};
  const workDir = await mkdtemp(join(tmpdir(), "anneal-e2e-"));
  const stateDir = join(workDir, "state");
  const port = await choosePort(undefined);
  const env = { ...process.env, ANNEAL_STATE_DIR: stateDir, ANNEAL_PORT: String(port), INIT_CWD: workDir };
  const stack = spawn(process.execPath, [join(repoDir, "scripts/start.mjs"), "--no-examples"], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = async () => {
    await end(stack);
    await rm(workDir, { recursive: true, force: true });
  };
  try {
    await waitForOutput(stack, "It runs until", startTimeoutMs);
    for (const folder of folders) {
      await cp(join(repoDir, "examples/documents", folder), join(workDir, "documents", folder), { recursive: true });
    }
    const cli = join(repoDir, "apps/cli/src/main.ts");
    const source = ["--source", join(workDir, "documents")];
    const loop = spawn(process.execPath, [cli, "loop", ...source, "--name", "support", "--epochs", "1"], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    await waitForOutput(loop, "Index  ", loopTimeoutMs);
    const access = JSON.parse(await readFile(join(stateDir, "access.json"), "utf8")) as Record<string, string>;
    process.env["ANNEAL_E2E_URL"] = `http://localhost:${port}`;
    process.env["ANNEAL_E2E_EMAIL"] = access["email"];
    process.env["ANNEAL_E2E_PASSWORD"] = access["password"];
    process.env["ANNEAL_E2E_API_KEY"] = access["apiKey"];
    return stop;
  } catch (error) {
    await stop();
    throw error;
  }
}

async function waitForOutput(child: ChildProcess, wanted: string, timeoutMs: number): Promise<void> {
  let output = "";
  child.stdout?.on("data", (part: Buffer) => (output += part.toString()));
  child.stderr?.on("data", (part: Buffer) => (output += part.toString()));
  const deadline = Date.now() + timeoutMs;
  while (!output.includes(wanted)) {
    if (child.exitCode !== null) throw new Error(`It ended before "${wanted}":\n${output}`);
    if (Date.now() > deadline) throw new Error(`It did not say "${wanted}" in time:\n${output}`);
    await sleep(200);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGINT");
  await exited;
}
