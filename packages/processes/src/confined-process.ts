import { type ChildProcess, fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import { endWithParent } from "./end-with-parent.ts";
import { findNetworkConfinement } from "./network-confinement.ts";
import { PausableTimeout } from "./pausable-timeout.ts";
import { noEnv } from "./no-env.ts";

const MiB = 1024 * 1024;
const memoryPollMs = 200;

export type ConfinedProcessOptions = {
  /** A module for Node that answers messages, and ends when its channel closes. */
  program: string;
  /** What it may read beside that: the folders of its own code. */
  reads: readonly string[];
  /** Wall-clock time for one task, without its pauses. */
  timeoutMs: number;
  /** Resident memory. Three quarters of it may be JavaScript heap. */
  maxMemoryBytes: number;
  /** Lets it load native code. */
  nativeCode?: boolean;
  /** MiB of each half of V8's young generation; a small one is collected more often, and holds less. Left out: V8's own. */
  semiSpaceMiB?: number;
};

/** How it came to its end: by a limit, or otherwise, which may be by us. `how`: the signal or the exit code. */
export type Ending = { why: "time" | "memory" | "exit"; how: string };

export type ConfinedProcessEvents = {
  /** It has read hostile bytes: nothing of it is to be believed that does not fit a schema. */
  message(message: unknown): void;
  /** Once, when it is gone. */
  ended(ending: Ending): void;
};

/**
 * A process for work on hostile input: with an empty environment, no file but its own code, no programs, no network where
 * Linux allows that, and with limits on time and memory, beyond which it is killed. It ends with this process, also when
 * that is killed. While it has no task, nothing here ticks.
 */
export class ConfinedProcess {
  private readonly process: ChildProcess;
  private readonly options: ConfinedProcessOptions;
  private readonly exited: Promise<void>;
  private isEndingNow = false;
  private brokenLimit: "time" | "memory" | null = null;
  private timeout: PausableTimeout | null = null;
  private poll: NodeJS.Timeout | undefined;

  constructor(options: ConfinedProcessOptions, events: ConfinedProcessEvents) {
    this.options = options;
    const { program, reads, maxMemoryBytes, nativeCode, semiSpaceMiB } = options;
    const network = findNetworkConfinement();
    // A new namespace takes the wish to end with us away: it is said inside.
    const node = endWithParent(process.execPath, []);
    const [command, before] = network === null ? node : [network.command, [...network.args, ...node.flat()]];
    this.process = fork(program, [], {
      // Without a network where the system allows that. Sockets that are files are beyond it: reaching one takes code of
      // one's own in the process, since no parser opens any.
      execPath: command,
      // It may read its own code: no other file, no writing, no programs, no threads, and no native code unless it
      // is allowed. What native code does Node cannot stop, but the network is shut to that as well.
      execArgv: [
        ...before,
        `--max-old-space-size=${Math.floor((maxMemoryBytes * 0.75) / MiB)}`,
        ...(semiSpaceMiB === undefined ? [] : [`--max-semi-space-size=${semiSpaceMiB}`]),
        "--permission",
        ...[program, ...reads].map((path) => `--allow-fs-read=${path}`),
        ...(nativeCode === true ? ["--allow-addons"] : []),
        "--disable-warning=ExperimentalWarning",
        "--disable-warning=SecurityWarning",
      ],
      env: noEnv,
      stdio: ["pipe", "ignore", "ignore", "ipc"],
    });
    this.exited = new Promise((resolve) => {
      const gone = (code: number | null, signal: NodeJS.Signals | null) => {
        this.isEndingNow = true;
        this.rest();
        // V8 aborts when its heap is full.
        const ranOut = signal === "SIGABRT" || code === 134;
        const why = this.brokenLimit ?? (ranOut ? "memory" : "exit");
        events.ended({ why, how: signal ?? `exit code ${code}` });
        resolve();
      };
      // Not "close", which never comes after disconnect().
      this.process.once("exit", gone);
      // A process that could not be started never exits.
      this.process.on("error", () =>
        this.process.pid === undefined ? gone(null, null) : this.process.kill("SIGKILL"),
      );
    });
    this.process.on("message", (message) => events.message(message));
    // Who writes hears of it too.
    this.process.stdin?.on("error", () => {});
  }

  /** It takes no more tasks. */
  get isEnding(): boolean {
    return this.isEndingNow;
  }

  /** It has a task from now on: its time runs, and its memory is watched. */
  begin(): void {
    this.timeout = new PausableTimeout(this.options.timeoutMs, () => this.breakOff("time"));
    const poll = setInterval(() => {
      void residentBytes(this.process.pid).then((bytes) => {
        if (this.poll === poll && bytes > this.options.maxMemoryBytes) this.breakOff("memory");
      });
    }, memoryPollMs);
    this.poll = poll;
  }

  /** It waits for us, while its time stands still. */
  pause(): void {
    this.timeout?.pause();
  }

  resume(): void {
    this.timeout?.resume();
  }

  /** Its task is done. */
  rest(): void {
    this.pause();
    clearInterval(this.poll);
    this.poll = undefined;
  }

  send(message: object): void {
    this.process.send(message, (error) => {
      if (error !== null) this.process.kill("SIGKILL");
    });
  }

  /** To its standard input. @returns whether it could be written */
  write(bytes: Uint8Array): Promise<boolean> {
    return new Promise((resolve) => this.process.stdin!.write(bytes, (error) => resolve(error == null)));
  }

  /** Closes its channel, at which it ends on its own. */
  disconnect(): void {
    this.isEndingNow = true;
    this.process.disconnect();
  }

  /** Kills it. Resolves when it is gone, and `ended` was told. */
  async end(): Promise<void> {
    this.isEndingNow = true;
    this.process.kill("SIGKILL");
    await this.exited;
  }

  private breakOff(limit: "time" | "memory"): void {
    this.brokenLimit ??= limit;
    void this.end();
  }
}

/** Resident memory of a process by Linux's proc file system; 0 where there is none, and the heap limit has to do. */
async function residentBytes(pid: number | undefined): Promise<number> {
  const status = pid === undefined ? "" : await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB/mu.exec(status)?.[1] ?? 0) * 1024;
}
