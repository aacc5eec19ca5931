import type { ParsedDocument } from "@anneal/core/document/element";
import { type AnnealError, isAnnealError } from "@anneal/core/errors";
import { documentError, isOfBounds } from "../document-errors.ts";
import type { ParseLimits } from "../limits.ts";
import type { TextRecognizer } from "../ocr/text-recognizer.ts";
import { limitText } from "../parse-document.ts";
import type { ParseReply } from "../parser-messages.ts";
import { type Draft, type Scans, withSections } from "../sections.ts";
import { comparable } from "./annotations.ts";
import { PageDrawing } from "./page-drawing.ts";
import { pageList } from "./page-list.ts";
import { beyondWarnings, bringsFiles, type ParsedWithScans, withoutScans } from "./scans.ts";

/** Of a page with a little text, the share that pictures must fill for it to count as a scan with a stamp on it. */
const scanShare = 0.5;
const scannedPdf = { mediaType: "application/pdf", name: "a PDF with scanned pages" };
const undecoded =
  "that cannot be decoded: damaged, or compressed as fax (CCITT), JBIG2 or JPEG 2000 where the package pdfjs-dist is not installed";

type Outcomes = {
  read: Map<number, Draft[]>;
  poor: number[];
  /** Blank, or a picture without words. */
  silent: number[];
  undecoded: number[];
  failed: { page: number; error: AnnealError }[];
};

/** Recognises the text of a PDF's scanned pages: each is drawn in a process of its own kind and read by Tesseract. */
export class ScanReader {
  private readonly recognizer: TextRecognizer;
  private readonly limitsOfDrawing: { timeoutMs: number; maxMemoryBytes: number };

  /** @param limitsOfDrawing for one page and for the process that draws it */
  constructor(recognizer: TextRecognizer, limitsOfDrawing: { timeoutMs: number; maxMemoryBytes: number }) {
    this.recognizer = recognizer;
    this.limitsOfDrawing = limitsOfDrawing;
  }

  /**
   * @param mostPages of a PDF inside a document: what is left for it of the document's scanned pages
   * @returns the document with the text of its scans between that of its other pages; a page that cannot be read costs
   *   a warning
   * @throws AnnealError when not one page can be read, CANCELLED
   */
  async read(
    path: string,
    document: ParsedDocument,
    scans: Scans,
    limits: ParseLimits,
    signal: AbortSignal,
    mostPages = limits.maxScannedPages,
  ): Promise<ParsedDocument> {
    const parsed: ParsedWithScans = { document, scans };
    try {
      await this.recognizer.requireLanguages(scannedPdf, signal);
    } catch (error) {
      if (isAnnealError(error) && error.code === "DOCUMENT_UNSUPPORTED") return withoutScans(parsed, error);
      throw error;
    }
    const pages = [...scans.unreadable, ...scans.sparse].toSorted((a, b) => a - b);
    const outcomes = await this.readPages(path, pages.slice(0, mostPages), new Set(scans.sparse), limits, signal);
    const left = pages.slice(mostPages).filter((page) => scans.unreadable.includes(page));
    return merge(parsed.document, scans, outcomes, left, limits);
  }

  private async readPages(
    path: string,
    pages: readonly number[],
    sparse: ReadonlySet<number>,
    limits: ParseLimits,
    signal: AbortSignal,
  ): Promise<Outcomes> {
    const outcomes: Outcomes = { read: new Map(), poor: [], silent: [], undecoded: [], failed: [] };
    const drawing = new PageDrawing(path, this.limitsOfDrawing, limits, signal);
    try {
      for (const page of pages) {
        try {
          const drawn = await drawing.draw(page, sparse.has(page) ? scanShare : 0);
          await this.readPage(page, drawn, sparse.has(page), outcomes, signal);
        } catch (error) {
          if (!isAnnealError(error) || !error.code.startsWith("DOCUMENT_")) throw error;
          outcomes.failed.push({ page, error });
        }
      }
    } finally {
      await drawing.close();
    }
    return outcomes;
  }

