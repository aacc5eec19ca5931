import type { ParseLimits } from "../limits.ts";
import { type Draft, type Parsed, promoteOnlyTopHeading } from "../sections.ts";
import type { XmlElement } from "../xml-tree.ts";
import { OdfReader } from "./odf-blocks.ts";
import type { OdfStyles } from "./odf-styles.ts";

/** OpenDocument texts: headings, paragraphs, lists and tables in their order; notes stand at the end. */
export function parseOdt(body: XmlElement | undefined, styles: OdfStyles, limits: ParseLimits): Omit<Parsed, "title"> {
  const reader = new OdfReader(styles, limits);
  const drafts: Draft[] = body === undefined ? [] : reader.blocks(body);
  if (reader.notes.length > 0) drafts.push({ kind: "list", text: reader.notes.join("\n") });
  return { drafts: promoteOnlyTopHeading(drafts), warnings: reader.warnings };
}
