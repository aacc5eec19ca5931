import { describeBytes } from "@anneal/core/describe-bytes";
import type { ParsedDocument } from "@anneal/core/document/element";
import { type AnnealError, assertNever, isAnnealError } from "@anneal/core/errors";
import { decodeText } from "./decode-text.ts";
import { countOf, documentError, settingActions } from "./document-errors.ts";
import { foreignActions } from "./foreign-formats.ts";
import { type ParseLimits, defaultParseLimits } from "./limits.ts";
import { type SupportedMediaType, detectMediaType, docxMediaType, pptxMediaType, xlsxMediaType } from "./media-type.ts";
import type { ParsePart } from "./nested-parts.ts";
import { imageKindOf } from "./ocr/image-signatures.ts";
import { type ParsedWithScans, withoutScans } from "./pdf/scans.ts";
import { type Parsed, type Scans, withSections } from "./sections.ts";

export type ParseInput = {
  bytes: Uint8Array;
  fileName: string;
  /** What the source calls it; the content decides. */
  mediaType?: string;
  limits?: Partial<ParseLimits>;
};

/**
 * Reads one document of any supported format. Formats' parsers are loaded when they are first needed.
 *
 * Hostile bytes can still cost much time and memory within the limits: run this through ParserPool.
 *
 * @throws AnnealError with a DOCUMENT_ code, and nothing else.
 */
export async function parseDocument(input: ParseInput): Promise<ParsedDocument> {
  return withoutScans(await parseWithScans(input), null);
}

/** A file inside another one whose text can only be recognised (OCR). */
export type ScannedPart = {
  bytes: Uint8Array;
  /** As far as it was read; null for a picture. */
  pdf: { document: ParsedDocument; scans: Scans } | null;
  maxTextLength: number;
};

/** Reads such a file, or fails with an AnnealError that costs this file only. */
export type RecognizePart = (part: ScannedPart) => Promise<ParsedDocument>;

/**
 * As `parseDocument`, for a caller that can recognise text: the document's own scanned pages are returned, and what lies
 * inside it is given to `recognizePart` where it belongs, one file at a time.
 */
export async function parseWithScans(
  input: ParseInput,
  recognizePart: RecognizePart | null = null,
): Promise<ParsedWithScans> {
  try {
    return await parseNested(input, { depth: 0, inArchive: false, recognizePart });
  } catch (error) {
    throw asDocumentError(error);
  }
}

/** Where a document lies: how many documents are around it, and whether one of them is an archive. */
type Place = { depth: number; inArchive: boolean; recognizePart: RecognizePart | null };

async function parseNested(input: ParseInput, place: Place): Promise<ParsedWithScans> {
  const { bytes, fileName } = input;
  const limits = { ...defaultParseLimits, ...input.limits };
  if (bytes.length > limits.maxBytes) throw tooLarge(bytes.length, limits);
  if (place.depth > 0 && place.recognizePart !== null && imageKindOf(bytes) !== null) {
    const { maxTextLength } = limits;
    const document = await place.recognizePart({ bytes, pdf: null, maxTextLength });
    return { document: limitText(document, limits), scans: null };
  }
  const detected = detectMediaType(bytes, fileName, input.mediaType);
  if (detected.status === "unsupported") {
    throw documentError("DOCUMENT_UNSUPPORTED", detected.reason, {
      action: detected.action,
      details: { mediaType: detected.mediaType },
    });
  }
  const parsed = await parseAs(detected.mediaType, input, limits, place);
  const hasScans = parsed.scans !== undefined && parsed.scans.unreadable.length + parsed.scans.sparse.length > 0;
  const isEmpty = parsed.drafts.length === 0 && parsed.warnings.length === 0 && !hasScans;
  const whole: ParsedDocument = {
    title: parsed.title,
    mediaType: detected.mediaType,
    elements: withSections(parsed.drafts),
    warnings: isEmpty ? ["The document holds no text."] : parsed.warnings,
    ...(parsed.cutByBounds === true && { cutByBounds: true }),
  };
  // Of a file inside another one the beginning is kept: its warnings are told with the file around it.
  const document = place.depth === 0 ? requireWithinLimit(whole, limits, parsed.textLength) : limitText(whole, limits);
  return { document, scans: hasScans ? parsed.scans! : null };
}

