import { parseExactJson } from "../exact-json.ts";
import type { Column, Relation } from "./dialect.ts";
import type { Row } from "./rows.ts";

export type RowDocument = { key: string[]; title: string; markdown: string };

/** Raised when the rendering changes, so that every row gets a new fingerprint. */
export const renderingVersion = 1;

const longChars = 400;

/** One row as Markdown; a null says nothing. */
export function renderRow(
  relation: Relation,
  row: Row,
  formatValue: (column: Column, raw: string) => string,
): RowDocument {
  const key = relation.key.map((column) => row.get(column.name) ?? "");
  const titleValue = relation.title === null ? null : row.get(relation.title.name);
  const title = toTitle(titleValue) ?? `${relation.name} ${key.join(", ")}`;
  const values: [string, string][] = [];
  for (const column of relation.columns) {
    const raw = row.get(column.name);
    if (raw === null || raw === undefined || isApart(relation, column)) continue;
    values.push([column.name, formatValue(column, raw)]);
  }
  return { key, title, markdown: renderValues(title, values) };
}

/** The title is the heading, and the owner is the audience, which may change without the text. */
function isApart(relation: Relation, column: Column): boolean {
  return column.name === relation.title?.name || column.name === relation.owner?.name;
}

export function toTitle(value: string | null | undefined): string | null {
  return value?.replace(/\s+/g, " ").trim() || null;
}

/** The title as the heading, a short value as a "Name: value" paragraph, a long or many-lined one as a section. */
export function renderValues(title: string, values: Iterable<[name: string, value: string]>): string {
  const short: string[] = [];
  const long: string[] = [];
  for (const [name, value] of values) {
    if (value === "") continue;
    if (value.length > longChars || value.includes("\n")) long.push(`## ${columnLabel(name)}\n\n${value}`);
    else short.push(`${columnLabel(name)}: ${value}`);
  }
  return `${[`# ${title}`, ...short, ...long].join("\n\n")}\n`;
}

/** "created_at" and "createdAt" read as "Created at". */
export function columnLabel(name: string): string {
  const words = name
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)
    .replace(/[_\s]+/g, " ")
    .trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Long JSON is laid out; what was cut at the size limit stays as it is. */
export function formatJson(value: string): string {
  if (value.length <= longChars && !value.includes("\n")) return value;
  try {
    return `\`\`\`json\n${JSON.stringify(JSON.parse(value), null, 2)}\n\`\`\``;
  } catch {
    return value;
  }
}

/** "2024-03-01 10:30:00" as 2024-03-01T10:30:00, with a Z where the server gave the time in UTC. */
export function formatTime(value: string, isUtc: boolean): string {
  return value.replace(/^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)$/, `$1T$2${isUtc ? "Z" : ""}`);
}

/**
 * The owners in a database without an array type: one id, or a JSON array of them. What begins as an array and is
 * none names nobody, nor does a number that is not told exactly: it could be another's id.
 */
export function readJsonOwners(raw: string): string[] {
  const value = raw.trim();
  if (!value.startsWith("[")) return value === "" ? [] : [value];
  const owners = parseExactJson(value);
  if (!Array.isArray(owners)) return [];
  return owners.flatMap((owner) =>
    typeof owner === "string" || Number.isSafeInteger(owner) ? String(owner).trim() || [] : [],
  );
}
