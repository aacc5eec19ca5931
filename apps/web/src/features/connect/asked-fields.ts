import { isAsked } from "@anneal/core/connect/asked-field";
import type { JsonSchema } from "#server/connect/describe-kinds.ts";

/**
 * The fields that a form asks for with what was entered so far, and no others.
 * @param schema of the settings, or of the credentials
 */
export function askedFields(schema: JsonSchema, settings: Record<string, unknown>, ofSettings: JsonSchema): JsonSchema {
  const asked = Object.entries(schema.properties ?? {}).filter(([, field]) =>
    isAsked(field, settings, ofSettings.properties ?? {}),
  );
  return { ...schema, properties: Object.fromEntries(asked) };
}

/** What was entered, without what is no longer asked for: nobody sees that it is wrong, or wants it sent. */
export function askedValues(values: Record<string, unknown>, schema: JsonSchema, asked: JsonSchema) {
  const isLeftOut = (name: string) => name in (schema.properties ?? {}) && !(name in (asked.properties ?? {}));
  return Object.fromEntries(Object.entries(values).filter(([name]) => !isLeftOut(name)));
}

/** What the form of a new source begins with: some settings are an administrator's alone, and most sources need them. */
export function suggestedValues(schema: JsonSchema, isAdministrator: boolean): Record<string, unknown> {
  const fields = Object.entries(schema.properties ?? {});
  return Object.fromEntries(
    fields.flatMap(([name, { suggested, administrator }]) =>
      suggested === undefined || (administrator === true && !isAdministrator) ? [] : [[name, suggested]],
    ),
  );
}

/** As text, to see whether anything was entered: what is empty, or as it would be if left out, is nothing. */
export function textOfValues(values: Record<string, unknown>, { properties = {} }: JsonSchema): string {
  const given = Object.entries(values)
    .map(
      ([name, value]) => [name, JSON.stringify(value ?? ""), JSON.stringify(properties[name]?.default ?? "")] as const,
    )
    .filter(([, value, unset]) => value !== unset && value !== '""')
    .map(([name, value]) => `${name}: ${value}`);
  return given.toSorted().join("\n");
}
