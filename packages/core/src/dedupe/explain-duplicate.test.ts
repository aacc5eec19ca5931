import { expect, it } from "vitest";
import { explainDuplicate } from "./explain-duplicate.ts";

it("says how close a copy is to what it repeats, and of near ones never that they are the same", () => {
  const hiddenIn = ["source"];
  expect(explainDuplicate({ code: "EXACT_DUPLICATE", similarity: 1, hiddenIn })).toBe(
    "The text is the same as that of a document that was seen earlier.",
  );
  expect(explainDuplicate({ code: "NEAR_DUPLICATE", similarity: 0.9996, hiddenIn })).toBe(
    "The text has a similarity of 0.99 (limit 0.80) to that of a document that was seen earlier.",
  );
});

it("says of a copy with other readers that it is found, and nothing of one that an earlier release compared", () => {
  const exact = { code: "EXACT_DUPLICATE", similarity: 1 };
  expect(explainDuplicate({ ...exact, hiddenIn: [] })).toMatch(
    / The two have other readers, so a search finds this one too\.$/,
  );
  expect(explainDuplicate(exact)).not.toContain("search");
});
