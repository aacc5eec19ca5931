import { type ChildProcess, fork } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describeBytes } from "@anneal/core/describe-bytes";
import type { ParsedDocument } from "@anneal/core/document/element";
import { type AnnealError, isAnnealError } from "@anneal/core/errors";
import { endWithParent } from "@anneal/processes/end-with-parent";
import { documentError, settingActions } from "./document-errors.ts";
import { findNetworkConfinement } from "./network-confinement.ts";
import {
  type ParseReply,
  type ParseRequest,
  type ParseTask,
  type PartAnswer,
  type ScannedPartMessage,
  parseReplySchema,
  scannedPartSchema,
} from "./parser-messages.ts";
import { listParserReads } from "./parser-reads.ts";
import { PausableTimeout } from "./pausable-timeout.ts";

const MiB = 1024 * 1024;
const childPath = fileURLToPath(new URL("./parser-child.ts", import.meta.url));
const memoryPollMs = 200;

export type ParserProcessOptions = {
  /** Wall-clock time for one request, less what others do for it. */
  timeoutMs: number;
  /** Resident memory. Three quarters of it may be JavaScript heap. */
  maxMemoryBytes: number;
  /** Requests after which it ends itself. */
  recycleAfter: number;
  /** Lets it load native code, which drawing needs. */
  nativeCode?: boolean;
  /** What it runs: a child that answers as parser-child.ts does, which is the one unless told. */
  program?: string;
};

type ParserProcessEvents = { freed?: () => void; ended?: () => void };

export type ParserJob = {
  request: ParseTask;
  /** The document that goes with it: its bytes are handed over, since the process may open no file. */
  path: string | null;
  signal: AbortSignal | undefined;
  /** What it ends with after an abort. */
  cancelled: AnnealError;
  /**
   * Reads a file inside the document whose text can only be recognised, while the process waits and its time stands
   * still. A failure with a DOCUMENT_ code is that file's; another one is the job's.
   */
  recognizePart?: (part: ScannedPartMessage) => Promise<ParsedDocument>;
  settle: (result: { reply: ParseReply } | { error: unknown }) => void;
};

/** One process and the document that it has in hand. While it has none, nothing here ticks. */
export class ParserProcess {
  private readonly process: ChildProcess;
  private readonly options: ParserProcessOptions;
  private readonly events: ParserProcessEvents;
  private readonly exited: Promise<void>;
  private job: ParserJob | null = null;
  private done = 0;
  private ending = false;
  /** Why we ended it, when it was us. */
  private verdict: unknown = null;
  private handingOver: Promise<void> = Promise.resolve();
  private timeout: PausableTimeout | null = null;
  private isRecognizing = false;
  private partsLeft = 0;
  private stopWatching: () => void = () => {};

  constructor(options: ParserProcessOptions, events: ParserProcessEvents = {}) {
    this.options = options;
    this.events = events;
    const heapMiB = Math.floor((options.maxMemoryBytes * 0.75) / MiB);
    const program = options.program ?? childPath;
    const network = findNetworkConfinement();
    // A new namespace takes the wish to end with us away: it is said inside.
    const node = endWithParent(process.execPath, []);
    const [command, before] = network === null ? node : [network.command, [...network.args, ...node.flat()]];
    this.process = fork(program, [], {
      // Without a network where the system allows that. Sockets that are files are beyond it: reaching one takes code of
      // one's own in the process, since no parser opens any.
      execPath: command,
      // It may read its own code: no other file, no writing, no programs, no threads, and no native code unless it
      // draws. What native code does Node cannot stop, but the network is shut to that as well.
      execArgv: [
        ...before,
        `--max-old-space-size=${heapMiB}`,
        "--permission",
        ...[program, ...listParserReads()].map((path) => `--allow-fs-read=${path}`),
        ...(options.nativeCode === true ? ["--allow-addons"] : []),
        "--disable-warning=ExperimentalWarning",
        "--disable-warning=SecurityWarning",
      ],
      env: {},
      stdio: ["pipe", "ignore", "ignore", "ipc"],
    });
    this.exited = new Promise((resolve) => {
      const gone = (code: number | null, signal: NodeJS.Signals | null) => {
        this.closed(code, signal);
        resolve();
      };
      // Not "close", which never comes after disconnect().
      this.process.once("exit", gone);
      // A process that could not be started never exits.
      this.process.on("error", () =>
        this.process.pid === undefined ? gone(null, null) : this.process.kill("SIGKILL"),
      );
    });
    this.process.on("message", (message) => this.receive(message));
    // Who writes hears of it too.
    this.process.stdin?.on("error", () => {});
  }

  get isFree(): boolean {
    return this.job === null && !this.ending;
  }

