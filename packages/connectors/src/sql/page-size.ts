import type { TextRow } from "./dialect.ts";

export const firstPageRows = 100;
const maxPageRows = 1000;
const targetPageChars = 8 * 1024 * 1024;

/** What a page holds in memory is bounded, however wide the rows are: the next one is sized by the last. */
export function nextPageRows(pageRows: number, rows: TextRow[]): number {
  const chars = rows.reduce((sum, row) => sum + charsOf(row), 0);
  const fitting = Math.floor((targetPageChars * rows.length) / Math.max(chars, 1));
  return Math.max(1, Math.min(maxPageRows, fitting, pageRows * 2));
}

/** Pages of a result that arrives row by row. */
export async function* pageRows(rows: AsyncIterable<TextRow>): AsyncIterable<TextRow[]> {
  let page: TextRow[] = [];
  let chars = 0;
  for await (const row of rows) {
    page.push(row);
    chars += charsOf(row);
    if (page.length < maxPageRows && chars < targetPageChars) continue;
    yield page;
    page = [];
    chars = 0;
  }
  if (page.length > 0) yield page;
}

function charsOf(row: TextRow): number {
  return row.reduce((sum, value) => sum + (value?.length ?? 0), 0);
}
