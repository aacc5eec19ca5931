import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { getPriority } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createTestFolders } from "@anneal/processes/test-folders.fixture";
import { describe, expect, it } from "vitest";
import { identifyProcess, isAlive, type ProcessIdentity } from "./process-table.ts";
import { supervise } from "./supervise.ts";

const makeDir = createTestFolders("supervise");

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await condition()) return;
    await sleep(50);
  }
  throw new Error("The condition did not come true within 10 s.");
}

async function makeSpec(script: string) {
  const dir = await makeDir();
  const seen: ProcessIdentity[] = [];
  return {
    dir,
    seen,
    spec: {
      command: "/bin/sh",
      args: ["-c", script],
      env: { ...process.env, DIR: dir },
      logFile: join(dir, "out.log"),
      graceSeconds: 1,
      onSpawn: (identity: ProcessIdentity) => void seen.push(identity),
    },
  };
}

/** Processes of the group that still run. */
function listGroup(groupId: number): string[] {
  const rows = execFileSync("ps", ["-eo", "pgid=,stat=,args="], { encoding: "utf8" }).split("\n");
  return rows.filter((row) => {
    const [group, state] = row.trim().split(/\s+/);
    return Number(group) === groupId && !state?.startsWith("Z");
  });
}

describe("supervise", () => {
  it("keeps what the program wrote in the log and in lastLines", async () => {
    const { spec } = await makeSpec("echo hello; echo oops >&2; sleep 60");
    const child = supervise(spec);
    await until(() => child.lastLines.length === 2);
    await child.stop();
    expect(await readFile(spec.logFile, "utf8")).toContain("hello");
    expect(child.lastLines).toContain("oops");
  });

  it("restarts a program that ends unasked", async () => {
    const { spec, seen } = await makeSpec("echo started; exit 3");
    const child = supervise(spec);
    await until(() => seen.length >= 2);
    expect(seen[0]?.pid).not.toBe(seen[1]?.pid);
    await child.stop();
    expect(child.state).toEqual({ status: "stopped" });
  });

  it("ends a program that ignores the stop signal, and what it started", async () => {
    const { spec } = await makeSpec("trap '' TERM; sleep 60 & echo up; while :; do sleep 1; done");
    const child = supervise(spec);
    await until(() => child.lastLines.includes("up"));
    const group = child.pid;
    await child.stop();
    await until(() => listGroup(group).length === 0);
  });

  it("lets a program step back for others", async () => {
    const { spec } = await makeSpec("nice; sleep 60");
    const child = supervise({ ...spec, niceness: 5 });
    await until(() => child.lastLines.some((line) => line !== ""));
    expect(Number(child.lastLines[0])).toBe(getPriority() + 5);
    await child.stop();
  });

  it("lets a program finish its own shutdown", async () => {
    const { spec, dir } = await makeSpec(
      `trap 'echo bye > "$DIR/bye"; exit 0' TERM; echo up; while :; do sleep 0.05; done`,
    );
    const child = supervise(spec);
    await until(() => child.lastLines.includes("up"));
    await child.stop();
    expect(await readFile(join(dir, "bye"), "utf8")).toBe("bye\n");
  });

  it("leaves no process when the supervising process is killed with -9", async () => {
    const { dir, spec } = await makeSpec("sleep 60 & echo up; wait");
    const main = join(dir, "main.ts");
    await writeFile(
      main,
      `import { supervise } from ${JSON.stringify(new URL("supervise.ts", import.meta.url).href)};
       const child = supervise(${JSON.stringify(spec)});
       setInterval(() => { if (child.lastLines.includes("up")) console.log(child.pid); }, 50);`,
    );
    const parent = supervise({
      ...spec,
      command: process.execPath,
      args: [main],
      logFile: join(dir, "parent.log"),
    });
    await until(() => /^\d+$/.test(parent.lastLines[0] ?? ""));
    const group = Number(parent.lastLines[0]);
    const guard = identifyProcess(group);
    expect(guard).toBeDefined();
    expect(listGroup(group).length).toBeGreaterThan(0);

    const [node] = execFileSync("pgrep", ["-f", main], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map(Number)
      .filter((pid) => pid !== parent.pid);
    process.kill(node ?? 0, "SIGKILL");
    await until(() => listGroup(group).length === 0 && !(guard && isAlive(guard)));
    await parent.stop();
  });
});
