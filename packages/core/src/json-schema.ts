import { z } from "zod";

/**
 * What a schema takes as JSON Schema, each pattern with the words that its schema has for what does not match
 * (`patternMessage`): these are for people, who read no regular expressions.
 */
export function toJsonSchema(schema: z.ZodType): object {
  return z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override({ zodSchema, jsonSchema }) {
      const message = patternMessageOf(zodSchema);
      if (message !== null) jsonSchema["patternMessage"] = message;
    },
  });
}

function patternMessageOf(schema: z.core.$ZodType): string | null {
  for (const { _zod: check } of schema._zod.def.checks ?? []) {
    const { def } = check;
    if (!("pattern" in def) || def.error === undefined) continue;
    const said = def.error({ code: "invalid_format", format: "regex", input: "", path: [] } as never);
    const message = typeof said === "string" ? said : said?.message;
    if (message !== undefined) return message;
  }
  return null;
}
