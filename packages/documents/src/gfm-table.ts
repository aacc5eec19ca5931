import { countOf } from "./document-errors.ts";
import type { ParseLimits } from "./limits.ts";

/**
 * A GitHub-flavoured Markdown table; the first row is its header. Rows may differ in length, line breaks in a cell
 * become spaces, and rows and columns without any text are left out. Null when no cell has text.
 */
export function renderTable(rows: readonly (readonly string[])[]): string | null {
  const cleaned = rows.map((row) => row.map(cleanCell)).filter((row) => row.some((cell) => cell !== ""));
  const width = cleaned.reduce((most, row) => Math.max(most, row.length), 0);
  const kept: number[] = [];
  for (let column = 0; column < width; column += 1) {
    if (cleaned.some((row) => (row[column] ?? "") !== "")) kept.push(column);
  }
  if (kept.length === 0) return null;
  const lines = cleaned.map((row) => `| ${kept.map((column) => row[column] ?? "").join(" | ")} |`);
  lines.splice(1, 0, `|${" --- |".repeat(kept.length)}`);
  return lines.join("\n");
}

function cleanCell(text: string): string {
  return text
    .replace(/\s+/gu, " ")
    .trim()
    .replaceAll("|", String.raw`\|`);
}

/** Keeps a table within the limits and says what was left out. */
export function limitRows<T>(
  rows: readonly (readonly T[])[],
  totalRows: number,
  name: string,
  limits: ParseLimits,
): { rows: (readonly T[])[]; warnings: string[] } {
  const warnings: string[] = [];
  const kept = rows.slice(0, limits.maxTableRows);
  if (totalRows > kept.length) {
    warnings.push(
      `${name}: kept the first ${countOf(kept.length, "row")}, ${countOf(totalRows - kept.length, "row")} left out.`,
    );
  }
  const width = kept.reduce((most, row) => Math.max(most, row.length), 0);
  if (width <= limits.maxTableColumns) return { rows: kept, warnings };
  warnings.push(`${name}: kept the first ${limits.maxTableColumns} of ${countOf(width, "column")}.`);
  return { rows: kept.map((row) => row.slice(0, limits.maxTableColumns)), warnings };
}
