import { readFileSync } from "node:fs";

/** A process named for good: a pid is used again after its process ends, a pid with its start time is not. */
export type ProcessIdentity = { pid: number; startTicks: string };

/** @returns undefined when there is no such process, or when it is only a zombie that nobody has collected yet */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const fields = readStat(pid);
  if (!fields || fields[0] === "Z") return undefined;
  const startTicks = fields[19];
  return startTicks ? { pid, startTicks } : undefined;
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startTicks === identity.startTicks;
}

/** Fields of /proc/<pid>/stat after the command name, which may hold spaces and parentheses: state is first. */
function readStat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}
