import { expect, it } from "vitest";
import { z } from "zod";
import { postgresConfigSchema } from "@anneal/connectors/postgres/config";
import type { JsonSchema } from "#server/connect/describe-kinds.ts";
import { exampleOf, parseJson, parseLines, parseNamed, textOfJson, textOfNamed } from "./list-text.ts";

const base = { host: "db", database: "shop", user: "reader" };
const { properties } = z.toJSONSchema(postgresConfigSchema, { io: "input" }) as JsonSchema;

it("reads tables by their names alone, and shows what was stored the same way", () => {
  const { tables } = postgresConfigSchema.parse({ ...base, tables: parseNamed("products, public.faq\n\n orders ") });
  expect(tables.map(({ name }) => name)).toEqual(["products", "public.faq", "orders"]);
  expect(textOfNamed(tables)).toBe("products\npublic.faq\norders");
});

it("takes what was typed back when it is emptied", () => {
  for (const cleared of [parseNamed(" \n"), parseLines("\n "), parseJson("  ")]) expect(cleared).toBeUndefined();
  expect(postgresConfigSchema.parse({ ...base, tables: parseNamed(""), queries: parseJson("") }).tables).toEqual([]);
});

it("keeps what is more than a name as JSON", () => {
  const { tables } = postgresConfigSchema.parse({ ...base, tables: parseNamed('[{"name": "faq", "key": ["id"]}]') });
  expect(JSON.parse(textOfNamed(tables))).toEqual(tables);
  expect(parseNamed('[{"name"')).toBe('[{"name"');
});

it("keeps a comma inside a pattern", () => {
  expect(parseLines("*.{md,txt}\n docs/** ")).toEqual(["*.{md,txt}", "docs/**"]);
});

it("gives an example that is JSON and has what an entry must have", () => {
  const [query] = JSON.parse(exampleOf(properties?.queries?.items)) as object[];
  expect(Object.keys(query!)).toEqual(["name", "sql"]);
  expect(textOfJson([])).toBe("");
});
