import fc from "fast-check";
import { expect, it } from "vitest";
import { escapeReferences, expandReferences } from "./expand-references.ts";

const variables = { PORT: "8000", HOST: "node-1", EMPTY: "" };

it("puts variables into an argument", () => {
  expect(expandReferences("--url=http://$(HOST):$(PORT)/v1$(EMPTY)", variables)).toBe("--url=http://node-1:8000/v1");
});

it("leaves names that are not set, and what only looks like a reference, as they are", () => {
  const text = "$(NOBODY) $PORT ${PORT} $() $(toString) $(PORT";
  expect(expandReferences(text, variables)).toBe(text);
});

it("takes a doubled dollar for a dollar", () => {
  expect(expandReferences("$$(PORT) is $(PORT), $$$(PORT) is $$8000", variables)).toBe(
    "$(PORT) is 8000, $8000 is $8000",
  );
});

it("gives back any text that was escaped", () => {
  fc.assert(fc.property(fc.string(), (text) => expandReferences(escapeReferences(text), variables) === text));
});
