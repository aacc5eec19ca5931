import type { ParseLimits } from "../limits.ts";
import { type Tag, attribute, childTags, collapse, holdsBlocks, inlineText } from "./html-tree.ts";

/** Tables that only place things: nested tables, headings in cells, one column, one row. Their cells are read as blocks. */
export function isLayoutTable(table: Tag): boolean {
  if (attribute(table, "role") === "presentation" || holdsBlocks(table)) return true;
  const rows = tableRows(table);
  const widest = rows.reduce((most, row) => Math.max(most, cellsOf(row.row).length), 0);
  return rows.length < 2 || widest < 2;
}

type TableRow = { row: Tag; inHead: boolean };

function tableRows(table: Tag): TableRow[] {
  return childTags(table).flatMap((part) => {
    if (part.tagName === "tr") return [{ row: part, inHead: false }];
    if (!/^t(?:head|body|foot)$/u.test(part.tagName)) return [];
    return childTags(part).flatMap((row) => (row.tagName === "tr" ? [{ row, inHead: part.tagName === "thead" }] : []));
  });
}

function cellsOf(row: Tag): Tag[] {
  return childTags(row).filter((cell) => cell.tagName === "td" || cell.tagName === "th");
}

/**
 * The table as a grid. A cell that spans rows stands in each of them, so that every row can be read alone; one that
 * spans columns is repeated in the header, where it names each of them, and stands once in the body.
 */
export function tableGrid(table: Tag, depth: number, limits: ParseLimits): { rows: string[][]; headerRows: number } {
  const source = tableRows(table);
  // People write a span of 1,000 for one over the whole table.
  const widest = source.reduce((most, { row }) => Math.max(most, cellsOf(row).length), 0);
  const rows: string[][] = [];
  const hanging: { text: string; left: number }[] = [];
  let headerRows = 0;
  let reading = true;
  for (const { row, inHead } of source) {
    const cells = cellsOf(row);
    const isHeader =
      inHead || (rows.length === headerRows && cells.length > 0 && cells.every((cell) => cell.tagName === "th"));
    reading &&= isHeader;
    if (reading) headerRows += 1;
    const line: string[] = [];
    const takeHanging = () => {
      for (let held = hanging[line.length]; held !== undefined && held.left > 0; held = hanging[line.length]) {
        held.left -= 1;
        line.push(held.text);
      }
    };
    for (const cell of cells) {
      takeHanging();
      const text = collapse(inlineText(cell, depth + 1));
      const columns = span(cell, "colspan", Math.min(widest, limits.maxTableColumns - line.length));
      const hangs = span(cell, "rowspan", source.length) - 1;
      for (let column = 0; column < columns; column += 1) {
        const shown = column === 0 || isHeader ? text : "";
        hanging[line.length] = { text: shown, left: hangs };
        line.push(shown);
      }
    }
    takeHanging();
    rows.push(line);
  }
  return { rows, headerRows };
}

function span(cell: Tag, name: string, most: number): number {
  const value = Number.parseInt(attribute(cell, name) ?? "1", 10);
  if (name === "rowspan" && value === 0) return most;
  return Math.min(Math.max(value || 1, 1), Math.max(most, 1));
}

/** A header of several rows becomes one: "2026 / Q1". */
export function mergeHeader(rows: string[][], headerRows: number): string[][] {
  if (headerRows < 2) return rows;
  const header = rows.slice(0, headerRows);
  const width = header.reduce((widest, row) => Math.max(widest, row.length), 0);
  const merged = Array.from({ length: width }, (_, column) =>
    [...new Set(header.map((row) => row[column] ?? "").filter((text) => text !== ""))].join(" / "),
  );
  return [merged, ...rows.slice(headerRows)];
}
