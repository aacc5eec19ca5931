import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { graphqlConfigSchema, restConfigSchema, restSecretSchema } from "./config.ts";

type Property = { type?: string; enum?: string[]; anyOf?: Property[]; items?: Property; title?: string };

const propertiesOf = (schema: z.ZodType) =>
  (z.toJSONSchema(schema, { io: "input" }) as { properties: Record<string, Property> }).properties;

describe("the settings of a described API", () => {
  it.each([
    ["rest", restConfigSchema],
    ["graphql", graphqlConfigSchema],
    ["credentials", restSecretSchema],
  ])("of %s are fields with a title that a form has: text, numbers, switches, choices and lines", (_, schema) => {
    for (const [name, property] of Object.entries(propertiesOf(schema))) {
      expect(property.title, name).toMatch(/\w/);
      const core = property.anyOf?.find(({ type }) => type !== "null") ?? property;
      const drawn = core.type === "array" ? core.items?.type === "string" : core.type !== "object";
      expect(drawn, name).toBe(true);
    }
  });

  it("are taken as the documentation shows them", () => {
    const page = readFileSync(new URL("../../../../docs/connectors.md", import.meta.url), "utf8");
    const [, example] = /```json\n([^`]+)```/.exec(page) ?? [];
    expect(restConfigSchema.parse(JSON.parse(example ?? ""))).toMatchObject({ pagination: "cursor", signIn: "bearer" });
  });
});
