// Runs programs and leaves nothing of them behind.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { repoDir } from "../infra/local/src/environment.mjs";

/** Every process that a run starts carries this variable, so that leftovers are found wherever they moved to. */
const mark = `ANNEAL_RUN=${process.pid}-${Date.now()}`;
process.env.ANNEAL_RUN = mark.split("=")[1];
// The project's own tools and its own Node come first.
process.env.PATH = [join(repoDir, "node_modules/.bin"), process.env.PATH].join(delimiter);

/** The groups of the programs that run now: a signal to this script ends them as well. */
const running = new Set();
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    for (const group of running) endGroup(group, "SIGTERM");
    // A stack stores and stops what it runs; what has not ended by then is killed.
    for (let attempt = 0; attempt < 300 && findLeftovers().length > 0; attempt += 1) await sleep(100);
    endLeftovers();
    process.exit(signal === "SIGINT" ? 130 : 143);
  });
}

/**
 * @param options.quiet keep the output instead of showing it
 * @param options.showErrors keep only what is meant as its result, and show what it says meanwhile
 * @returns {Promise<{ code: number, output: string, seconds: number }>}
 */
export function runCommand(
  command,
  args,
  { quiet = false, showErrors = !quiet, env = process.env, cwd = repoDir } = {},
) {
  const startedAt = Date.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env,
      detached: true,
      stdio: ["ignore", quiet ? "pipe" : "inherit", showErrors ? "inherit" : "pipe"],
    });
    running.add(child.pid);
    let output = "";
    child.stdout?.on("data", (chunk) => (output += chunk));
    child.stderr?.on("data", (chunk) => (output += chunk));
    const end = (code) => {
      running.delete(child.pid);
      resolve({ code, output, seconds: (Date.now() - startedAt) / 1000 });
    };
    child.on("error", (error) => {
      output += error.message;
      end(127);
    });
    // `exit`, not `close`: a leftover that holds the pipe open must not hold us up.
    child.on("exit", (code) => setTimeout(() => end(code ?? 1), 50));
  });
}

/** Processes that were started by this run and still live, apart from itself. */
export function findLeftovers() {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const marked = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(mark);
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        return marked && command ? [{ pid: Number(pid), command }] : [];
      } catch {
        // It ended meanwhile, or belongs to somebody else.
        return [];
      }
    });
}

/** With their groups: some programs write their title over their environment, so that the mark is not to be seen. */
export function endLeftovers() {
  const own = groupOf("self");
  for (const group of new Set(findLeftovers().map(({ pid }) => groupOf(pid)))) {
    if (group !== undefined && group !== own) endGroup(group, "SIGKILL");
  }
}

/** proc(5), field 5 of stat; the name before it may hold anything. */
function groupOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
  } catch {
    // It ended by itself.
  }
}

function endGroup(group, signal) {
  try {
    process.kill(-group, signal);
  } catch {
    // It ended by itself.
  }
}
