import { countOf } from "./document-errors.ts";
import type { ParseLimits } from "./limits.ts";
import type { Draft } from "./sections.ts";

/** Enough to see a row among its neighbours, and little enough to be shown and cited as one piece. */
const rowsOfElement = 500;

/**
 * A table as elements of GitHub-flavoured Markdown; the first row is its header. A long one goes on in further elements, each
 * under the header again. Rows may differ in length, line breaks in a cell become spaces, and rows and columns without any
 * text are left out.
 *
 * @param place what each element says besides of where it stands
 * @returns none when no cell has text; no more than the first that is beyond the limit on text, which refuses the document
 */
export function tableDrafts(
  rows: readonly (readonly string[])[],
  limits: Pick<ParseLimits, "maxTextLength">,
  place: Partial<Draft> = {},
): Draft[] {
  const cleaned = rows.map((row) => row.map(cleanCell)).filter((row) => row.some((cell) => cell !== ""));
  const width = cleaned.reduce((most, row) => Math.max(most, row.length), 0);
  const kept: number[] = [];
  for (let column = 0; column < width; column += 1) {
    if (cleaned.some((row) => (row[column] ?? "") !== "")) kept.push(column);
  }
  const [header, ...body] = cleaned;
  if (header === undefined) return [];
  const lineOf = (row: readonly string[]) => `| ${kept.map((column) => row[column] ?? "").join(" | ")} |`;
  const top = `${lineOf(header)}\n|${" --- |".repeat(kept.length)}`;
  const drafts: Draft[] = [];
  let left = limits.maxTextLength;
  for (let at = 0; at === 0 || (at < body.length && left >= 0); at += rowsOfElement) {
    const text = [top, ...body.slice(at, at + rowsOfElement).map(lineOf)].join("\n");
    left -= text.length;
    drafts.push({ ...place, kind: "table", text });
  }
  return drafts;
}

function cleanCell(text: string): string {
  return collapse(text).replaceAll("|", String.raw`\|`);
}

/** Most cells of a long table need nothing done. */
function collapse(text: string): string {
  return (/[^\S ]| {2}/u.test(text) ? text.replace(/\s+/gu, " ") : text).trim();
}

/** Keeps a table within the limit on columns and says what was left out. */
export function limitColumns<T>(
  rows: readonly (readonly T[])[],
  name: string,
  limits: ParseLimits,
): { rows: readonly (readonly T[])[]; warnings: string[] } {
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0);
  if (width <= limits.maxTableColumns) return { rows, warnings: [] };
  return {
    rows: rows.map((row) => row.slice(0, limits.maxTableColumns)),
    warnings: [`${name}: kept the first ${limits.maxTableColumns} of ${countOf(width, "column")}.`],
  };
}

/**
 * Counts the text of rows while they are read, so that none is kept in memory once the document is beyond the limit on text
 * and will be refused.
 */
export class RowCount {
  textLength = 0;
  private readonly limits: Pick<ParseLimits, "maxTextLength">;

  constructor(limits: Pick<ParseLimits, "maxTextLength">) {
    this.limits = limits;
  }

  /** @returns whether the row is to be kept; the first one beyond the limit is */
  add(row: readonly string[]): boolean {
    const wasWithin = this.textLength <= this.limits.maxTextLength;
    this.textLength += Math.max(
      1,
      row.reduce((sum, cell) => sum + collapse(cell).length, 0),
    );
    return wasWithin;
  }
}
