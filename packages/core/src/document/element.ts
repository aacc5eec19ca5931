import { z } from "zod";

/** Where something stands on its page, as shares of the page's width and height from its top left corner. */
export const elementBoxSchema = z.object({
  left: z.number().min(0).max(1),
  top: z.number().min(0).max(1),
  width: z.number().min(0).max(1),
  height: z.number().min(0).max(1),
});
export type ElementBox = z.infer<typeof elementBoxSchema>;

/**
 * The one shape a parsed document has, whatever its format. Cleaning, deduplication, chunking, dataset building and
 * citations all work on a list of elements; `charStart` and `charEnd` are offsets into the document's text, which is
 * `elements.map(e => e.text).join("\n\n")`.
 */
export const elementSchema = z.object({
  kind: z.enum(["title", "heading", "paragraph", "list", "table", "code", "figure"]),
  /** Plain text; a table is GitHub-flavoured Markdown, a list is one line per item with its marker. */
  text: z.string(),
  /** 1 to 6, for kind "title" (always 1) and "heading". */
  level: z.number().int().min(1).max(6).optional(),
  /** Page, slide (from 1), where the format has them. */
  page: z.number().int().positive().optional(),
  /** Where it stands on its page, where known. */
  box: elementBoxSchema.optional(),
  /** The spreadsheet's sheet name, an e-mail's part, or another named container. */
  container: z.string().optional(),
  /** The titles and headings that this element stands under, outermost first. */
  section: z.array(z.string()),
});
export type Element = z.infer<typeof elementSchema>;

export const parsedDocumentSchema = z.object({
  title: z.string().nullable(),
  mediaType: z.string(),
  elements: z.array(elementSchema),
  /** What was left out and why, in words for a person: a skipped image, an attachment that could not be read. */
  warnings: z.array(z.string()),
  /** Some of it was left out by a limit of size or time that a person may raise. */
  cutByBounds: z.boolean().optional(),
});
export type ParsedDocument = z.infer<typeof parsedDocumentSchema>;

export const elementSeparator = "\n\n";

/** The text that every character offset in the product refers to. */
export function documentText(elements: readonly Pick<Element, "text">[]): string {
  return elements.map((element) => element.text).join(elementSeparator);
}

/** Character span [start, end) of each element in `documentText(elements)`. */
export function elementSpans(elements: readonly Pick<Element, "text">[]): { start: number; end: number }[] {
  let offset = 0;
  return elements.map((element) => {
    const span = { start: offset, end: offset + element.text.length };
    offset = span.end + elementSeparator.length;
    return span;
  });
}
