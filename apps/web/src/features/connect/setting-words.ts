import { isAsked } from "@anneal/core/connect/asked-field";
import { textOfJson, textOfNamed } from "#features/connect/list-text.ts";
import type { JsonSchema } from "#server/connect/describe-kinds.ts";

/** `text` is null where nothing is set. `isWords`: it is in our words, and not what somebody typed. */
export type SettingWords = { name: string; label: string; text: string | null; isWords: boolean };

/**
 * A source's settings as its form has them: by the names of the fields, in their order, and those alone that the others
 * ask for. What the form does not know, of another release, comes last under the name that is stored.
 * @param schema of the form; null for a kind of another release
 */
export function wordSettings(config: Record<string, unknown>, schema: JsonSchema | null): SettingWords[] {
  const fields = schema?.properties ?? {};
  const known = Object.entries(fields)
    .filter(([, field]) => isAsked(field, config, fields))
    .map(([name, field]) => ({
      name,
      label: field.title ?? name,
      ...wordValue(config[name] ?? field.default, field),
    }));
  const unknown = Object.entries(config)
    .filter(([name]) => !(name in fields))
    .map(([name, value]) => ({ name, label: name, ...wordValue(value, {}) }));
  return [...known, ...unknown];
}

function wordValue(value: unknown, { labels = {} }: JsonSchema): Pick<SettingWords, "text" | "isWords"> {
  const label = typeof value === "string" ? labels[value] : undefined;
  return { text: label ?? textOf(value), isWords: label !== undefined || typeof value === "boolean" };
}

function textOf(value: unknown): string | null {
  if (value === undefined || value === null || value === "") return null;
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (!Array.isArray(value)) return JSON.stringify(value, null, 2);
  if (value.length === 0) return null;
  return value.every((entry) => typeof entry === "object") ? textOfNamed(value) : linesOf(value);
}

function linesOf(values: unknown[]): string {
  return values.map((value) => (typeof value === "string" ? value : textOfJson(value))).join("\n");
}
