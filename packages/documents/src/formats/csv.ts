import { parse } from "csv-parse";
import { RowCount, tableDrafts } from "../gfm-table.ts";
import type { ParseLimits } from "../limits.ts";
import type { Parsed } from "../sections.ts";

type Records = { rows: string[][]; textLength: number };

/**
 * Delimited text as a table; the first row is the header. The delimiter is the one that splits the first lines most
 * evenly. Where the quotes do not add up they are read as what they are: characters.
 */
export async function parseCsv(text: string, limits: ParseLimits, delimiter = findDelimiter(text)): Promise<Parsed> {
  const warnings: string[] = [];
  const { rows, textLength } = await readRecords(text, delimiter, '"', limits).catch(() => {
    warnings.push("The quotes of the table do not add up; they were read as plain characters.");
    return readRecords(text, delimiter, null, limits);
  });
  return { title: null, drafts: tableDrafts(rows, limits), warnings, textLength };
}

async function readRecords(
  text: string,
  delimiter: string,
  quote: string | null,
  limits: ParseLimits,
): Promise<Records> {
  const rows: string[][] = [];
  const count = new RowCount(limits);
  const parser = parse({
    delimiter,
    quote,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
  });
  parser.end(text);
  for await (const record of parser as AsyncIterable<string[]>) {
    if (count.add(record)) rows.push(record);
  }
  return { rows, textLength: count.textLength };
}

function findDelimiter(text: string): string {
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
