import { type ExecFileException, execFile } from "node:child_process";
import { resolve } from "node:path";
import { describeBytes } from "@anneal/core/describe-bytes";
import type { ParsedDocument } from "@anneal/core/document/element";
import { AnnealError } from "@anneal/core/errors";
import { endWithParent } from "@anneal/processes/end-with-parent";
import { countOf, documentError, settingActions } from "../document-errors.ts";
import { type Draft, withSections } from "../sections.ts";
import { type ImageKind, isPng } from "./image-signatures.ts";
import { readTsv } from "./read-tsv.ts";

const MiB = 1024 * 1024;
const maxOutputBytes = 64 * MiB;
const preferredLanguages = ["eng", "deu"];
const hardlyRead = "could hardly be read; check the text against the picture.";

export type OcrOptions = {
  /** Tesseract's program. Default: "tesseract", found on PATH. */
  command?: string;
  /** Language packs, as Tesseract names them. Default: "eng" and "deu", where they are installed. */
  languages?: readonly string[];
  /** Wall-clock time for one picture with all its pages. Default: 120,000. */
  timeoutMs?: number;
  /** Address space of the process: what a small file that claims to be a huge picture can take. Default: 2 GiB. */
  maxMemoryBytes?: number;
};

type Outcome =
  | { status: "ended"; stdout: string }
  | { status: "missing" }
  | { status: "failed"; reason: string; cause: "time" | "output" | "other" };

/**
 * Reads pictures with the tesseract command, one at a time and on one core, each in a process of its own with a bound on
 * its time, its memory and its output, and without our environment.
 */
export class TextRecognizer {
  private readonly options: Required<Omit<OcrOptions, "languages">>;
  private readonly wanted: readonly string[] | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(options: OcrOptions = {}) {
    this.options = {
      command: options.command ?? "tesseract",
      timeoutMs: options.timeoutMs ?? 120_000,
      maxMemoryBytes: options.maxMemoryBytes ?? 2048 * MiB,
    };
    this.wanted = options.languages;
  }

  /**
   * @param path a picture of the given kind: one of another kind must never be passed.
   * @throws AnnealError DOCUMENT_UNSUPPORTED when Tesseract or a language pack is missing, DOCUMENT_TIMEOUT,
   *   DOCUMENT_DAMAGED, DOCUMENT_TOO_LARGE, CANCELLED.
   */
  async recognize(path: string, kind: ImageKind, signal?: AbortSignal): Promise<ParsedDocument> {
    const { drafts, poorPages } = await this.inTurn(async () => {
      const languages = await this.languages(kind, signal);
      return this.read([resolve(path), "stdout", "-l", languages.join("+"), "tsv"], kind, signal);
    });
    const warnings = ["The text was recognised in a picture (OCR); it can hold wrong letters."];
    if (poorPages.length > 0) warnings.push(`${countOf(poorPages.length, "page")} ${hardlyRead}`);
    return {
      title: null,
      mediaType: kind.mediaType,
      elements: withSections(drafts),
      warnings: drafts.length === 0 ? ["No text was recognised in the picture."] : warnings,
    };
  }

  /**
   * One page of a document that was drawn as a PNG picture.
   *
   * @param kind what the document is called in an error
   * @returns `isPoor`: it could hardly be read
   * @throws AnnealError as `recognize`
   */
  async recognizePage(
    page: { png: Buffer; dpi: number },
    kind: ImageKind,
    signal?: AbortSignal,
  ): Promise<{ drafts: Draft[]; isPoor: boolean }> {
    if (!isPng(page.png)) throw documentError("DOCUMENT_DAMAGED", "The page was not drawn as a picture.");
    const { drafts, poorPages } = await this.inTurn(async () => {
      const languages = await this.languages(kind, signal);
      const options = ["-l", languages.join("+"), "--dpi", String(Math.round(page.dpi))];
      return this.read(["stdin", "stdout", ...options, "tsv"], kind, signal, page.png);
    });
    return { drafts, isPoor: poorPages.length > 0 };
  }

  /** @throws AnnealError DOCUMENT_UNSUPPORTED when Tesseract or a language pack is missing */
  async requireLanguages(kind: ImageKind, signal?: AbortSignal): Promise<void> {
    await this.languages(kind, signal);
  }

