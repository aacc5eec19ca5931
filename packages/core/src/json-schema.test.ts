import { expect, it } from "vitest";
import { z } from "zod";
import { toJsonSchema } from "./json-schema.ts";

it("says with a pattern what its schema says of what does not match", () => {
  const schema = z.object({
    path: z.string().min(1).startsWith("/", "must be an absolute path").meta({ title: "Folder" }),
    domain: z
      .string()
      .regex(/^[^@]+$/, "A domain such as example.com")
      .nullable()
      .default(null),
    code: z.string().regex(/^[a-z]+$/),
    list: z.array(z.string().regex(/=/, "Write it as name=value.")),
  });
  expect(toJsonSchema(schema)).toMatchObject({
    properties: {
      path: { title: "Folder", patternMessage: "must be an absolute path" },
      domain: { anyOf: [{ patternMessage: "A domain such as example.com" }, { type: "null" }] },
      code: expect.not.objectContaining({ patternMessage: expect.anything() }),
      list: { items: { patternMessage: "Write it as name=value." } },
    },
  });
});
