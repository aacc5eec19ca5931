import type { FieldCondition } from "@anneal/core/connect/asked-field";
import { AnnealError } from "@anneal/core/errors";

/** As much of a kind's JSON Schema as reading its fields, and saying what they take, needs. */
export type FieldSchema = {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  /** Of a choice: what people read for each value. */
  labels?: Record<string, string>;
  examples?: unknown[];
  format?: string;
  pattern?: string;
  /** The pattern in words; a portal of before has none. */
  patternMessage?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  anyOf?: FieldSchema[];
  items?: FieldSchema;
  properties?: Record<string, FieldSchema>;
  required?: string[];
  /** Only an administrator may change it from its default. */
  administrator?: boolean;
  /** The settings that an administrator's word is about. */
  about?: string[];
  /** Of use with these settings only. */
  when?: FieldCondition;
};

/**
 * Reads "field=value" options by the types that a schema names: "7" of a number is 7, "a,b" of a list is ["a","b"], and
 * JSON is taken for what it is where a text is not wanted.
 * @throws AnnealError INVALID_INPUT that names the field and never repeats its value, which may be a credential
 */
export function readFields(options: readonly string[], schema: FieldSchema, option: string): Record<string, unknown> {
  const fields = schema.properties ?? {};
  return Object.fromEntries(
    options.map((each) => {
      const at = each.indexOf("=");
      const name = each.slice(0, Math.max(0, at));
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (at < 1 || field === undefined) {
        throw new AnnealError("INVALID_INPUT", `${option} ${name || "…"} names no field of this kind.`, {
          action: `Write ${option} field=value with one of: ${Object.keys(fields).join(", ") || "nothing, it asks for none"}.`,
        });
      }
      return [name, readValue(each.slice(at + 1), field, `${option} ${name}`)];
    }),
  );
}

function readValue(text: string, field: FieldSchema, what: string): unknown {
  const types = typesOf(field);
  if (types.has("array") && !text.trim().startsWith("[")) return text.split(",").map((part) => part.trim());
  if (types.has("string") && !(types.has("object") && text.trim().startsWith("{"))) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new AnnealError("INVALID_INPUT", `The value of ${what} is not ${[...types].join(" or ")}.`, {
      action: types.has("boolean") ? "Write true or false." : "Write a number, or JSON for what is larger.",
    });
  }
}

function typesOf({ type, anyOf = [] }: FieldSchema): Set<string> {
  return new Set([...(type === undefined ? [] : [type]), ...anyOf.flatMap((each) => [...typesOf(each)])]);
}
