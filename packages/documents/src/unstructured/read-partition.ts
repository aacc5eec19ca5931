import type { ElementBox, ParsedDocument } from "@anneal/core/document/element";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { appendAll } from "../append-all.ts";
import { parseHtml } from "../formats/html.ts";
import type { ParseLimits } from "../limits.ts";
import { boxOf, edgesAround } from "../page-box.ts";
import { requireWithinLimit } from "../parse-document.ts";
import { type Draft, firstTitle, promoteOnlyTopHeading, withSections } from "../sections.ts";

const elementSchema = z.looseObject({
  type: z.string(),
  text: z.string().nullish(),
  metadata: z
    .looseObject({
      page_number: z.number().int().positive().nullish().catch(null),
      page_name: z.string().nullish().catch(null),
      category_depth: z.number().int().min(0).nullish().catch(null),
      text_as_html: z.string().nullish().catch(null),
      coordinates: z
        .looseObject({
          points: z.array(z.array(z.number()).min(2)).min(1).max(1000),
          layout_width: z.number().positive(),
          layout_height: z.number().positive(),
        })
        .nullish()
        .catch(null),
    })
    .nullish(),
});
type Partitioned = z.infer<typeof elementSchema>;

/** What stands at the edge of each page and says nothing of the text. */
const furniture = new Set(["Header", "Footer", "PageNumber"]);

/**
 * The Unstructured API's answer as our elements. Its types are mapped by what they mean to a reader; one that it may
 * add later is a paragraph.
 *
 * @throws AnnealError ENGINE_UNAVAILABLE when the answer is no list of elements, DOCUMENT_TOO_LARGE beyond the limit on text
 */
export function readPartition(answer: string, mediaType: string, limits: ParseLimits): ParsedDocument {
  const drafts: Draft[] = [];
  const warnings: string[] = [];
  let pageBreaks = 0;
  let left = 0;
  for (const element of parseAnswer(answer)) {
    if (element.type === "PageBreak") pageBreaks += 1;
    else if (furniture.has(element.type)) left += 1;
    else add(drafts, element, pageBreaks > 0 ? pageBreaks + 1 : null, warnings, limits);
  }
  if (left > 0) warnings.push(`Page headers, footers and numbers left out: ${left}.`);
  const titled = promoteOnlyTopHeading(drafts);
  const elements = withSections(titled);
  const empty = elements.length === 0 && warnings.length === 0 ? ["The document holds no text."] : [];
  return requireWithinLimit(
    { title: firstTitle(titled), mediaType, elements, warnings: [...warnings, ...empty] },
    limits,
  );
}

function parseAnswer(answer: string): Partitioned[] {
  try {
    return z.array(elementSchema).parse(JSON.parse(answer));
  } catch (error) {
    throw new AnnealError("ENGINE_UNAVAILABLE", "The Unstructured API's answer is no list of elements.", {
      action: "See that ANNEAL_UNSTRUCTURED_URL is the address of an Unstructured API, and not of a proxy or a page.",
      cause: error,
    });
  }
}

function add(
  drafts: Draft[],
  element: Partitioned,
  countedPage: number | null,
  warnings: string[],
  limits: ParseLimits,
): void {
  const { metadata } = element;
  const page = metadata?.page_number ?? countedPage;
  const box = placeOf(metadata?.coordinates);
  const place = {
    ...(page === null ? {} : { page }),
    ...(box === null ? {} : { box }),
    ...(metadata?.page_name ? { container: metadata.page_name.slice(0, 200) } : {}),
  };
  const text = (element.text ?? "").replaceAll("\0", "").trim();
  const depth = Math.min(metadata?.category_depth ?? 0, 5);
  if (element.type === "Table" && metadata?.text_as_html) {
    // Of what HTML a server sends only the tables are taken.
    const read = parseHtml(metadata.text_as_html, limits);
    const tables = read.drafts.filter(({ kind }) => kind === "table");
    for (const table of tables) drafts.push({ ...table, ...place });
    appendAll(warnings, read.warnings);
    if (tables.length > 0) return;
  }
  if (text === "") return;
  switch (element.type) {
    case "Title":
      drafts.push({ kind: "heading", text: text.replace(/\s+/gu, " "), level: depth + 1, ...place });
      return;
    case "ListItem": {
      const item = `${"  ".repeat(depth)}- ${text.replace(/\s+/gu, " ")}`;
      const last = drafts.at(-1);
      // Items that follow each other on a page are one list, whose place is that of its first item and so is left out.
      if (last?.kind === "list" && last.page === place.page && last.container === place.container) {
        last.text += `\n${item}`;
        delete last.box;
      } else drafts.push({ kind: "list", text: item, ...place });
      return;
    }
    case "CodeSnippet":
      drafts.push({ kind: "code", text, ...place });
      return;
    case "Image":
    case "Figure":
    case "Picture":
      drafts.push({ kind: "figure", text, ...place });
      return;
    default:
      drafts.push({ kind: "paragraph", text, ...place });
  }
}

function placeOf(coordinates: NonNullable<Partitioned["metadata"]>["coordinates"]): ElementBox | null {
  if (!coordinates) return null;
  const { points, layout_width: width, layout_height: height } = coordinates;
  const around = edgesAround(points.map(([x = 0, y = 0]) => ({ left: x, top: y, right: x, bottom: y })));
  return around === null ? null : boxOf(around, { width, height });
}