export function tooLarge(sizeBytes: number, limits: Pick<ParseLimits, "maxBytes">): AnnealError {
  return documentError(
    "DOCUMENT_TOO_LARGE",
    `The file has ${describeBytes(sizeBytes)}; the limit is ${describeBytes(limits.maxBytes)}.`,
    { action: settingActions.size, details: { sizeBytes, maxBytes: limits.maxBytes } },
  );
}

async function parseAs(
  mediaType: SupportedMediaType,
  input: ParseInput,
  limits: ParseLimits,
  place: Place,
): Promise<Parsed> {
  const { bytes, fileName } = input;
  const parsePart = async ({ maxTextLength, ...part }: Parameters<ParsePart>[0], inArchive: boolean) => {
    if (place.depth >= limits.maxAttachmentDepth) {
      throw documentError("DOCUMENT_UNSUPPORTED", `Attachments are read ${limits.maxAttachmentDepth} levels deep.`);
    }
    const { recognizePart } = place;
    const nested = await parseNested(
      { ...part, limits: { ...limits, maxTextLength } },
      { depth: place.depth + 1, inArchive, recognizePart },
    );
    const { document, scans } = nested;
    if (scans === null || recognizePart === null) return withoutScans(nested, null);
    return recognizePart({ bytes: part.bytes, pdf: { document, scans }, maxTextLength });
  };
  switch (mediaType) {
    case "application/pdf":
      return (await import("./pdf/parse-pdf.ts")).parsePdf(bytes, limits, (part) => parsePart(part, place.inArchive));
    case docxMediaType:
    case xlsxMediaType:
    case pptxMediaType:
      return (await import("./formats/office.ts")).parseOffice(bytes, limits);
    case "application/vnd.oasis.opendocument.text":
    case "application/vnd.oasis.opendocument.spreadsheet":
    case "application/vnd.oasis.opendocument.presentation":
      return (await import("./formats/odf.ts")).parseOdf(bytes, limits);
    case "application/epub+zip":
      return (await import("./formats/epub.ts")).parseEpub(bytes, limits);
    case "application/zip":
    case "application/x-tar":
    case "application/gzip": {
      if (place.inArchive) {
        throw documentError("DOCUMENT_UNSUPPORTED", "It is an archive inside an archive, which is not opened.", {
          action: foreignActions.archive,
        });
      }
      const { parseArchive } = await import("./formats/archive-members.ts");
      return parseArchive(mediaType, bytes, fileName, limits, (part) => parsePart(part, true));
    }
    case "message/rfc822":
      return (await import("./formats/eml.ts")).parseEml(bytes, limits, (part) => parsePart(part, place.inArchive));
    case "application/vnd.ms-outlook":
      return (await import("./formats/msg.ts")).parseMsg(bytes, limits, (part) => parsePart(part, place.inArchive));
    case "application/vnd.ms-tnef":
      return (await import("./formats/tnef.ts")).parseTnef(bytes, limits, (part) => parsePart(part, place.inArchive));
    case "text/html":
    case "text/markdown":
    case "text/plain":
    case "text/x-source":
    case "text/csv":
    case "text/tab-separated-values":
    case "application/json":
    case "application/x-ndjson":
    case "application/xml": {
      const decoded = decodeText(bytes, declaredCharset(mediaType, bytes, input.mediaType));
      const parsed = await parseDecoded(mediaType, decoded.text.replaceAll("\0", ""), fileName, limits);
      return { ...parsed, warnings: [...decoded.warnings, ...parsed.warnings] };
    }
    default:
      return assertNever(mediaType);
  }
}

type TextMediaType = Extract<
  SupportedMediaType,
  `text/${string}` | "application/json" | "application/x-ndjson" | "application/xml"
>;

