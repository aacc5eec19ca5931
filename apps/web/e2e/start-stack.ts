import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { choosePort } from "@anneal/processes/choose-port";
import { z } from "zod";
import { e2eEnv, setPortal, withEnv } from "./env.ts";

const repoDir = join(import.meta.dirname, "../../..");
const readyLine = "It runs until you press Ctrl-C";
const startLimitMs = 15 * 60_000;
const loopLimitMs = 15 * 60_000;
const accessSchema = z.object({ email: z.string(), password: z.string(), apiKey: z.string() });

/**
 * Uses the portal that ANNEAL_E2E_URL names; without one, starts a whole stack in a temporary folder, lets it learn
 * from a few example documents, and ends it with the tests. Without the Python environment that a stack needs there
 * is none to start, and every test is skipped with that reason.
 */
export default async function startStack(): Promise<(() => Promise<void>) | undefined> {
  const { url, python } = e2eEnv();
  if (url !== undefined) return undefined;
  if (python === undefined) {
    console.log("Browser tests are skipped: set ANNEAL_E2E_URL, or run `npm test -- browser`, which starts a stack.");
    return undefined;
  }
  const stateDir = await mkdtemp(join(tmpdir(), "anneal-e2e-"));
  const port = await choosePort(undefined);
  const env = withEnv({ ANNEAL_STATE_DIR: stateDir, ANNEAL_PORT: String(port) });
  console.log("Starting a stack for the browser tests; this takes a few minutes.");
  const stack = run(["start", "--no-examples"], env);
  const stop = async () => {
    if (stack.child.exitCode === null) {
      stack.child.kill("SIGINT");
      await once(stack.child, "exit");
    }
    await rm(stateDir, { recursive: true, force: true });
  };
  try {
    await within(startLimitMs, stack.says(readyLine));
    const documents = `file://${join(repoDir, "examples/documents/support")}`;
    const loop = run(
      ["loop", "--source", documents, "--audience", "members", "--name", "helpdesk", "--epochs", "1"],
      env,
    );
    await within(loopLimitMs, loop.succeeds());
    const access = accessSchema.parse(JSON.parse(await readFile(join(stateDir, "access.json"), "utf8")));
    setPortal({ url: `http://localhost:${port}`, ...access, stateDir });
    return stop;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Our command line in a process of its own, which says why when it ends before it should. */
function run(args: string[], env: NodeJS.ProcessEnv) {
  const child: ChildProcess = spawn(process.execPath, [join(repoDir, "apps/cli/src/main.ts"), ...args], {
    cwd: repoDir,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const failed = (code: number | null) =>
    new Error(`anneal ${args[0]} ended with ${code}:\n${output.split("\n").slice(-30).join("\n")}`);
  const heard = new Set<() => void>();
  for (const stream of [child.stdout!, child.stderr!])
    stream.on("data", (part: Buffer) => {
      output += part.toString("utf8");
      for (const listener of heard) listener();
    });
  return {
    child,
    says: (line: string) =>
      new Promise<void>((resolve, reject) => {
        heard.add(() => output.includes(line) && resolve());
        child.once("exit", (code) => reject(failed(code)));
      }),
    succeeds: () =>
      new Promise<void>((resolve, reject) => {
        child.once("exit", (code) => (code === 0 ? resolve() : reject(failed(code))));
      }),
  };
}

async function within(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not done within ${limitMs / 60_000} minutes.`)), limitMs);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
