import { type ChildProcess, fork } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { ParsedDocument } from "@anneal/core/document/element";
import { AnnealError } from "@anneal/core/errors";
import { describeBytes, documentError } from "./document-errors.ts";
import { type ParseLimits, defaultParseLimits } from "./limits.ts";
import { readImageKind } from "./ocr/image-signatures.ts";
import { type OcrOptions, TextRecognizer } from "./ocr/text-recognizer.ts";
import { tooLarge } from "./parse-document.ts";
import { type ParseReply, type ParseRequest, parseReplySchema } from "./parser-messages.ts";

const MiB = 1024 * 1024;
const childPath = fileURLToPath(new URL("./parser-child.ts", import.meta.url));
const memoryPollMs = 200;

export type ParserPoolOptions = {
  /** Children that parse at the same time; started when they are first needed. Default: one a core, at most 4. */
  size?: number;
  /** Wall-clock time for one document. Default: 120,000. */
  timeoutMs?: number;
  /** Resident memory of one child. Default: 1 GiB. Three quarters of it may be JavaScript heap. */
  maxMemoryBytes?: number;
  /** Documents after which a child is replaced. Default: 200. */
  recycleAfter?: number;
  limits?: Partial<ParseLimits>;
  /** How text in pictures is recognised; needs the tesseract command where this process runs. Its time is `timeoutMs` unless told. */
  ocr?: OcrOptions;
};

export type PoolInput = {
  /** A local file that nobody changes while it is parsed. */
  path: string;
  /** Its name at the source; the path's last segment unless told. */
  fileName?: string;
  mediaType?: string;
  limits?: Partial<ParseLimits>;
  /** Ends the parse and the child that does it. */
  signal?: AbortSignal;
};

type ChildOptions = Required<Omit<ParserPoolOptions, "ocr">>;

type Job = {
  request: ParseRequest;
  signal: AbortSignal | undefined;
  settle: (result: { document: ParsedDocument } | { error: unknown }) => void;
};

/**
 * Parses documents in processes of their own, so that whatever a document does to its parser costs that document
 * only: a crash, endless work or endless memory ends the child, and the next document gets a fresh one. A picture goes to
 * the text recogniser instead, since a child may not start programs.
 */
export class ParserPool {
  private readonly options: ChildOptions;
  private readonly recognizer: TextRecognizer;
  private readonly closing = new AbortController();
  private readonly queue: Job[] = [];
  private readonly children = new Set<ParserChild>();
  private closed = false;

  constructor(options: ParserPoolOptions = {}) {
    this.options = {
      size: options.size ?? Math.min(availableParallelism(), 4),
      timeoutMs: options.timeoutMs ?? 120_000,
      maxMemoryBytes: options.maxMemoryBytes ?? 1024 * MiB,
      recycleAfter: options.recycleAfter ?? 200,
      limits: { ...defaultParseLimits, ...options.limits },
    };
    this.recognizer = new TextRecognizer({ timeoutMs: this.options.timeoutMs, ...options.ocr });
  }

  /**
   * @throws AnnealError with a DOCUMENT_ code; NOT_FOUND when the file is missing; CANCELLED after abort or close.
   */
  async parse(input: PoolInput): Promise<ParsedDocument> {
    const limits = { ...defaultParseLimits, ...this.options.limits, ...input.limits };
    const fileName = input.fileName ?? basename(input.path);
    const { size } = await stat(input.path).catch((error: unknown) => {
      throw new AnnealError("NOT_FOUND", `The file ${fileName} is no longer there.`, {
        action: "Sync the source again.",
        cause: error,
      });
    });
    if (size > limits.maxBytes) throw tooLarge(size, limits);
    if (this.closed || input.signal?.aborted === true) throw cancelled(fileName);
    const kind = await readImageKind(input.path);
    if (kind !== null) {
      const signals = input.signal === undefined ? [] : [input.signal];
      return this.recognizer.recognize(input.path, kind, AbortSignal.any([this.closing.signal, ...signals]));
    }
    if (this.closed) throw cancelled(fileName);
    return new Promise((resolve, reject) => {
      this.queue.push({
        request: { path: input.path, fileName, mediaType: input.mediaType, limits },
        signal: input.signal,
        settle: (result) => ("document" in result ? resolve(result.document) : reject(result.error)),
      });
      this.dispatch();
    });
  }

  /** Ends all children; documents that wait or are being parsed fail as CANCELLED. */
  async close(): Promise<void> {
    this.closed = true;
    this.closing.abort();
    for (const job of this.queue.splice(0)) job.settle({ error: cancelled(job.request.fileName) });
    await Promise.all([...this.children].map((child) => child.end(cancelled("the document"))));
  }

