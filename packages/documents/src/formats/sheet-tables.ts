import { appendAll } from "../append-all.ts";
import { tableDrafts } from "../gfm-table.ts";
import type { ParseLimits } from "../limits.ts";
import type { Draft } from "../sections.ts";

/**
 * A sheet's grid as elements: a heading with its name, then each block between empty rows. A block of one column is
 * text; lines of one cell above a table are its title or a note.
 */
export function sheetDrafts(rows: readonly string[][], name: string, limits: ParseLimits): Draft[] {
  const body: Draft[] = [];
  for (const block of blocksOf(rows)) {
    const start = block.findIndex((row) => filled(row) > 1);
    const text = start === -1 ? block : block.slice(0, start);
    for (const row of text)
      body.push({
        kind: "paragraph",
        text: row.find((cell) => cell !== "") ?? "",
        container: name,
      });
    if (start === -1) continue;
    appendAll(body, tableDrafts(block.slice(start), limits, { container: name }));
  }
  return body.length === 0 ? [] : [{ kind: "heading", text: name, level: 1, container: name }, ...body];
}

/** @param sheet what `sheetDrafts` made of it: nothing, where no cell says anything */
export function withCommentsBelow(sheet: Draft[], comments: readonly Draft[], name: string): Draft[] {
  if (comments.length === 0) return sheet;
  const heading: Draft = { kind: "heading", text: name, level: 1, container: name };
  const begun = sheet.length === 0 ? [heading] : sheet;
  return [...begun, ...comments.map((comment) => ({ ...comment, container: name }))];
}

function blocksOf(rows: readonly string[][]): string[][][] {
  const blocks: string[][][] = [];
  let open: string[][] = [];
  for (const row of [...rows, []]) {
    if (filled(row) > 0) open.push(row);
    else if (open.length > 0) {
      blocks.push(open);
      open = [];
    }
  }
  return blocks;
}

function filled(row: readonly string[]): number {
  return row.reduce((count, cell) => count + (cell === "" ? 0 : 1), 0);
}
