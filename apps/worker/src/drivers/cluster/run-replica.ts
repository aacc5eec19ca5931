import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { expandReferences } from "./expand-references.ts";
import { findMembers, identifyProcess, killAll, markVariable } from "./process-table.ts";
import { type MemberFailure, openReplicaFiles, type ReplicaPlan } from "./replica-files.ts";
import { openRotatingLog } from "@anneal/processes/rotating-log";

/**
 * Runs one replica: `node run-replica.ts <folder>`. A process of its own, so that the replica outlives the worker that
 * started it, its exit codes are kept when no worker is there to collect them, and a gang ends as a whole even then. The
 * driver starts it detached (setsid); SIGTERM asks it to end.
 */
const firstBackoffMs = 500;
const maxBackoffMs = 30_000;
/** A replica that ran this long was healthy: its next end starts again from the shortest wait. */
const healthyAfterMs = 60_000;
const killBoundMs = 10_000;
const lastWordsMs = 1000;

const directory = process.argv[2];
if (directory === undefined) throw new Error("Usage: node run-replica.ts <folder of a replica>");
const files = openReplicaFiles(directory);
const plan = await files.readPlan();
const self = await identifyProcess(process.pid);
if (!plan || !self) throw new Error(`There is no plan in ${directory}.`);
// Whoever was first runs it; a second runner is what a crash between two steps of the driver leads to.
if (await files.claimRunner(self)) await runReplica(plan);

async function runReplica(replica: ReplicaPlan): Promise<void> {
  const stop = new AbortController();
  process.on("SIGTERM", () => stop.abort());
  process.on("SIGINT", () => {});
  process.on("SIGHUP", () => {});
  const sweep = () => killAll(() => findMembers(self, replica.mark), killBoundMs);
  for (let restarts = 0; ;) {
    const startedAt = Date.now();
    if (replica.restart) await files.writeProgress({ status: "running", restarts, last: null });
    const failure = await runOnce(replica, stop.signal);
    // What the members left behind would hold their GPU and ports.
    await sweep();
    if (!replica.restart || stop.signal.aborted) {
      await files.writeResult({ failure });
      return;
    }
    restarts = Date.now() - startedAt > healthyAfterMs ? 1 : restarts + 1;
    const last = failure ?? { reason: "It ended by itself with exit code 0, though it should serve.", exitCode: 0 };
    await files.writeProgress({ status: "waiting", restarts, last });
    await sleep(Math.min(firstBackoffMs * 2 ** (restarts - 1), maxBackoffMs), undefined, { signal: stop.signal }).catch(
      () => undefined,
    );
  }
}

/** Runs all members until the last has ended. The first that fails ends the others. */
async function runOnce(replica: ReplicaPlan, stop: AbortSignal): Promise<MemberFailure | null> {
  const children: ChildProcess[] = [];
  let failure: MemberFailure | null = null;
  let ending = false;
  const endAll = (killAfterMs: number | null) => {
    ending = true;
    for (const child of children) child.kill("SIGTERM");
    if (killAfterMs !== null) {
      setTimeout(() => void killAll(() => findMembers(self, replica.mark), killBoundMs), killAfterMs).unref();
    }
  };
  // The driver holds the clock of a stop that it asked for.
  const onStop = () => endAll(null);
  stop.addEventListener("abort", onStop, { once: true });
  const ended = replica.members.map(async (member, position) => {
    const exitCode = await runMember(replica, member, children, () => ending || stop.aborted);
    if (exitCode === null || exitCode === 0 || ending) return;
    failure = { exitCode, reason: describeExit(member.node, position, replica.members.length, exitCode) };
    endAll(replica.siblingGraceMs);
  });
  await Promise.all(ended);
  stop.removeEventListener("abort", onStop);
  return failure;
}

/** @returns the exit code, 128 + the signal where one ended it, or null when it was not started any more */
async function runMember(
  replica: ReplicaPlan,
  member: ReplicaPlan["members"][number],
  children: ChildProcess[],
  isEnding: () => boolean,
): Promise<number | null> {
  const log = openRotatingLog(member.logFile);
  try {
    const env: Record<string, string> = { ...member.env, [markVariable]: replica.mark };
    for (const [name, file] of Object.entries(member.secretFiles)) env[name] = (await readFile(file, "utf8")).trimEnd();
    const [command = "", ...args] = member.command.map((part) => expandReferences(part, env));
    await mkdir(member.directory, { recursive: true });
    if (isEnding()) return null;
    const child = spawn(command, args, { cwd: member.directory, env, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (chunk: Buffer) => log.write(chunk));
    child.stderr.on("data", (chunk: Buffer) => log.write(chunk));
    children.push(child);
    // Its last words may come after its end, but a child of its own that keeps the pipe open is not waited for.
    const closed = once(child, "close").catch(() => undefined);
    const [code, signalName] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    await Promise.race([closed, sleep(lastWordsMs, undefined, { ref: false })]);
    return code ?? 128 + constants.signals[signalName ?? "SIGKILL"];
  } catch (error) {
    // A program or a secret that is not there; exit codes as shells give them.
    log.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return (error as NodeJS.ErrnoException).code === "EACCES" ? 126 : 127;
  } finally {
    await log.close();
  }
}

function describeExit(node: string, position: number, members: number, exitCode: number): string {
  const who = members === 1 ? "It" : `Member ${position} on "${node}"`;
  const name = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0];
  if (exitCode === 127)
    return `${who} could not be started: its program or one of its files was not found; see its log.`;
  if (exitCode === 126) return `${who} could not be started: its program may not be executed; see its log.`;
  if (name === "SIGKILL") return `${who} was killed (SIGKILL), most often because the machine had no memory left.`;
  return `${who} ${name === undefined ? `ended with exit code ${exitCode}` : `was ended by ${name}`}; see its log.`;
}
