import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { openRotatingLog } from "@anneal/processes/rotating-log";
import { identifyProcess, type ProcessIdentity } from "./process-table.ts";

// Handed to sh as text: a service that runs as another user may not be allowed to read this folder.
const guard = readFileSync(new URL("guard.sh", import.meta.url), "utf8");
/** Enough for the last words of a program that fails. */
const recentChars = 16 * 1024;
const firstBackoffMs = 500;
const maxBackoffMs = 30_000;
/** A service that ran this long was healthy: its next crash starts again from the shortest wait. */
const healthyAfterMs = 60_000;

export type ChildCommand = {
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** Standard output and error go here; the file before is kept as `<logFile>.1` once this one passes 20 MB. */
  logFile: string;
  /** Default SIGTERM. */
  stopSignal?: "TERM" | "INT";
  /** How long after the stop signal the whole process group is killed. */
  graceSeconds?: number;
  /** Runs as this user; only root can. */
  user?: { uid: number; gid: number };
  /** How far it steps back for others where processors are short, 0 (default) to 19: see nice(1). */
  niceness?: number;
  /** Told of every process of this service, the first one included. */
  onSpawn?: (identity: ProcessIdentity) => void;
};

export type Supervised = {
  readonly pid: number;
  readonly state: ChildState;
  /** The last lines that the running program wrote, newest last. */
  readonly lastLines: readonly string[];
  stop(): Promise<void>;
};

export type ChildState =
  | { status: "running" }
  | { status: "waiting"; exitCode: number | null; restarts: number }
  | { status: "stopped" };

/**
 * Keeps one program running: in a process group of its own, restarted with a growing wait when it ends unasked, and
 * ended with everything that it started when `stop` is called or when this process dies in any way (see guard.sh).
 */
export function supervise(spec: ChildCommand): Supervised {
  let state: ChildState = { status: "running" };
  let stopping = false;
  let restarts = 0;
  let timer: NodeJS.Timeout | undefined;
  let recent = "";
  const log = openRotatingLog(spec.logFile);
  let child = launch();

  function keep(chunk: Buffer): void {
    recent = (recent + chunk.toString("utf8")).slice(-recentChars);
    log.write(chunk);
  }

  function launch(): ChildProcess {
    const startedAt = Date.now();
    recent = "";
    const program = [...(spec.niceness ? ["nice", "-n", String(spec.niceness)] : []), spec.command, ...spec.args];
    const next = spawn(
      "/bin/sh",
      ["-c", guard, "guard", spec.stopSignal ?? "TERM", String(spec.graceSeconds ?? 10), ...program],
      {
        cwd: spec.cwd,
        env: spec.env as NodeJS.ProcessEnv,
        // A group of its own: Ctrl-C in the terminal reaches only us, and we end our children in order.
        detached: true,
        stdio: ["pipe", "pipe", "pipe"],
        ...spec.user,
      },
    );
    // Closing the pipe is how a child is stopped; one that is already gone answers with EPIPE.
    next.stdin?.on("error", () => {});
    next.stdout?.on("data", keep);
    next.stderr?.on("data", keep);
    next.once("error", (error) => {
      keep(Buffer.from(`${error.message}\n`));
      if (next.pid === undefined) ended(null);
    });
    next.once("exit", (code) => {
      sweepGroup(next.pid);
      ended(code);
    });
    const identity = next.pid === undefined ? undefined : identifyProcess(next.pid);
    if (identity) spec.onSpawn?.(identity);
    return next;

    function ended(exitCode: number | null): void {
      if (stopping) {
        state = { status: "stopped" };
        return;
      }
      restarts = Date.now() - startedAt > healthyAfterMs ? 1 : restarts + 1;
      state = { status: "waiting", exitCode, restarts };
      timer = setTimeout(
        () => {
          state = { status: "running" };
          child = launch();
        },
        Math.min(firstBackoffMs * 2 ** (restarts - 1), maxBackoffMs),
      );
    }
  }

  async function stop(): Promise<void> {
    stopping = true;
    clearTimeout(timer);
    if (state.status === "waiting") state = { status: "stopped" };
    if (state.status !== "stopped" && child.exitCode === null && child.signalCode === null) {
      const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      child.stdin?.end();
      await exit;
    }
    state = { status: "stopped" };
    await log.close();
  }

  return {
    get pid() {
      return child.pid ?? 0;
    },
    get state() {
      return state;
    },
    get lastLines() {
      return recent.trimEnd().split("\n");
    },
    stop,
  };
}

/** Whatever the program left behind in its group, for example a worker process of an engine that crashed. */
function sweepGroup(groupId: number | undefined): void {
  if (groupId === undefined) return;
  try {
    process.kill(-groupId, "SIGKILL");
  } catch {
    // Nothing was left.
  }
}
