import { types } from "pg";
import type { Column, Relation } from "./relation.ts";
import type { Row } from "./rows.ts";

export type RowDocument = { key: string[]; title: string; markdown: string };

/** Raised when the rendering changes, so that every row gets a new fingerprint. */
export const renderingVersion = 1;

// text[]: every element as the server wrote it. The typings know scalar types only.
const textArrayOid = 1009 as Parameters<typeof types.getTypeParser>[0];
export const parseArray = types.getTypeParser(textArrayOid, "text") as (value: string) => unknown[];

const longChars = 400;

/**
 * One row as Markdown: its title as the heading, a short value as a "Column: value" paragraph, a long or many-lined
 * one as a section, and nothing for a null.
 */
export function renderRow(relation: Relation, row: Row): RowDocument {
  const key = relation.key.map((column) => row.get(column.name) ?? "");
  const titleValue = relation.title === null ? null : row.get(relation.title.name);
  const title = titleValue?.replace(/\s+/g, " ").trim() || `${relation.name} ${key.join(", ")}`;
  const short: string[] = [];
  const long: string[] = [];
  for (const column of relation.columns) {
    const raw = row.get(column.name);
    if (raw === null || raw === undefined || isApart(relation, column)) continue;
    const value = formatValue(column, raw);
    if (value === "") continue;
    if (value.length > longChars || value.includes("\n")) long.push(`## ${columnLabel(column.name)}\n\n${value}`);
    else short.push(`${columnLabel(column.name)}: ${value}`);
  }
  return { key, title, markdown: `${[`# ${title}`, ...short, ...long].join("\n\n")}\n` };
}

/** The title is the heading, and the owner is the audience, which may change without the text. */
function isApart(relation: Relation, column: Column): boolean {
  return column.name === relation.title?.name || column.name === relation.owner?.name;
}

/** Binary values say nothing to a reader and are not even fetched. */
export function isReadable(column: Column): boolean {
  return column.typeName !== "bytea";
}

/** "created_at" and "createdAt" read as "Created at". */
export function columnLabel(name: string): string {
  const words = name
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)
    .replace(/[_\s]+/g, " ")
    .trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param raw the value's text form under DateStyle ISO and TimeZone UTC */
export function formatValue(column: Column, raw: string): string {
  const value = raw.trim();
  switch (column.typeName) {
    case "timestamp with time zone":
      return value.replace(/^(\d{4,}-\d\d-\d\d) (.*)\+00$/, "$1T$2Z");
    case "timestamp without time zone":
      return value.replace(/^(\d{4,}-\d\d-\d\d) /, "$1T");
    case "json":
    case "jsonb":
      return formatJson(value);
  }
  return column.category === "A" ? formatArray(value) : value;
}

function formatJson(value: string): string {
  if (value.length <= longChars && !value.includes("\n")) return value;
  try {
    return `\`\`\`json\n${JSON.stringify(JSON.parse(value), null, 2)}\n\`\`\``;
  } catch {
    // Cut at the size limit.
    return value;
  }
}

function formatArray(value: string): string {
  const elements = parseArray(value);
  return elements.some(Array.isArray)
    ? JSON.stringify(elements)
    : elements.filter((element) => element !== null).join(", ");
}
