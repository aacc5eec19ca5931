import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import type { ParsedDocument } from "@anneal/core/document/element";
import { AnnealError } from "@anneal/core/errors";
import { documentError } from "./document-errors.ts";
import { type ParseLimits, defaultParseLimits, defaultParserMemoryBytes } from "./limits.ts";
import { readImageKind } from "./ocr/image-signatures.ts";
import { type OcrOptions, TextRecognizer } from "./ocr/text-recognizer.ts";
import { tooLarge } from "./parse-document.ts";
import type { ParseReply, ParseTask, ScannedPartMessage } from "./parser-messages.ts";
import { type ParserJob, ParserProcess, type ParserProcessOptions } from "./parser-process.ts";
import { parserVersion } from "./parser-version.ts";
import { PartRecognizer } from "./part-recognizer.ts";
import { ScanReader } from "./pdf/scan-reader.ts";
import { partitionedType } from "./unstructured/partitioned-types.ts";
import { UnstructuredClient, type UnstructuredOptions } from "./unstructured/unstructured-client.ts";

export const defaultParseTimeoutMs = 120_000;

export type ParserPoolOptions = {
  /** Children that parse at the same time; started when they are first needed. Default: one a core, at most 4. */
  size?: number;
  /** Wall-clock time for one document, without that of recognising its pictures and pages. Default: 120,000. */
  timeoutMs?: number;
  /** Resident memory of one child. Default: 1 GiB. Three quarters of it may be JavaScript heap. */
  maxMemoryBytes?: number;
  /** Documents after which a child is replaced. Default: 200. */
  recycleAfter?: number;
  limits?: Partial<ParseLimits>;
  /** How text in pictures is recognised; needs the tesseract command where this process runs. Its time is `timeoutMs` unless told. */
  ocr?: OcrOptions;
  /**
   * An Unstructured API that reads PDF, Office files, books and pictures instead of our own parsers: whole documents are
   * sent there. Default: none.
   */
  unstructured?: UnstructuredOptions;
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
  /** Called when some of the text can only be recognised (OCR), whether or not it then is. */
  onRecognition?: () => void;
};

type PoolOptions = ParserProcessOptions & { size: number; limits: Partial<ParseLimits> };

/**
 * Parses documents in processes of their own, so that whatever a document does to its parser costs that document
 * only: a crash, endless work or endless memory ends the child, and the next document gets a fresh one. Pictures and the
 * scanned pages of a PDF go on to the text recogniser, also those inside e-mails and archives; it is started from here,
 * since a child may not start programs.
 */
export class ParserPool {
  private readonly options: PoolOptions;
  private readonly recognizer: TextRecognizer;
  private readonly scans: ScanReader;
  private readonly unstructured: UnstructuredClient | null;
  private readonly closing = new AbortController();
  private readonly queue: ParserJob[] = [];
  private readonly children = new Set<ParserProcess>();
  private readonly scansInHand = new Set<Promise<unknown>>();
  private closed = false;

  constructor(options: ParserPoolOptions = {}) {
    this.options = {
      size: options.size ?? Math.min(availableParallelism(), 4),
      timeoutMs: options.timeoutMs ?? defaultParseTimeoutMs,
      maxMemoryBytes: options.maxMemoryBytes ?? defaultParserMemoryBytes,
      recycleAfter: options.recycleAfter ?? 200,
      limits: { ...defaultParseLimits, ...options.limits },
    };
    const { timeoutMs, maxMemoryBytes } = this.options;
    this.recognizer = new TextRecognizer({ timeoutMs, ...options.ocr });
    this.scans = new ScanReader(this.recognizer, { timeoutMs, maxMemoryBytes });
    this.unstructured = options.unstructured === undefined ? null : new UnstructuredClient(options.unstructured);
  }

