import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

/** A process named for good: a pid is used again, a pid with its start time in this run of the kernel is not. */
export const processIdentitySchema = z.object({ pid: z.int().positive(), startTicks: z.string(), bootId: z.string() });
export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

type ProcessEntry = { pid: number; state: string; parent: number; sid: number; startTicks: string };

/** In the environment of whatever belongs to a replica; its children inherit it. */
export const markVariable = "ANNEAL_REPLICA_MARK";

export async function readBootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}

/** @returns null when there is no such process, or when it is only a zombie that nobody has collected yet */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | null> {
  const entry = await readEntry(pid);
  return entry && { pid, startTicks: entry.startTicks, bootId: await readBootId() };
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const now = await identifyProcess(identity.pid);
  return now !== null && now.startTicks === identity.startTicks && now.bootId === identity.bootId;
}

/**
 * Every process of a replica except its runner, also after the runner has died: those that have its number as their sid
 * (setsid(2)), those that carry its mark (programs that detached themselves), and the children of both. The mark alone
 * does not do: setproctitle, which vLLM uses, writes over the environment that /proc shows.
 */
export async function findMembers(runner: ProcessIdentity | null, mark: string): Promise<number[]> {
  const entries = await readTable();
  const bootId = await readBootId();
  const leader = runner && entries.find((entry) => entry.pid === runner.pid);
  // A number that another process has today cannot be the sid of the old ones: the kernel gives none away that is in use.
  const isSameSid = runner !== null && runner.bootId === bootId && (!leader || leader.startTicks === runner.startTicks);
  const marked = await Promise.all(entries.map((entry) => carriesMark(entry.pid, mark)));
  const found = new Set(
    entries
      .filter((entry, at) => marked[at] === true || (isSameSid && entry.sid === runner.pid))
      .map((entry) => entry.pid),
  );
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const entry of entries) if (found.has(entry.parent)) found.add(entry.pid);
  }
  if (isSameSid) found.delete(runner.pid);
  found.delete(process.pid);
  return [...found];
}

/**
 * Kills what `find` finds until it finds nothing more.
 * @returns what is still there when `boundMs` is over: processes that hang in the kernel
 */
export async function killAll(find: () => Promise<number[]>, boundMs: number): Promise<number[]> {
  const deadline = Date.now() + boundMs;
  for (;;) {
    const pids = await find();
    if (pids.length === 0 || Date.now() > deadline) return pids;
    for (const pid of pids) signal(pid, "SIGKILL");
    await sleep(20);
  }
}

/** One that has ended in the meantime is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already.
  }
}

async function readTable(): Promise<ProcessEntry[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  return (await Promise.all(pids.map(readEntry))).filter((entry) => entry !== null);
}

/** proc(5): after the command name, which may hold spaces and parentheses, come state, parent, group, sid, … */
async function readEntry(pid: number): Promise<ProcessEntry | null> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, parent, , sid] = fields;
  if (state === undefined || state === "Z" || state === "X") return null;
  return { pid, state, parent: Number(parent), sid: Number(sid), startTicks: fields[19] ?? "" };
}

async function carriesMark(pid: number, mark: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
  return environment.split("\0").includes(`${markVariable}=${mark}`);
}
