import type { Row, Segment } from "./segments.ts";

export type Piece = { kind: "rows"; rows: Row[] } | { kind: "table"; cells: string[][]; rows: Row[] };

type Column = { from: number; to: number };

/**
 * Parts a region's rows into tables and the rest. A table is a run of rows whose segments fall into the same two or
 * more columns; where the alignment is not clear the rows stay lines of text.
 */
export function findTables(rows: readonly Row[]): Piece[] {
  const pieces: Piece[] = [];
  let plain: Row[] = [];
  let index = 0;
  while (index < rows.length) {
    const end = rows[index]!.length > 1 ? tableEnd(rows, index) : index;
    const found = rows.slice(index, end);
    const columns = columnsOf(found);
    if (found.filter((row) => row.length > 1).length >= 2 && isAligned(found, columns)) {
      if (plain.length > 0) pieces.push({ kind: "rows", rows: plain });
      plain = [];
      pieces.push({ kind: "table", cells: toCells(found, columns), rows: found });
      index = end;
    } else {
      plain.push(rows[index]!);
      index += 1;
    }
  }
  if (plain.length > 0) pieces.push({ kind: "rows", rows: plain });
  return pieces;
}

/** Rows belong to the table as long as they keep its columns apart and stand close; single segments continue a cell. */
function tableEnd(rows: readonly Row[], start: number): number {
  let end = start + 1;
  let columns = columnsOf(rows.slice(start, end));
  let lastFull = end;
  while (end < rows.length) {
    const row = rows[end]!;
    const above = rows[end - 1]!;
    const next = columnsOf(rows.slice(start, end + 1));
    const gap = row[0]!.y - above[0]!.y;
    const isFar = gap > 4 * row[0]!.size;
    const joins = next.length < columns.length && next.length < 2;
    const swallows = next.length < columns.length && row.some((segment) => spanned(segment, columns) > 1);
    const isNote =
      row.length === 1 &&
      columns[0] !== undefined &&
      Math.abs(row[0]!.x - columns[0].from) < 2 &&
      gap > 2.2 * row[0]!.size;
    if (isFar || joins || swallows || isNote) break;
    columns = next;
    end += 1;
    if (row.length > 1) lastFull = end;
    else if (end - lastFull > 4) break;
  }
  // Single segments below the last full row belong to it only when they continue a cell to the right of the first.
  while (
    lastFull < end &&
    rows[lastFull]![0]!.x > (columns[0]?.to ?? 0) &&
    rows[lastFull]![0]!.y - rows[lastFull - 1]![0]!.y < 1.6 * rows[lastFull]![0]!.size
  ) {
    lastFull += 1;
  }
  return lastFull;
}

/** Overlapping segments of all rows make one column. */
function columnsOf(rows: readonly Row[]): Column[] {
  const spans = rows
    .flat()
    .map(({ x, right }) => ({ from: x, to: right }))
    .toSorted((a, b) => a.from - b.from);
  const columns: Column[] = [];
  for (const span of spans) {
    const open = columns[columns.length - 1];
    if (open !== undefined && span.from < open.to) open.to = Math.max(open.to, span.to);
    else columns.push({ ...span });
  }
  return columns;
}

function spanned(segment: Segment, columns: readonly Column[]): number {
  return columns.filter((column) => segment.x < column.to && segment.right > column.from).length;
}

function isAligned(rows: readonly Row[], columns: readonly Column[]): boolean {
  if (columns.length < 2 || columns.length > 30) return false;
  const full = rows.filter((row) => row.length > 1);
  const filled = full.reduce((sum, row) => sum + row.length, 0);
  return full.length >= rows.length * 0.4 && filled >= full.length * columns.length * 0.5;
}

/** Lines of one table row stand closer together than rows do, when the table leaves space between its rows. */
function toCells(rows: readonly Row[], columns: readonly Column[]): string[][] {
  const gaps = rows.slice(1).map((row, index) => row[0]!.y - rows[index]![0]!.y);
  const narrow = Math.min(...gaps);
  const wide = Math.max(...gaps);
  const hasSpacing = wide > 1.3 * narrow && rows.some((row) => row.length === 1 || row.length < columns.length);
  const threshold = (narrow + wide) / 2;
  const cells: string[][] = [];
  rows.forEach((row, index) => {
    const values = columns.map((column) =>
      row
        .filter((segment) => segment.x < column.to && segment.right > column.from)
        .map((segment) => segment.text)
        .join(" "),
    );
    const above = cells[cells.length - 1];
    const isSparse = row.length === 1 && values[0] === "";
    const continues = above !== undefined && (hasSpacing ? gaps[index - 1]! < threshold : isSparse);
    if (continues) values.forEach((value, column) => (above[column] = `${above[column] ?? ""} ${value}`.trim()));
    else cells.push(values);
  });
  return cells;
}