  /**
   * @throws AnnealError with a DOCUMENT_ code; NOT_FOUND when the file is missing; CANCELLED after abort or close; what
   *   `UnstructuredClient.partition` throws, where one is set.
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
    const signals = input.signal === undefined ? [] : [input.signal];
    const signal = AbortSignal.any([this.closing.signal, ...signals]);
    const kind = await readImageKind(input.path);
    const sentAs = this.unstructured === null ? null : await partitionedType(input.path, fileName, kind);
    if (this.unstructured !== null && sentAs !== null) {
      input.onRecognition?.();
      const answer = await this.unstructured.partition({ path: input.path, fileName, mediaType: sentAs }, signal);
      const request: ParseTask = { task: "read-partition", answer, mediaType: sentAs, limits };
      return (await this.ask(request, null, fileName, input.signal)).document;
    }
    if (kind !== null) {
      input.onRecognition?.();
      return this.recognizer.recognize(input.path, kind, signal);
    }
    const { mediaType } = input;
    const parts = new PartRecognizer({ recognizer: this.recognizer, scans: this.scans }, limits, signal);
    const { document, scans } = await this.ask(
      { task: "parse", fileName, mediaType, limits },
      input.path,
      fileName,
      input.signal,
      (part) => {
        input.onRecognition?.();
        return this.untilClosed(parts.recognize(part));
      },
    );
    if (scans === null) return document;
    input.onRecognition?.();
    return this.untilClosed(this.scans.read(input.path, document, scans, limits, signal));
  }

  /**
   * Changes whenever the same bytes could now give other elements: with our parsers, and with the partitioner that is
   * set.
   */
  version(): string {
    return [parserVersion, ...(this.unstructured === null ? [] : [this.unstructured.describe()])].join(" ");
  }

  /** The limits that a person may raise; a document that they refused or cut short could be read with others. */
  bounds(): string {
    const { maxBytes } = { ...defaultParseLimits, ...this.options.limits };
    return `${maxBytes}B,${this.options.timeoutMs}ms`;
  }

  /**
   * What text is recognised with here, now: Tesseract's languages, none where it or one that is wanted is missing, and
   * those that the partitioner is told. A document for which `onRecognition` was called could give other elements, or
   * be read at all, with another one.
   */
  async recognitionLanguages(): Promise<string[]> {
    const sent = this.unstructured?.languages.map((language) => `unstructured:${language}`) ?? [];
    return [...(await this.recognizer.usableLanguages()), ...sent].sort();
  }

  /** Ends all children; documents that wait or are being parsed fail as CANCELLED. */
  async close(): Promise<void> {
    this.closed = true;
    this.closing.abort();
    for (const job of this.queue.splice(0)) job.settle({ error: job.cancelled });
    await Promise.all([...this.children].map((child) => child.end(cancelled("the document"))));
    await Promise.allSettled(this.scansInHand);
  }

  private untilClosed<T>(reading: Promise<T>): Promise<T> {
    this.scansInHand.add(reading);
    return reading.finally(() => this.scansInHand.delete(reading));
  }

  private ask(
    request: ParseTask,
    path: string | null,
    fileName: string,
    signal: AbortSignal | undefined,
    recognizePart?: (part: ScannedPartMessage) => Promise<ParsedDocument>,
  ): Promise<Extract<ParseReply, { status: "parsed" }>> {
    if (this.closed || signal?.aborted === true) throw cancelled(fileName);
    return new Promise((resolve, reject) => {
      const job: ParserJob = {
        request,
        path,
        signal,
        cancelled: cancelled(fileName),
        ...(recognizePart === undefined ? {} : { recognizePart }),
        settle: (result) => {
          signal?.removeEventListener("abort", giveUp);
          if ("error" in result) reject(result.error as Error);
          else if (result.reply.status === "parsed") resolve(result.reply);
          else reject(toError(result.reply));
        },
      };
      // While it waits it must not wait for whatever is in hand; a child that has it is ended by its own listener.
      const giveUp = () => {
        const at = this.queue.indexOf(job);
        if (at !== -1) this.queue.splice(at, 1)[0]!.settle({ error: job.cancelled });
      };
      signal?.addEventListener("abort", giveUp, { once: true });
      this.queue.push(job);
      this.dispatch();
    });
  }

  private dispatch(): void {
    while (this.queue.length > 0) {
      const free =
        [...this.children].find((child) => child.isFree) ??
        (this.children.size < this.options.size ? this.start() : undefined);
      if (free === undefined) return;
      const job = this.queue.shift()!;
      if (job.signal?.aborted === true) job.settle({ error: job.cancelled });
      else free.run(job);
    }
  }

  private start(): ParserProcess {
    const child = new ParserProcess(this.options, {
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

function toError(reply: Exclude<ParseReply, { status: "parsed" }>): AnnealError {
  if (reply.status === "rendered") return documentError("DOCUMENT_DAMAGED", "The document was not read.");
  const { code, message, action, details } = reply.error;
  return new AnnealError(code, message, { action, details });
}

function cancelled(fileName: string): AnnealError {
  return new AnnealError("CANCELLED", `Parsing of ${fileName} was cancelled.`, {
    action: "Start it again when it is wanted.",
  });
}
