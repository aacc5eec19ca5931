import type { ParseLimits } from "./limits.ts";
import type { Draft } from "./sections.ts";

/** Enough to see a row among its neighbours, and little enough to be shown and cited as one piece. */
const rowsOfElement = 500;
/** A browser builds a table of so many rows and columns in about a second. */
const columnsOfElement = 50;

/**
 * A table as elements of GitHub-flavoured Markdown; the first row is its header. A long one goes on in further elements, each
 * under the header again, and a wide one in further ones that each begin with its first column again. Rows may differ in
 * length, line breaks in a cell become spaces, and rows and columns without any text are left out.
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
  const [header, ...body] = cleaned;
  if (header === undefined) return [];
  const parts = partsOf(columnsOf(cleaned));
  const drafts: Draft[] = [];
  let left = limits.maxTextLength;
  for (let at = 0; at === 0 || at < body.length; at += rowsOfElement) {
    const block = body.slice(at, at + rowsOfElement);
    for (const { columns, own } of parts) {
      const saysMore = (row: string[]) => row.length > own[0]! && own.some((column) => (row[column] ?? "") !== "");
      const lines = block.filter(saysMore).map((row) => lineOf(row, columns));
      if (at > 0 && lines.length === 0) continue;
      const text = [lineOf(header, columns), `|${" --- |".repeat(columns.length)}`, ...lines].join("\n");
      drafts.push({ ...place, kind: "table", text });
      left -= text.length;
      if (left < 0) return drafts;
    }
  }
  return drafts;
}

function lineOf(row: readonly string[], columns: readonly number[]): string {
  return `| ${columns.map((column) => row[column] ?? "").join(" | ")} |`;
}

/** Those that have text in any row, in order. */
function columnsOf(rows: readonly (readonly string[])[]): number[] {
  const columns = new Set<number>();
  for (const row of rows) {
    for (const [column, cell] of row.entries()) if (cell !== "") columns.add(column);
  }
  return [...columns].toSorted((a, b) => a - b);
}

/** The columns of one element, and those among them that stand in no other. */
type Part = { columns: number[]; own: number[] };

function partsOf(columns: readonly number[]): Part[] {
  const first = columns.slice(0, columnsOfElement);
  const parts: Part[] = [{ columns: first, own: first }];
  for (let at = columnsOfElement; at < columns.length; at += columnsOfElement - 1) {
    const own = columns.slice(at, at + columnsOfElement - 1);
    parts.push({ columns: [columns[0]!, ...own], own });
  }
  return parts;
}

function cleanCell(text: string): string {
  return collapse(text).replaceAll("|", String.raw`\|`);
}

/** Most cells of a long table need nothing done. */
function collapse(text: string): string {
  return (/[^\S ]| {2}/u.test(text) ? text.replace(/\s+/gu, " ") : text).trim();
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
