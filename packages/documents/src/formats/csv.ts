import { parse } from "csv-parse";
import { renderTable } from "../gfm-table.ts";
import { countOf } from "../document-errors.ts";
import type { ParseLimits } from "../limits.ts";
import type { Parsed } from "../sections.ts";

/** Delimited text as one table; the first row is the header. The delimiter is the one that splits the first lines most evenly. */
export async function parseCsv(text: string, limits: ParseLimits, delimiter = findDelimiter(text)): Promise<Parsed> {
  const rows: string[][] = [];
  const warnings: string[] = [];
  let total = 0;
  let widest = 0;
  const parser = parse({
    delimiter,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    max_record_size: 1 << 24,
  });
  parser.end(text);
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      total += 1;
      widest = Math.max(widest, record.length);
      if (rows.length < limits.maxTableRows) rows.push(record.slice(0, limits.maxTableColumns));
    }
  } catch (error) {
    if (rows.length === 0) throw error;
    const reason = error instanceof Error ? error.message.slice(0, 120) : "unknown";
    warnings.push(`The table breaks off after ${countOf(total, "row")} (${reason}).`);
  }
  if (total > rows.length) warnings.push(`Table: kept the first ${countOf(rows.length, "row")}, ${countOf(total - rows.length, "row")} left out.`);
  if (widest > limits.maxTableColumns) warnings.push(`Table: kept the first ${limits.maxTableColumns} of ${countOf(widest, "column")}.`);
  const table = renderTable(rows);
  return { title: null, drafts: table === null ? [] : [{ kind: "table", text: table }], warnings };
}

export function findDelimiter(text: string): string {
  const lines = text
    .slice(0, 64 * 1024)
    .replace(/"(?:[^"]|"")*"/gu, "x")
    .split(/\r?\n/u)
    .filter((line) => line.trim() !== "")
    .slice(0, 50);
  let best = { delimiter: ",", score: 0 };
  for (const delimiter of [",", ";", "\t", "|"]) {
    const counts = lines.map((line) => line.split(delimiter).length - 1);
    const usual = counts[0] ?? 0;
    const score = usual * counts.filter((count) => count === usual).length;
    if (score > best.score) best = { delimiter, score };
  }
  return best.delimiter;
}
