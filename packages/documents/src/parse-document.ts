import type { ParsedDocument } from "@anneal/core/document/element";
import { type AnnealError, assertNever, isAnnealError } from "@anneal/core/errors";
import { decodeText } from "./decode-text.ts";
import { countOf, describeBytes, documentError } from "./document-errors.ts";
import { type ParseLimits, defaultParseLimits } from "./limits.ts";
import { type SupportedMediaType, detectMediaType, docxMediaType, pptxMediaType, xlsxMediaType } from "./media-type.ts";
import { type Parsed, withSections } from "./sections.ts";

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
  try {
    return await parseNested(input, 0);
  } catch (error) {
    throw asDocumentError(error);
  }
}

async function parseNested(input: ParseInput, depth: number): Promise<ParsedDocument> {
  const { bytes, fileName } = input;
  const limits = { ...defaultParseLimits, ...input.limits };
  if (bytes.length > limits.maxBytes) throw tooLarge(bytes.length, limits);
  const detected = detectMediaType(bytes, fileName, input.mediaType);
  if (detected.status === "unsupported") {
    throw documentError("DOCUMENT_UNSUPPORTED", detected.reason, {
      action: detected.action,
      details: { mediaType: detected.mediaType },
    });
  }
  const parsed = await parseAs(detected.mediaType, input, limits, depth);
  return limitText(
    {
      title: parsed.title,
      mediaType: detected.mediaType,
      elements: withSections(parsed.drafts),
      warnings:
        parsed.drafts.length === 0 && parsed.warnings.length === 0 ? ["The document holds no text."] : parsed.warnings,
    },
    limits,
  );
}

export function tooLarge(sizeBytes: number, limits: Pick<ParseLimits, "maxBytes">): AnnealError {
  return documentError(
    "DOCUMENT_TOO_LARGE",
    `The file has ${describeBytes(sizeBytes)}; the limit is ${describeBytes(limits.maxBytes)}.`,
    {
      details: { sizeBytes, maxBytes: limits.maxBytes },
    },
  );
}

async function parseAs(
  mediaType: SupportedMediaType,
  input: ParseInput,
  limits: ParseLimits,
  depth: number,
): Promise<Parsed> {
  const { bytes, fileName } = input;
  switch (mediaType) {
    case "application/pdf":
      return (await import("./pdf/parse-pdf.ts")).parsePdf(bytes, limits);
    case docxMediaType:
    case xlsxMediaType:
    case pptxMediaType:
      return (await import("./formats/office.ts")).parseOffice(bytes, limits);
    case "message/rfc822": {
      const { parseEml } = await import("./formats/eml.ts");
      return parseEml(bytes, limits, (attachment) => {
        if (depth >= limits.maxAttachmentDepth) {
          throw documentError("DOCUMENT_UNSUPPORTED", `Attachments are read ${limits.maxAttachmentDepth} levels deep.`);
        }
        return parseNested({ ...attachment, limits }, depth + 1);
      });
    }
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

async function parseDecoded(
  mediaType: Exclude<SupportedMediaType, `application/${"pdf" | "vnd."}${string}` | "message/rfc822">,
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

function limitText(document: ParsedDocument, limits: ParseLimits): ParsedDocument {
  let left = limits.maxTextLength;
  const kept = document.elements.findIndex((element) => (left -= element.text.length) < 0);
  if (kept === -1) return document;
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
