import type { Span } from "./sentences.ts";

export type TableRow = Span & { cells: string[] };
/** A GitHub-flavoured Markdown table with character spans into its text; `header.end` is the end of the rule line. */
export type Table = { header: TableRow | null; rows: TableRow[] };

const rule = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

/** Reads the Markdown table that an element of kind "table" carries; a line without a pipe is a row of one cell. */
export function parseTable(text: string): Table {
  const lines = lineSpans(text).filter((span) => text.slice(span.start, span.end).trim() !== "");
  const rows = lines.map((span) => ({ ...span, cells: cellsOf(text.slice(span.start, span.end)) }));
  const [first, second] = rows;
  const ruleLine = second ? text.slice(second.start, second.end) : "";
  if (!first || !second || !rule.test(ruleLine)) return { header: null, rows };
  return { header: { ...first, end: second.end }, rows: rows.slice(2) };
}

export function lineSpans(text: string): Span[] {
  const spans: Span[] = [];
  let start = 0;
  for (const line of text.split("\n")) {
    spans.push({ start, end: start + line.length });
    start += line.length + 1;
  }
  return spans;
}

/** Cells of one Markdown row, trimmed, with escaped pipes restored. */
export function cellsOf(line: string): string[] {
  const inner = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}
