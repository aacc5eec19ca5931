import { expect, it } from "vitest";
import { sumFacets } from "./sum-facets.ts";

it("counts kept pairs by split and origin, and dropped ones only by their reason", () => {
  const facets = sumFacets([
    { split: "train", origin: "extracted", dropCode: null, count: 4 },
    { split: "train", origin: "generated", dropCode: null, count: 1 },
    { split: "eval", origin: "generated", dropCode: null, count: 2 },
    { split: "none", origin: "generated", dropCode: "ANSWER_UNSUPPORTED", count: 3 },
  ]);
  expect(facets).toEqual({
    kept: 7,
    dropped: 3,
    split: { train: 5, eval: 2 },
    origin: { extracted: 4, generated: 3 },
    dropCode: { ANSWER_UNSUPPORTED: 3 },
  });
});