  run(job: ParserJob): void {
    this.job = job;
    // Our code sends no more, since each has a scanned page at least: a time that stands still for ever is no limit.
    this.partsLeft = job.request.limits.maxScannedPages;
    const kill = (error: AnnealError) => void this.end(error);
    const seconds = Math.round(this.options.timeoutMs / 100) / 10;
    const timeout = new PausableTimeout(this.options.timeoutMs, () => {
      kill(
        documentError("DOCUMENT_TIMEOUT", `Parsing took longer than ${seconds} s and was ended.`, {
          action: settingActions.time,
          details: { timeoutMs: this.options.timeoutMs },
        }),
      );
    });
    this.timeout = timeout;
    const poll = setInterval(() => {
      void residentBytes(this.process.pid).then((bytes) => {
        if (this.job === job && bytes > this.options.maxMemoryBytes) kill(this.outOfMemory());
      });
    }, memoryPollMs);
    const abort = () => kill(job.cancelled);
    job.signal?.addEventListener("abort", abort, { once: true });
    this.stopWatching = () => {
      timeout.pause();
      clearInterval(poll);
      job.signal?.removeEventListener("abort", abort);
    };
    this.handingOver = this.handOver(job).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message.slice(0, 160) : "unknown";
      kill(documentError("DOCUMENT_DAMAGED", `The file cannot be read (${reason}).`));
    });
  }

  /** Kills the process; its document, if any, fails with the reason. Resolves when the process is gone. */
  async end(reason: unknown): Promise<void> {
    this.ending = true;
    this.verdict ??= reason;
    this.process.kill("SIGKILL");
    await this.exited;
  }

  /** @throws where the file cannot be read; that the process ended meanwhile is told by its exit */
  private async handOver({ request, path }: ParserJob): Promise<void> {
    if (path === null) return this.send({ ...request, fileSizeBytes: 0 });
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (this.ending) return;
      this.send({ ...request, fileSizeBytes: size });
      const chunk = Buffer.allocUnsafe(Math.min(size, MiB));
      for (let sent = 0; sent < size;) {
        const { bytesRead } = await file.read(chunk, 0, Math.min(chunk.length, size - sent), sent);
        if (bytesRead === 0) throw new Error("it became shorter meanwhile");
        if (!(await this.write(chunk.subarray(0, bytesRead)))) return;
        sent += bytesRead;
      }
    } finally {
      await file.close();
    }
  }

  /** @returns whether it could be written */
  private write(bytes: Uint8Array): Promise<boolean> {
    return new Promise((resolve) => this.process.stdin!.write(bytes, (error) => resolve(error == null)));
  }

  private send(message: ParseRequest | PartAnswer): void {
    this.process.send(message, (error) => {
      if (error !== null) this.process.kill("SIGKILL");
    });
  }

  private receive(message: unknown): void {
    const part = scannedPartSchema.safeParse(message);
    const mayAsk = !this.isRecognizing && this.partsLeft > 0;
    // One that asks for two at a time, or for too many, does not follow our code any more, and is ended below.
    if (part.success && this.job?.recognizePart !== undefined && mayAsk) {
      this.partsLeft -= 1;
      void this.recognize(this.job, this.job.recognizePart(part.data));
      return;
    }
    const reply = parseReplySchema.safeParse(message);
    if (!reply.success) {
      void this.end(
        documentError("DOCUMENT_HOSTILE", "The parser's answer made no sense; the document may have taken it over."),
      );
    } else void this.finish(reply.data);
  }

  private async finish(reply: ParseReply): Promise<void> {
    const { job } = this;
    // One that answers before it has taken its document would take the rest for the next one.
    await this.handingOver;
    if (this.job !== job) return;
    this.settle({ reply });
    this.done += 1;
    if (this.done >= this.options.recycleAfter) {
      // It ends on its own when its channel closes; until it has, the pool counts it.
      this.ending = true;
      this.process.disconnect();
    } else if (!this.ending) this.events.freed?.();
  }

  private async recognize(job: ParserJob, reading: Promise<ParsedDocument>): Promise<void> {
    this.isRecognizing = true;
    this.timeout?.pause();
    const result = await reading.then(
      (document) => ({ status: "read" as const, document }),
      (error: unknown) => ({ status: "failed" as const, error }),
    );
    this.isRecognizing = false;
    // It may have been ended, or have gone on to another document without waiting.
    if (this.job !== job || this.ending) return;
    if (result.status === "read") this.send({ task: "part", ...result });
    else if (isAnnealError(result.error) && result.error.code.startsWith("DOCUMENT_")) {
      const { code, message, action, details } = result.error;
      this.send({ task: "part", status: "failed", error: { code, message, action, details } });
    } else return void this.end(result.error);
    this.timeout?.resume();
  }

  private settle(result: Parameters<ParserJob["settle"]>[0]): void {
    const { job } = this;
    this.job = null;
    this.stopWatching();
    job?.settle(result);
  }

  private closed(code: number | null, signal: NodeJS.Signals | null): void {
    this.ending = true;
    // V8 aborts when its heap is full.
    const ranOut = signal === "SIGABRT" || code === 134;
    const crash = documentError(
      "DOCUMENT_DAMAGED",
      `The document made its parser crash (${signal ?? `exit code ${code}`}).`,
    );
    this.settle({ error: this.verdict ?? (ranOut ? this.outOfMemory() : crash) });
    this.events.ended?.();
  }

  private outOfMemory(): AnnealError {
    const limit = describeBytes(this.options.maxMemoryBytes);
    return documentError("DOCUMENT_TOO_LARGE", `Parsing needed more than ${limit} of memory and was ended.`, {
      // What it may take grows with the size of what it may read.
      action: settingActions.size,
      details: { maxMemoryBytes: this.options.maxMemoryBytes },
    });
  }
}

/** Resident memory of a process by Linux's proc file system; 0 where there is none, and the heap limit has to do. */
async function residentBytes(pid: number | undefined): Promise<number> {
  const status = pid === undefined ? "" : await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB/mu.exec(status)?.[1] ?? 0) * 1024;
}
