import type { ParsedDocument } from "@anneal/core/document/element";
import type { ParseLimits } from "../limits.ts";
import { parseDocument } from "../parse-document.ts";

export function parseFixture(
  content: string | Uint8Array,
  fileName: string,
  limits: Partial<ParseLimits> = {},
): Promise<ParsedDocument> {
  return parseDocument({
    bytes: typeof content === "string" ? Buffer.from(content) : content,
    fileName,
    limits,
  });
}

/** A document as short lines, "heading2 Limits", for tests that compare the whole of it. */
export function outlineOf(document: ParsedDocument): string[] {
  return document.elements.map(
    (element) => `${element.kind}${element.kind === "heading" ? (element.level ?? "") : ""} ${element.text}`,
  );
}

/** The AnnealError's code and message that a parse ends with. */
export async function failureOf(parse: Promise<unknown>): Promise<string> {
  return parse.then(
    () => "parsed",
    (error: { code?: string; message?: string }) => `${error.code}: ${error.message}`,
  );
}
