import type { JsonSchema } from "#server/connect/describe-kinds.ts";

/** One entry on each line; an empty text is a list that is not set. */
export function parseLines(text: string): string[] | undefined {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return lines.length > 0 ? lines : undefined;
}

/** A name on each line or between commas, or JSON for those that need more than a name. */
export function parseNamed(text: string): unknown {
  if (/^\s*[[{]/.test(text)) return parseJson(text);
  const names = text
    .split(/[\n,]/)
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return names.length > 0 ? names.map((name) => ({ name })) : undefined;
}

/** Names alone where nothing but names is set, as they were typed; JSON where there is more. */
export function textOfNamed(value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return "";
  const names = value.map((entry: unknown) => {
    if (typeof entry !== "object" || entry === null || !("name" in entry)) return undefined;
    const { name, ...rest } = entry;
    return typeof name === "string" && !/[\n,]|^[[{]/.test(name) && Object.values(rest).every(isUnset)
      ? name
      : undefined;
  });
  return names.every((name) => name !== undefined) ? names.join("\n") : textOfJson(value);
}

function isUnset(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

/** What is not JSON yet goes to the server as it is, which says what is wrong with it; an empty text is not set. */
export function parseJson(text: string): unknown {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function textOfJson(value: unknown): string {
  return value === undefined || (Array.isArray(value) && value.length === 0) ? "" : JSON.stringify(value, null, 2);
}

/** A list with one entry that has what an entry must have. */
export function exampleOf(items: JsonSchema | undefined): string {
  const { properties = {}, required = [] } = items ?? {};
  const names = required.length > 0 ? required : Object.keys(properties).slice(0, 2);
  const entry = Object.fromEntries(names.map((name) => [name, properties[name]?.type === "string" ? "…" : null]));
  return JSON.stringify([entry]).replaceAll(/([:,])"/g, '$1 "');
}
