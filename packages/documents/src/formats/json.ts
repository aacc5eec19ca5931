import { appendAll } from "../append-all.ts";
import { countOf, documentError } from "../document-errors.ts";
import { tableDrafts } from "../gfm-table.ts";
import type { ParseLimits } from "../limits.ts";
import { type Draft, type Parsed, firstTitle } from "../sections.ts";

type Scalar = string | number | boolean | null;
type Fields = { [key: string]: unknown };

/** Longer values are prose: they become paragraphs under their key instead of a line or a cell. */
const longestInline = 200;
const deepest = 64;
const alwaysTable = 256;

/** @throws AnnealError DOCUMENT_DAMAGED when it is neither JSON nor JSON lines. */
export function parseJson(text: string, limits: ParseLimits): Parsed {
  try {
    return renderValue(readJson(text), limits);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    if (lines.length > 1 && isRecord(lines[0]!) && isRecord(lines[1]!)) return parseJsonLines(text, limits);
    throw documentError("DOCUMENT_DAMAGED", `The file is not valid JSON (${error.message.slice(0, 160)}).`, {
      cause: error,
    });
  }
}

/** One JSON value a line. Lines that cannot be read are counted in a warning. */
export function parseJsonLines(text: string, limits: ParseLimits): Parsed {
  const records: unknown[] = [];
  const bad: number[] = [];
  text.split("\n").forEach((line, index) => {
    if (line.trim() === "") return;
    try {
      records.push(readJson(line));
    } catch {
      bad.push(index + 1);
    }
  });
  if (records.length === 0 && bad.length > 0) {
    throw documentError("DOCUMENT_DAMAGED", `None of the ${countOf(bad.length, "line")} is valid JSON.`);
  }
  const parsed = renderValue(records, limits);
  if (bad.length > 0) {
    const shown = bad.slice(0, 5).join(", ");
    parsed.warnings.push(
      `${countOf(bad.length, "line")} not valid JSON, left out (line ${shown}${bad.length > 5 ? ", ..." : ""}).`,
    );
  }
  return parsed;
}

/** A JSON-like value as elements: flat records are a table, other objects a section a key, short fields a list. */
export function renderValue(value: unknown, limits: ParseLimits): Parsed {
  const warnings: string[] = [];
  const drafts: Draft[] = [];
  const title = isFields(value) ? nameOf(value) : null;
  if (title !== null) drafts.push({ kind: "title", text: title, level: 1 });
  render(value, 1, 0);
  return {
    title: firstTitle(drafts),
    drafts: drafts.filter((draft) => draft.text.trim() !== ""),
    warnings,
  };

  function render(current: unknown, level: number, depth: number): void {
    if (isScalar(current)) drafts.push({ kind: "paragraph", text: show(current) });
    else if (depth >= deepest) {
      warnings.push(`Values nested deeper than ${deepest} levels were left out.`);
    } else if (Array.isArray(current)) renderArray(current, level, depth);
    else renderFields(current as Fields, level, depth);
  }

  function renderArray(items: unknown[], level: number, depth: number): void {
    if (items.every((item) => isScalar(item) && !isLong(item))) {
      drafts.push({
        kind: "list",
        text: items.map((item) => `- ${show(item as Scalar)}`).join("\n"),
      });
    } else if (items.length > 1 && items.every(isFlatRecord) && isTable(items as Fields[])) {
      table(items as Fields[]);
    } else {
      items.forEach((item, index) => {
        if (isFields(item)) heading(nameOf(item) ?? `Item ${index + 1}`, level);
        render(item, level + 1, depth + 1);
      });
    }
  }

  function renderFields(fields: Fields, level: number, depth: number): void {
    const entries = Object.entries(fields);
    const short = entries.filter(([, field]) => isScalar(field) && !isLong(field) && field !== null && field !== "");
    if (short.length > 0)
      drafts.push({
        kind: "list",
        text: short.map(([key, field]) => `- ${key}: ${show(field as Scalar)}`).join("\n"),
      });
    for (const [key, field] of entries) {
      if (isScalar(field) && !isLong(field)) continue;
      if (!isScalar(field) && Object.keys(field as object).length === 0) continue;
      heading(key, level);
      render(field, level + 1, depth + 1);
    }
  }

  function heading(text: string, level: number): void {
    drafts.push({ kind: "heading", text, level: Math.min(level, 6) });
  }

  function table(records: Fields[]): void {
    const columns = columnsOf(records);
    const rows = [columns, ...records.map((record) => columns.map((column) => show((record[column] ?? "") as Scalar)))];
    appendAll(drafts, tableDrafts(rows, limits));
  }
}

/** Numbers beyond 2^53 keep their digits: an identifier that is rounded names something else. */
function readJson(text: string): unknown {
  if (!/\d{16}/u.test(text)) return JSON.parse(text);
  const reviver = (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === "number" &&
    context?.source !== undefined &&
    /^-?\d+$/u.test(context.source) &&
    !Number.isSafeInteger(value)
      ? context.source
      : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

function isRecord(line: string): boolean {
  try {
    return typeof JSON.parse(line) === "object";
  } catch {
    return false;
  }
}

/** Very many columns are a table only where the records have most of them: else it would be one of empty cells. */
function isTable(records: readonly Fields[]): boolean {
  const columns = columnsOf(records).length;
  const filled = records.reduce((sum, record) => sum + Object.keys(record).length, 0);
  return columns <= alwaysTable || filled * 2 > columns * records.length;
}

function columnsOf(records: readonly Fields[]): string[] {
  return [...new Set(records.flatMap((record) => Object.keys(record)))];
}

function nameOf(fields: Fields): string | null {
  for (const key of ["title", "name", "subject", "question", "heading"]) {
    const value = fields[key];
    if (typeof value === "string" && value.trim() !== "" && !isLong(value)) return value.trim();
  }
  return null;
}

function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value !== "object";
}

function isLong(value: Scalar): boolean {
  return typeof value === "string" && (value.length > longestInline || value.includes("\n"));
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isFlatRecord(value: unknown): boolean {
  return isFields(value) && Object.values(value).every((field) => isScalar(field) && !isLong(field));
}

function show(value: Scalar): string {
  return value === null ? "" : String(value).trim();
}
