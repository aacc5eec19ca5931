import { openAsBlob } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describeBytes } from "@anneal/core/describe-bytes";
import { AnnealError } from "@anneal/core/errors";
import { Agent, fetch, FormData, type Response } from "undici";
import { documentError } from "../document-errors.ts";
import { type RefusedAnswer, refusal } from "./refusals.ts";

export const unstructuredStrategies = ["auto", "fast", "hi_res", "ocr_only"] as const;
type UnstructuredStrategy = (typeof unstructuredStrategies)[number];

export type UnstructuredOptions = {
  /** Where the API is, without its path: "http://unstructured.internal:8000". */
  url: string;
  apiKey?: string;
  /** Default: "auto", with which the server decides page by page. */
  strategy?: UnstructuredStrategy;
  /** Tesseract's names of the languages that the documents are in. Default: the server finds out. */
  languages?: readonly string[];
  /** Wall-clock time for one attempt; the server's models can take minutes. Default: 600,000. */
  timeoutMs?: number;
  /** Default: 4. */
  attempts?: number;
  /** Default: 64 MiB. */
  maxAnswerBytes?: number;
  /** Waits between attempts. */
  wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /**
   * Makes each request: for whoever counts them and lets only so many out at once. Its time begins when `request` is called.
   * Default: at once.
   */
  send?: (host: string, signal: AbortSignal, request: () => Promise<Response>) => Promise<Response>;
};

/** A server that asks to wait longer is asked again by whoever runs the stage, not by a process that sleeps. */
const longestWaitMs = 60_000;
const firstWaitMs = 1_000;
const MiB = 1024 * 1024;

/**
 * The Unstructured API's one call that we use: a document goes there, its elements come back. The key travels in a header of
 * that call and nowhere else.
 */
export class UnstructuredClient {
  private readonly options: Required<Omit<UnstructuredOptions, "apiKey">>;
  private readonly apiKey: string | null;
  private readonly endpoint: URL;
  /** Nothing comes while the server's models work: `timeoutMs` alone ends that, and not the library after five minutes. */
  private readonly dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

  constructor(options: UnstructuredOptions) {
    this.options = {
      url: options.url,
      strategy: options.strategy ?? "auto",
      languages: options.languages ?? [],
      timeoutMs: options.timeoutMs ?? 600_000,
      attempts: options.attempts ?? 4,
      maxAnswerBytes: options.maxAnswerBytes ?? 64 * MiB,
      wait: options.wait ?? ((ms, signal) => sleep(ms, undefined, { signal })),
      send: options.send ?? ((_host, _signal, request) => request()),
    };
    this.apiKey = options.apiKey ?? null;
    this.endpoint = new URL(`${options.url.replace(/\/+$/u, "")}/general/v0/general`);
  }

  /** For comparison only: another server or strategy gives other elements. */
  describe(): string {
    return `unstructured:${this.endpoint.host}:${this.options.strategy}`;
  }

  /** None where the server finds out. */
  get languages(): readonly string[] {
    return this.options.languages;
  }

  /**
   * @returns the answer as it came, to be read by `readPartition` where hostile bytes may be read
   * @throws AnnealError with a DOCUMENT_ code where the document is refused; PREREQUISITE_MISSING where the key or the
   *   address is; RATE_LIMITED or ENGINE_UNAVAILABLE (`details.retryAfterMs` where the server told) after several
   *   attempts; CANCELLED
   */
  async partition(file: { path: string; fileName: string; mediaType: string }, signal: AbortSignal): Promise<string> {
    for (let attempt = 1; ; attempt += 1) {
      const result = await this.ask(file, signal);
      if (typeof result === "string") return result;
      const waitMs = result.retryAfterMs ?? firstWaitMs * 2 ** (attempt - 1);
      if (!result.isPassing || attempt >= this.options.attempts || waitMs > longestWaitMs) throw refusal(result);
      await this.options.wait(waitMs, signal).catch(() => undefined);
      if (signal.aborted) throw cancelled();
    }
  }

  private async ask(
    file: { path: string; fileName: string; mediaType: string },
    signal: AbortSignal,
  ): Promise<string | RefusedAnswer> {
    try {
      const response = await this.options.send(this.endpoint.host, signal, () => this.request(file, signal));
      const text = await this.readText(response);
      if (response.ok) return text;
      return {
        origin: this.endpoint.origin,
        status: response.status,
        detail: this.withoutKey(text),
        isPassing: response.status === 429 || response.status === 408 || response.status >= 500,
        retryAfterMs: retryAfterMs(response.headers.get("retry-after")),
      };
    } catch (error) {
      if (signal.aborted) throw cancelled();
      if (error instanceof AnnealError) throw error;
      if (error instanceof DOMException && error.name === "TimeoutError") {
        const seconds = Math.round(this.options.timeoutMs / 100) / 10;
        throw documentError(
          "DOCUMENT_TIMEOUT",
          `The Unstructured API took longer than ${seconds} s over the document.`,
        );
      }
      const { origin } = this.endpoint;
      return { origin, status: null, detail: reasonOf(error), isPassing: true, retryAfterMs: null };
    }
  }

  private async request(
    file: { path: string; fileName: string; mediaType: string },
    signal: AbortSignal,
  ): Promise<Response> {
    return fetch(this.endpoint, {
      method: "POST",
      headers: {
        accept: "application/json",
        ...(this.apiKey === null ? {} : { "unstructured-api-key": this.apiKey }),
      },
      body: await this.form(file),
      // The key and the document go to the address that was set, and to no other.
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(this.options.timeoutMs)]),
      dispatcher: this.dispatcher,
    });
  }

  private async form(file: { path: string; fileName: string; mediaType: string }): Promise<FormData> {
    const form = new FormData();
    // Read from the disk while it is sent: a document need not fit into memory.
    form.set("files", await openAsBlob(file.path, { type: file.mediaType }), file.fileName);
    form.set("strategy", this.options.strategy);
    form.set("coordinates", "true");
    form.set("include_page_breaks", "true");
    form.set("output_format", "application/json");
    for (const language of this.options.languages) form.append("languages", language);
    return form;
  }

  private async readText(response: Response): Promise<string> {
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const chunk of response.body ?? []) {
      sizeBytes += chunk.length;
      if (sizeBytes > this.options.maxAnswerBytes) {
        const limit = describeBytes(this.options.maxAnswerBytes);
        throw documentError("DOCUMENT_TOO_LARGE", `The Unstructured API's answer has more than ${limit}.`);
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  }

  /** A server may repeat what it was sent. */
  private withoutKey(text: string): string {
    return this.apiKey === null ? text : text.replaceAll(this.apiKey, "[key]");
  }
}

/** Seconds or a date, by RFC 9110. */
function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}

function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : null;
  if (cause instanceof Error && "code" in cause) return String(cause.code);
  return cause instanceof Error ? cause.message : "the connection broke";
}

function cancelled(): AnnealError {
  return new AnnealError("CANCELLED", "Reading the document was cancelled.", {
    action: "Start it again when it is wanted.",
  });
}
