import { describeBytes } from "@anneal/core/describe-bytes";
import type { ParsedDocument } from "@anneal/core/document/element";
import { isAnnealError } from "@anneal/core/errors";
import { countOf, documentError, isOfBounds } from "./document-errors.ts";
import type { ParseLimits } from "./limits.ts";
import type { Draft } from "./sections.ts";

/** A file inside another one: an e-mail's attachment, an archive's member. */
export type Part = {
  name: string;
  /** What the file around it calls it; the content decides. */
  mediaType?: string;
  sizeBytes: number;
  /** May fail with an AnnealError, which costs this part only. */
  read(): Uint8Array | Promise<Uint8Array>;
};

/** Reads one part as a document of its own. */
export type ParsePart = (part: {
  bytes: Uint8Array;
  fileName: string;
  mediaType?: string;
  maxTextLength: number;
}) => Promise<ParsedDocument>;

/** Enough to see what is wrong; a thousand pictures need not be told one by one. */
const maxFailures = 100;

/**
 * Each part as a section of its own: a heading with its name, then its elements, whose container is that name too. A
 * part that cannot be read costs a warning, never the file around it. All parts together keep no more text than one
 * document may, what stands before them included.
 *
 * @param noun what a part is called in warnings: "attachment", "file".
 * @param before what the file around them says itself.
 */
export async function readParts(
  parts: readonly Part[],
  noun: string,
  most: number,
  limits: ParseLimits,
  parsePart: ParsePart,
  before: readonly Draft[] = [],
): Promise<{
  drafts: Draft[];
  warnings: string[];
  failures: { name: string; code: string; message: string }[];
  cutByBounds: boolean;
}> {
  const drafts: Draft[] = [];
  const warnings: string[] = [];
  const failures: { name: string; code: string; message: string }[] = [];
  let cutByBounds = false;
  if (parts.length > most) warnings.push(`Kept the first ${most} ${noun}s, ${parts.length - most} left out.`);
  let textLeft = limits.maxTextLength - before.reduce((sum, { text }) => sum + text.length, 0);
  for (const [index, part] of parts.slice(0, most).entries()) {
    if (textLeft <= part.name.length) {
      const left = Math.min(parts.length, most) - index;
      warnings.push(`The text is longer than what is kept; ${countOf(left, noun)} left out.`);
      break;
    }
    try {
      if (part.sizeBytes > limits.maxBytes) {
        throw documentError(
          "DOCUMENT_TOO_LARGE",
          `It has ${describeBytes(part.sizeBytes)}; the limit is ${describeBytes(limits.maxBytes)}.`,
        );
      }
      const document = await parsePart({
        bytes: await part.read(),
        fileName: part.name,
        ...(part.mediaType === undefined ? {} : { mediaType: part.mediaType }),
        maxTextLength: textLeft - part.name.length,
      });
      textLeft -= part.name.length;
      drafts.push({ kind: "heading", text: part.name, level: 1, container: part.name });
      for (const { section: _section, ...element } of document.elements) {
        textLeft -= element.text.length;
        const container = element.container === undefined ? part.name : `${part.name} / ${element.container}`;
        drafts.push({ ...belowHeading(element), container });
      }
      cutByBounds ||= document.cutByBounds === true;
      for (const warning of document.warnings) warnings.push(`${part.name}: ${warning}`);
    } catch (error) {
      if (!isAnnealError(error)) throw error;
      cutByBounds ||= isOfBounds(error.code);
      failures.push({ name: part.name, code: error.code, message: error.message });
    }
  }
  const told = failures.slice(0, maxFailures);
  warnings.push(
    ...told.map(({ name, code, message }) => `The ${noun} ${name} was left out (${code}): ${message}`),
    ...(failures.length > told.length ? [`${countOf(failures.length - told.length, `more ${noun}`)} left out.`] : []),
  );
  return { drafts, warnings, failures, cutByBounds };
}

/** A part's own headings stand below the heading with its name. */
function belowHeading(draft: Draft): Draft {
  if (draft.kind === "title") return { ...draft, kind: "heading", level: 2 };
  return draft.kind === "heading" ? { ...draft, level: Math.min((draft.level ?? 1) + 1, 6) } : draft;
}
