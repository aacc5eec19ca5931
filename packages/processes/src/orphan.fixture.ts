import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { expect, vi } from "vitest";

/**
 * Runs a module in a process of its own, kills it as `kill -9` does once a child of it runs under a command line with the
 * given words, and waits until that child is gone as well.
 */
export async function expectNoOrphan(module: string, words: string): Promise<void> {
  const parent = spawn(process.execPath, ["--input-type=module", "-e", module], { stdio: "inherit" });
  const child = await vi
    .waitFor(
      () => {
        const [found] = childrenRunning(words, parent.pid);
        expect(found, `a child "${words}"`).toBeDefined();
        return found!;
      },
      { timeout: 60_000 },
    )
    .finally(() => parent.kill("SIGKILL"));
  if (parent.signalCode === null) await once(parent, "exit");
  try {
    await vi.waitFor(() => expect(isRunning(child), `"${words}" outlives its parent`).toBe(false), { timeout: 20_000 });
  } finally {
    if (isRunning(child)) process.kill(child, "SIGKILL");
  }
}

/** Children of a process, this one unless told, that run under a command line with the given words, by Linux's record. */
export function childrenRunning(words: string, parent = process.pid): number[] {
  const children = readdirSync(`/proc/${parent}/task`).flatMap((task) =>
    read(parent, `task/${task}/children`).split(" ").filter(Boolean).map(Number),
  );
  return children.filter((pid) => read(pid, "cmdline").replaceAll("\0", " ").includes(words));
}

/** One that ended and that nobody has asked about yet is still listed, as a zombie. */
function isRunning(pid: number): boolean {
  const state = read(pid, "stat").split(") ")[1]?.[0];
  return state !== undefined && !"ZX".includes(state);
}

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}