  /** The languages that text is recognised with; none where Tesseract or one that is wanted is missing. */
  async usableLanguages(): Promise<string[]> {
    try {
      return await this.languages({ mediaType: "", name: "" });
    } catch {
      return [];
    }
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private async read(
    parameters: readonly string[],
    kind: ImageKind,
    signal: AbortSignal | undefined,
    input?: Buffer,
  ): Promise<ReturnType<typeof readTsv>> {
    const outcome = await this.run(parameters, signal, input);
    if (outcome.status === "missing") throw missing(kind);
    if (outcome.status === "failed") throw this.failure(outcome);
    return readTsv(outcome.stdout);
  }

  /** Asked anew for each picture: a pack that was installed meanwhile counts at once. */
  private async languages(kind: ImageKind, signal?: AbortSignal): Promise<string[]> {
    const outcome = await this.run(["--list-langs"], signal);
    if (outcome.status === "missing") throw missing(kind);
    if (outcome.status === "failed") throw this.failure(outcome);
    const installed = new Set(outcome.stdout.split(/\r?\n/u).map((line) => line.trim()));
    const lacking = this.wanted?.filter((language) => !installed.has(language)) ?? [];
    const languages = this.wanted ?? preferredLanguages.filter((language) => installed.has(language));
    if (lacking.length === 0 && languages.length > 0) return [...languages];
    const packs = lacking.length > 0 ? lacking : preferredLanguages;
    throw documentError(
      "DOCUMENT_UNSUPPORTED",
      `The file is ${kind.name}, and Tesseract has no language pack for ${packs.join(", ")}.`,
      {
        action: `Install ${packs.map((pack) => `tesseract-ocr-${pack.replaceAll("_", "-")}`).join(", ")} (Debian's names) where the worker runs, or take another language in ANNEAL_OCR_LANGUAGES; the next run tries again.`,
        details: { mediaType: kind.mediaType, languages: packs },
      },
    );
  }

  private run(parameters: readonly string[], signal: AbortSignal | undefined, input?: Buffer): Promise<Outcome> {
    const { command, timeoutMs, maxMemoryBytes } = this.options;
    // The shell only sets the bound and then becomes the program: the parameters are never read by it.
    const bounded = ["-c", 'ulimit -v "$1" && shift && exec "$@"', "sh", String(Math.ceil(maxMemoryBytes / 1024))];
    return new Promise((settle, reject) => {
      const child = execFile(
        ...endWithParent("/bin/sh", [...bounded, command, ...parameters]),
        {
          encoding: "utf8",
          timeout: timeoutMs,
          killSignal: "SIGKILL",
          maxBuffer: maxOutputBytes,
          // A broken TIFF is taken for a list of files whose first is called "II*" or "MM": here is none of that name.
          cwd: "/",
          env: {
            PATH: process.env["PATH"],
            ...(process.env["TESSDATA_PREFIX"] === undefined
              ? {}
              : { TESSDATA_PREFIX: process.env["TESSDATA_PREFIX"] }),
            OMP_THREAD_LIMIT: "1",
            LC_ALL: "C.UTF-8",
          },
          ...(signal === undefined ? {} : { signal }),
        },
        (error, stdout, stderr) => {
          if (error === null) settle({ status: "ended", stdout });
          else if (signal?.aborted === true) reject(cancelled());
          // What a shell says when the program is not there or may not be run.
          else if (error.code === 127 || error.code === 126) settle({ status: "missing" });
          else settle({ status: "failed", reason: stderr.trim() || error.message, cause: causeOf(error) });
        },
      );
      // A program that ends without reading leaves a broken pipe; how it ended is told above.
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(input);
    });
  }

  private failure({ reason, cause }: Extract<Outcome, { status: "failed" }>): AnnealError {
    const { timeoutMs, maxMemoryBytes } = this.options;
    if (cause === "output") {
      return documentError("DOCUMENT_TOO_LARGE", `The picture's text has more than ${describeBytes(maxOutputBytes)}.`);
    }
    if (cause === "time") {
      return documentError(
        "DOCUMENT_TIMEOUT",
        `Recognising the picture's text took longer than ${Math.round(timeoutMs / 100) / 10} s and was ended.`,
        { action: settingActions.time, details: { timeoutMs } },
      );
    }
    if (/bad_alloc|out of memory|calloc fail|malloc fail|pixdata_malloc|too large/iu.test(reason)) {
      return documentError(
        "DOCUMENT_TOO_LARGE",
        `Recognising the picture's text needed more than ${describeBytes(maxMemoryBytes)} of memory.`,
        { details: { maxMemoryBytes } },
      );
    }
    const told = reason.split("\n").at(-1)!.slice(0, 160);
    return documentError("DOCUMENT_DAMAGED", `The picture cannot be read (${told}).`);
  }
}

function causeOf(error: ExecFileException): "time" | "output" | "other" {
  // Both end the process; only the one has a code that is a word.
  if (String(error.code) === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return "output";
  return error.killed === true ? "time" : "other";
}

function missing(kind: ImageKind): AnnealError {
  return documentError(
    "DOCUMENT_UNSUPPORTED",
    `The file is ${kind.name}; its text can be recognised (OCR) only where Tesseract is installed, and it is not.`,
    {
      action:
        "Install Tesseract with its language packs where the worker runs (Debian: tesseract-ocr, tesseract-ocr-deu), or leave pictures out with an exclude rule on the source; the next run tries again.",
      details: { mediaType: kind.mediaType },
    },
  );
}

function cancelled(): AnnealError {
  return new AnnealError("CANCELLED", "Recognising the picture's text was cancelled.", {
    action: "Start it again when it is wanted.",
  });
}