async function parseDecoded(
  mediaType: TextMediaType,
  text: string,
  fileName: string,
  limits: ParseLimits,
): Promise<Parsed> {
  if (text.trim() === "") return { title: null, drafts: [], warnings: [] };
  switch (mediaType) {
    case "text/html":
      return (await import("./formats/html.ts")).parseHtml(text, limits);
    case "text/markdown":
      return (await import("./formats/markdown.ts")).parseMarkdown(text, limits);
    case "text/plain":
      return (await import("./formats/text.ts")).parseText(text);
    case "text/x-source":
      return (await import("./formats/text.ts")).parseSource(text);
    case "text/csv":
      return (await import("./formats/csv.ts")).parseCsv(text, limits);
    case "text/tab-separated-values":
      return (await import("./formats/csv.ts")).parseCsv(text, limits, "\t");
    case "application/json":
      return (await import("./formats/json.ts")).parseJson(text, limits);
    case "application/x-ndjson":
      return (await import("./formats/json.ts")).parseJsonLines(text, limits);
    case "application/xml":
      return (await import("./formats/xml.ts")).parseXml(text, fileName, limits);
    default:
      return assertNever(mediaType);
  }
}

/** The encoding that an HTML meta element, an XML declaration or the source's media type names. */
function declaredCharset(
  mediaType: SupportedMediaType,
  bytes: Uint8Array,
  declared: string | undefined,
): string | undefined {
  const fromSource = /charset\s*=\s*"?([\w.:-]+)/iu.exec(declared ?? "")?.[1];
  if (fromSource !== undefined) return fromSource;
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 4096));
  if (mediaType === "text/html") return /<meta[^>]+charset\s*=\s*["']?([\w.:-]+)/iu.exec(start)?.[1];
  if (mediaType === "application/xml") return /^\s*<\?xml[^>]+encoding\s*=\s*["']([\w.:-]+)/iu.exec(start)?.[1];
  return undefined;
}

/**
 * A document of which only a part could be kept is not taken for one that says no more: it is refused with its length.
 *
 * @param metLength characters that were met, where not all of them were kept
 */
export function requireWithinLimit(
  document: ParsedDocument,
  limits: Pick<ParseLimits, "maxTextLength">,
  metLength = 0,
): ParsedDocument {
  const textLength = Math.max(metLength, textLengthOf(document));
  if (textLength > limits.maxTextLength) throw tooMuchText(textLength, limits);
  return document;
}

/**
 * Keeps what `maxTextLength` lets, element by element.
 *
 * @throws AnnealError DOCUMENT_TOO_LARGE where that would be no more than headings
 */
export function limitText(document: ParsedDocument, limits: Pick<ParseLimits, "maxTextLength">): ParsedDocument {
  let left = limits.maxTextLength;
  const kept = document.elements.findIndex((element) => (left -= element.text.length) < 0);
  if (kept === -1) return document;
  if (document.elements.slice(0, kept).every(({ kind }) => kind === "title" || kind === "heading")) {
    throw tooMuchText(textLengthOf(document), limits);
  }
  const dropped = document.elements.length - kept;
  return {
    ...document,
    elements: document.elements.slice(0, kept),
    warnings: [
      ...document.warnings,
      `Kept the first ${limits.maxTextLength.toLocaleString("en-US")} characters; ${countOf(dropped, "element")} left out.`,
    ],
  };
}

function textLengthOf({ elements }: Pick<ParsedDocument, "elements">): number {
  return elements.reduce((sum, { text }) => sum + text.length, 0);
}

function tooMuchText(textLength: number, { maxTextLength }: Pick<ParseLimits, "maxTextLength">): AnnealError {
  const [length, most] = [textLength, maxTextLength].map((count) => count.toLocaleString("en-US"));
  return documentError("DOCUMENT_TOO_LARGE", `It has ${length} characters of text; the limit is ${most}.`, {
    action: "Split the document into smaller files, and sync again.",
    details: { textLength, maxTextLength },
  });
}

function asDocumentError(error: unknown): AnnealError {
  if (isAnnealError(error)) return error;
  // What a recursive parser throws when a document nests beyond the stack.
  if (error instanceof RangeError) {
    return documentError("DOCUMENT_HOSTILE", "The document nests too deeply or holds a value beyond all bounds.", {
      cause: error,
    });
  }
  const reason = error instanceof Error ? error.message.slice(0, 160) : "unknown";
  return documentError("DOCUMENT_DAMAGED", `The document cannot be read (${reason}).`, {
    cause: error,
  });
}
