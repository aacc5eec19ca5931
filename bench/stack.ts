// The whole stack on this machine: how soon a second start has a usable portal, what it holds in memory and what it
// costs when nobody uses it. Prints one JSON object.
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { choosePort } from "@anneal/processes/choose-port";
import { repoDir } from "@anneal/local-stack/environment";

const startScript = join(repoDir, "scripts/start.mjs");
/** `getconf CLK_TCK` is 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;
const settleMs = 20_000;
const idleMs = 30_000;

type Started = { portalMs: number; pid: number; stop: () => Promise<void> };

async function start(stateDir: string, port: number): Promise<Started> {
  const startedAt = Date.now();
  const child = spawn(process.execPath, [startScript, "--no-examples"], {
    env: { ...process.env, ANNEAL_STATE_DIR: stateDir, ANNEAL_PORT: String(port) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let output = "";
  child.stdout.on("data", (part: Buffer) => (output += part.toString()));
  let portalMs = 0;
  // The last line is printed once the inference engine answers too.
  while (!output.includes("It runs until")) {
    if (child.exitCode !== null) throw new Error(`The stack did not start:\n${output}`);
    if (portalMs === 0) {
      const answer = await fetch(`http://127.0.0.1:${port}/sign-in`).catch(() => null);
      if (answer?.ok) portalMs = Date.now() - startedAt;
    }
    await sleep(100);
  }
  return {
    portalMs,
    pid: child.pid!,
    async stop() {
      child.kill("SIGINT");
      await exited;
    },
  };
}

/** Every process below `root`, from /proc. */
async function processTree(root: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => null);
    if (stat !== null) parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
  }
  const below = (pid: number): boolean => pid === root || (parents.has(pid) && pid > 1 && below(parents.get(pid)!));
  return [...parents.keys()].filter(below);
}

async function measure(pids: number[]): Promise<{ residentBytes: number; ticks: number }> {
  let residentBytes = 0;
  let ticks = 0;
  for (const pid of pids) {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
    // Proportional set size: memory that processes share is counted once.
    residentBytes += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024;
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return { residentBytes, ticks };
}

const stateDir = await mkdtemp(join(tmpdir(), "anneal-bench-stack-"));
try {
  const port = await choosePort(undefined);
  const first = await start(stateDir, port);
  await first.stop();
  const second = await start(stateDir, port);
  try {
    await sleep(settleMs);
    const pids = await processTree(second.pid);
    const before = await measure(pids);
    await sleep(idleMs);
    const after = await measure(pids);
    console.log(
      JSON.stringify({
        firstStartToPortalSeconds: first.portalMs / 1000,
        secondStartToPortalSeconds: second.portalMs / 1000,
        residentGiB: Number((after.residentBytes / 1024 ** 3).toFixed(2)),
        idleCores: Number(((after.ticks - before.ticks) / ticksPerSecond / (idleMs / 1000)).toFixed(3)),
      }),
    );
  } finally {
    await second.stop();
  }
} finally {
  await rm(stateDir, { recursive: true, force: true });
}
