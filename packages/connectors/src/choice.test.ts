import { describe, expect, it } from "vitest";
import { z } from "zod";
import { choice } from "./choice.ts";
import { connectors } from "./registry.ts";

type Field = { enum?: string[]; labels?: Record<string, string>; title?: string; description?: string };

const fieldsOf = (schema: z.ZodType): [string, Field][] =>
  Object.entries(
    (z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as { properties?: Record<string, Field> })
      .properties ?? {},
  );

it("takes the values, and carries the labels beside what is said of the field", () => {
  const schema = z.object({
    tls: choice({ on: "Always", off: "Never" }).default("on").meta({ title: "TLS" }),
  });
  expect(schema.parse({})).toEqual({ tls: "on" });
  expect(schema.safeParse({ tls: "Always" }).success).toBe(false);
  expect(fieldsOf(schema)).toEqual([
    [
      "tls",
      { type: "string", enum: ["on", "off"], labels: { on: "Always", off: "Never" }, default: "on", title: "TLS" },
    ],
  ]);
});

describe.each(connectors)("$kind", ({ configSchema }) => {
  const choices = fieldsOf(configSchema).filter(([, field]) => field.enum !== undefined);

  it("has words for each of its choices, and speaks of them by these", () => {
    for (const [name, { enum: values = [], labels = {}, description = "" }] of choices) {
      expect(Object.keys(labels), name).toEqual(values);
      for (const [value, label] of Object.entries(labels)) {
        expect(label, `${name}=${value}`).toMatch(/^[\p{Lu}\d]/u);
        expect(description, `${name}=${value}`).not.toMatch(new RegExp(`(?:^|[.;,] )${value}(?: \\([^)]*\\))?:`));
      }
    }
  });
});
