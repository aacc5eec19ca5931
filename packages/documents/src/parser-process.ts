import { open } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describeBytes } from "@anneal/core/describe-bytes";
import type { ParsedDocument } from "@anneal/core/document/element";
import { type AnnealError, assertNever, isAnnealError } from "@anneal/core/errors";
import { ConfinedProcess, type Ending } from "@anneal/processes/confined-process";
import { listPackageFolders } from "@anneal/processes/package-folders";
import { documentError, settingActions } from "./document-errors.ts";
import {
  type ParseReply,
  type ParseRequest,
  type ParseTask,
  type PartAnswer,
  type ScannedPartMessage,
  parseReplySchema,
  scannedPartSchema,
} from "./parser-messages.ts";

const MiB = 1024 * 1024;
const childPath = fileURLToPath(new URL("./parser-child.ts", import.meta.url));
let folders: readonly string[] | undefined;

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
  private readonly process: ConfinedProcess;
  private readonly options: ParserProcessOptions;
  private readonly events: ParserProcessEvents;
  private job: ParserJob | null = null;
  private done = 0;
  /** Why we ended it, when it was us. */
  private verdict: unknown = null;
  private handingOver: Promise<void> = Promise.resolve();
  private isRecognizing = false;
  private partsLeft = 0;
  private stopListening: () => void = () => {};

  constructor(options: ParserProcessOptions, events: ParserProcessEvents = {}) {
    this.options = options;
    this.events = events;
    const { timeoutMs, maxMemoryBytes, nativeCode = false, program = childPath } = options;
    const reads = (folders ??= listPackageFolders(new URL("../", import.meta.url)));
    this.process = new ConfinedProcess(
      { program, reads, timeoutMs, maxMemoryBytes, nativeCode },
      { message: (message) => this.receive(message), ended: (ending) => this.closed(ending) },
    );
  }

  get isFree(): boolean {
    return this.job === null && !this.process.isEnding;
  }

  run(job: ParserJob): void {
    this.job = job;
    // Our code sends no more, since each has a scanned page at least: a time that stands still for ever is no limit.
    this.partsLeft = job.request.limits.maxScannedPages;
    this.process.begin();
    const kill = (error: AnnealError) => void this.end(error);
    const abort = () => kill(job.cancelled);
    job.signal?.addEventListener("abort", abort, { once: true });
    this.stopListening = () => job.signal?.removeEventListener("abort", abort);
    this.handingOver = this.handOver(job).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message.slice(0, 160) : "unknown";
      kill(documentError("DOCUMENT_DAMAGED", `The file cannot be read (${reason}).`));
    });
  }

  /** Kills the process; its document, if any, fails with the reason. Resolves when the process is gone. */
  async end(reason: unknown): Promise<void> {
    this.verdict ??= reason;
    await this.process.end();
  }

  /** @throws where the file cannot be read; that the process ended meanwhile is told by its exit */
  private async handOver({ request, path }: ParserJob): Promise<void> {
    if (path === null) return this.send({ ...request, fileSizeBytes: 0 });
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (this.process.isEnding) return;
      this.send({ ...request, fileSizeBytes: size });
      const chunk = Buffer.allocUnsafe(Math.min(size, MiB));
      for (let sent = 0; sent < size;) {
        const { bytesRead } = await file.read(chunk, 0, Math.min(chunk.length, size - sent), sent);
        if (bytesRead === 0) throw new Error("it became shorter meanwhile");
        if (!(await this.process.write(chunk.subarray(0, bytesRead)))) return;
        sent += bytesRead;
      }
    } finally {
      await file.close();
    }
  }

  private send(message: ParseRequest | PartAnswer): void {
    this.process.send(message);
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
      this.process.disconnect();
    } else if (!this.process.isEnding) this.events.freed?.();
  }

  private async recognize(job: ParserJob, reading: Promise<ParsedDocument>): Promise<void> {
    this.isRecognizing = true;
    this.process.pause();
    const result = await reading.then(
      (document) => ({ status: "read" as const, document }),
      (error: unknown) => ({ status: "failed" as const, error }),
    );
    this.isRecognizing = false;
    // It may have been ended, or have gone on to another document without waiting.
    if (this.job !== job || this.process.isEnding) return;
    if (result.status === "read") this.send({ task: "part", ...result });
    else if (isAnnealError(result.error) && result.error.code.startsWith("DOCUMENT_")) {
      const { code, message, action, details } = result.error;
      this.send({ task: "part", status: "failed", error: { code, message, action, details } });
    } else return void this.end(result.error);
    this.process.resume();
  }

  private settle(result: Parameters<ParserJob["settle"]>[0]): void {
    const { job } = this;
    this.job = null;
    this.process.rest();
    this.stopListening();
    job?.settle(result);
  }

  private closed(ending: Ending): void {
    this.settle({ error: this.verdict ?? this.errorOf(ending) });
    this.events.ended?.();
  }

  private errorOf(ending: Ending): AnnealError {
    const { timeoutMs, maxMemoryBytes } = this.options;
    switch (ending.why) {
      case "time":
        return documentError(
          "DOCUMENT_TIMEOUT",
          `Parsing took longer than ${Math.round(timeoutMs / 100) / 10} s and was ended.`,
          { action: settingActions.time, details: { timeoutMs } },
        );
      case "memory":
        return documentError(
          "DOCUMENT_TOO_LARGE",
          `Parsing needed more than ${describeBytes(maxMemoryBytes)} of memory and was ended.`,
          // What it may take grows with the size of what it may read.
          { action: settingActions.size, details: { maxMemoryBytes } },
        );
      case "exit":
        return documentError("DOCUMENT_DAMAGED", `The document made its parser crash (${ending.how}).`);
      default:
        return assertNever(ending.why);
    }
  }
}