  private dispatch(): void {
    while (this.queue.length > 0) {
      const free =
        [...this.children].find((child) => child.isFree) ??
        (this.children.size < this.options.size ? this.start() : undefined);
      if (free === undefined) return;
      const job = this.queue.shift()!;
      if (job.signal?.aborted === true) job.settle({ error: cancelled(job.request.fileName) });
      else free.run(job);
    }
  }

  private start(): ParserChild {
    const child = new ParserChild(this.options, {
      freed: () => this.dispatch(),
      ended: () => {
        this.children.delete(child);
        this.dispatch();
      },
    });
    this.children.add(child);
    return child;
  }
}

/** One process and the document that it has in hand. While it has none, nothing here ticks. */
class ParserChild {
  private readonly process: ChildProcess;
  private readonly options: ChildOptions;
  private readonly events: { freed: () => void; ended: () => void };
  private readonly exited: Promise<void>;
  private job: Job | null = null;
  private done = 0;
  private ending = false;
  /** Why we ended it, when it was us. */
  private verdict: AnnealError | null = null;
  private stopWatching: () => void = () => {};

  constructor(options: ChildOptions, events: { freed: () => void; ended: () => void }) {
    this.options = options;
    this.events = events;
    const heapMiB = Math.floor((options.maxMemoryBytes * 0.75) / MiB);
    this.process = fork(childPath, [], {
      execPath: process.execPath,
      // Reading is all it may do: no writing, no programs, no threads, no native code.
      execArgv: [
        `--max-old-space-size=${heapMiB}`,
        "--permission",
        "--allow-fs-read=*",
        "--disable-warning=ExperimentalWarning",
        "--disable-warning=SecurityWarning",
      ],
      env: {},
      stdio: ["ignore", "ignore", "ignore", "ipc"],
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
  }

  get isFree(): boolean {
    return this.job === null && !this.ending;
  }

  run(job: Job): void {
    this.job = job;
    const kill = (error: AnnealError) => void this.end(error);
    const seconds = Math.round(this.options.timeoutMs / 100) / 10;
    const timer = setTimeout(() => {
      kill(
        documentError("DOCUMENT_TIMEOUT", `Parsing took longer than ${seconds} s and was ended.`, {
          details: { timeoutMs: this.options.timeoutMs },
        }),
      );
    }, this.options.timeoutMs);
    const poll = setInterval(() => {
      void residentBytes(this.process.pid).then((bytes) => {
        if (this.job === job && bytes > this.options.maxMemoryBytes) kill(this.outOfMemory());
      });
    }, memoryPollMs);
    const abort = () => kill(cancelled(job.request.fileName));
    job.signal?.addEventListener("abort", abort, { once: true });
    this.stopWatching = () => {
      clearTimeout(timer);
      clearInterval(poll);
      job.signal?.removeEventListener("abort", abort);
    };
    this.process.send(job.request, (error) => {
      if (error !== null) this.process.kill("SIGKILL");
    });
  }

  /** Kills the process; its document, if any, fails with the reason. Resolves when the process is gone. */
  async end(reason: AnnealError): Promise<void> {
    this.ending = true;
    this.verdict ??= reason;
    this.process.kill("SIGKILL");
    await this.exited;
  }

  private receive(message: unknown): void {
    const reply = parseReplySchema.safeParse(message);
    if (!reply.success) {
      void this.end(
        documentError("DOCUMENT_HOSTILE", "The parser's answer made no sense; the document may have taken it over."),
      );
    } else {
      this.settle(toResult(reply.data));
      this.done += 1;
      if (this.done >= this.options.recycleAfter) {
        // It ends on its own when its channel closes; until it has, the pool counts it.
        this.ending = true;
        this.process.disconnect();
      } else if (!this.ending) this.events.freed();
    }
  }

  private settle(result: Parameters<Job["settle"]>[0]): void {
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
    this.events.ended();
  }

  private outOfMemory(): AnnealError {
    const limit = describeBytes(this.options.maxMemoryBytes);
    return documentError("DOCUMENT_TOO_LARGE", `Parsing needed more than ${limit} of memory and was ended.`, {
      details: { maxMemoryBytes: this.options.maxMemoryBytes },
    });
  }
}

function toResult(reply: ParseReply): Parameters<Job["settle"]>[0] {
  if (reply.status === "parsed") return { document: reply.document };
  const { code, message, action, details } = reply.error;
  return { error: new AnnealError(code, message, { action, details }) };
}

/** Resident memory of a process by Linux's proc file system; 0 where there is none, and the heap limit has to do. */
async function residentBytes(pid: number | undefined): Promise<number> {
  const status = pid === undefined ? "" : await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB/mu.exec(status)?.[1] ?? 0) * 1024;
}

function cancelled(fileName: string): AnnealError {
  return new AnnealError("CANCELLED", `Parsing of ${fileName} was cancelled.`, {
    action: "Start it again when it is wanted.",
  });
}