  private async readPage(
    page: number,
    drawn: Extract<ParseReply, { status: "rendered" }>,
    isSparse: boolean,
    outcomes: Outcomes,
    signal: AbortSignal,
  ): Promise<void> {
    const { png, dpi } = drawn;
    const recognised =
      png === null
        ? { drafts: [], isPoor: false }
        : await this.recognizer.recognizePage({ png: Buffer.from(png, "base64"), dpi }, scannedPdf, signal);
    if (recognised.drafts.length > 0) {
      outcomes.read.set(
        page,
        recognised.drafts.map((draft) => ({ ...draft, page })),
      );
      if (recognised.isPoor) outcomes.poor.push(page);
    } else if (drawn.missingPictures > 0) outcomes.undecoded.push(page);
    else if (!isSparse) outcomes.silent.push(page);
  }
}

function merge(
  document: ParsedDocument,
  scans: Scans,
  outcomes: Outcomes,
  left: readonly number[],
  limits: ParseLimits,
): ParsedDocument {
  const [firstFailure] = outcomes.failed;
  const isNothingElse =
    scans.unreadable.length === scans.pageCount &&
    outcomes.read.size === 0 &&
    scans.annotations.length === 0 &&
    !bringsFiles(document);
  if (isNothingElse && firstFailure !== undefined) throw firstFailure.error;
  if (isNothingElse && outcomes.undecoded.length > 0) {
    throw documentError("DOCUMENT_UNSUPPORTED", `The PDF's pages hold pictures ${undecoded}.`, {
      action:
        "Install pdfjs-dist where the worker runs, or save the PDF with a text layer (OCR) at the source, and sync again.",
      details: { pages: scans.pageCount },
    });
  }
  const replaced = new Set(
    [...outcomes.read]
      .filter(([page, drafts]) => {
        const annotations = scans.annotations.filter((annotation) => annotation.page === page);
        return letters(drafts) > letters(elementsOf(document, page)) - letters(annotations);
      })
      .map(([page]) => page),
  );
  const drafts = [
    ...document.elements
      .filter(({ page }) => page === undefined || !replaced.has(page))
      .map(({ section: _section, ...draft }): Draft => draft),
    ...[...outcomes.read]
      .filter(([page]) => replaced.has(page))
      .flatMap(([page, pageDrafts]) => [...pageDrafts, ...annotationsOf(scans, page, pageDrafts)]),
  ].toSorted((a, b) => (a.page ?? Number.MAX_SAFE_INTEGER) - (b.page ?? Number.MAX_SAFE_INTEGER));
  const warnings = [...document.warnings, ...warningsOf(outcomes, replaced, left, limits)];
  const cut = outcomes.failed.some(({ error }) => isOfBounds(error.code)) && { cutByBounds: true };
  return limitText({ ...document, elements: withSections(drafts), warnings, ...cut }, limits);
}

/** What was filled in is on the picture as well, where its program drew it, but may have been read wrongly there. */
function annotationsOf(scans: Scans, page: number, recognised: readonly Draft[]): Draft[] {
  const seen = comparable(recognised.map(({ text }) => text).join(" "));
  return scans.annotations
    .filter((annotation) => annotation.page === page && !seen.includes(comparable(annotation.text)))
    .map(({ text }) => ({ kind: "paragraph", text, page }));
}

function warningsOf(
  { poor, silent, undecoded: missing, failed }: Outcomes,
  replaced: ReadonlySet<number>,
  left: readonly number[],
  limits: ParseLimits,
): string[] {
  const say = (pages: readonly number[], one: string, many: string) =>
    pages.length === 0 ? [] : [`${pageList(pages)} ${pages.length === 1 ? one : many}.`];
  const was = "scanned; the text was recognised (OCR) and can hold wrong letters";
  return [
    ...say([...replaced], `is ${was}`, `are ${was}`),
    ...say(
      poor.filter((page) => replaced.has(page)),
      "could hardly be read; check the text against the picture",
      "could hardly be read; check the text against the pictures",
    ),
    ...say(silent, "shows no text that could be recognised", "show no text that could be recognised"),
    ...say(missing, `holds a picture ${undecoded}`, `hold pictures ${undecoded}`),
    ...failed.map(({ page, error }) => `Page ${page} could not be recognised (${error.code}): ${error.message}`),
    ...beyondWarnings(left, limits),
  ];
}

function elementsOf(document: ParsedDocument, page: number): { text: string }[] {
  return document.elements.filter((element) => element.page === page);
}

function letters(elements: readonly { text: string }[]): number {
  return elements.reduce((sum, { text }) => sum + (text.match(/[\p{L}\p{N}]/gu)?.length ?? 0), 0);
}
