import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAnnealError } from "../errors.ts";
import { planSplits } from "./plan-splits.ts";

const pair = (documentId: string, section = "S", index = 0) => ({
  documentId,
  index,
  source: {
    charStart: index,
    charEnd: index + 1,
    quote: "q",
    section: [section],
    page: null,
    container: null,
  },
});
const documents = (counts: number[]) =>
  counts.flatMap((count, document) => Array.from({ length: count }, (_, index) => pair(`d${document}`, "S", index)));

describe("planSplits", () => {
  it("never puts one document on both sides, leaves neither side empty, and loses nothing, for two documents or more", () => {
    const counts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(counts, fc.integer(), fc.double({ min: 0.01, max: 1, noNaN: true }), (sizes, seed, evalShare) => {
        const pairs = documents(sizes);
        const plan = planSplits(pairs, { evalShare, seed });
        const train = new Set(plan.train.map((each) => each.documentId));
        expect(plan.eval.some((each) => train.has(each.documentId))).toBe(false);
        expect(plan.train.length).toBeGreaterThan(0);
        expect(plan.eval.length).toBeGreaterThan(0);
        expect([...plan.train, ...plan.eval]).toHaveLength(pairs.length);
        expect(
          planSplits(pairs.toReversed(), { evalShare, seed })
            .eval.map((each) => each.documentId)
            .sort(),
        ).toEqual(plan.eval.map((each) => each.documentId).sort());
      }),
    );
  });

  it("comes close to the share that was asked for", () => {
    const plan = planSplits(documents(Array.from({ length: 50 }, () => 4)), {
      evalShare: 0.1,
      seed: 7,
    });
    expect(plan.eval).toHaveLength(20);
  });

  it("keeps near-duplicate documents on one side", () => {
    const pairs = documents([5, 5, 5]);
    const plan = planSplits(pairs, {
      evalShare: 0.3,
      seed: 1,
      clusterOf: (id) => (id === "d2" ? undefined : "twins"),
    });
    for (const side of [plan.train, plan.eval]) {
      const ids = new Set(side.map((each) => each.documentId));
      expect(ids.has("d0")).toBe(ids.has("d1"));
    }
  });

  it("splits a single document by section and says what that means", () => {
    const plan = planSplits([pair("d", "A"), pair("d", "B"), pair("d", "B", 1)], {
      evalShare: 0.2,
      seed: 1,
    });
    expect(plan).toMatchObject({ unit: "section", eval: [{ source: { section: ["A"] } }] });
    expect(plan.note).toContain("one document");
  });

  it("trains on all of a single section and says that there is no evaluation", () => {
    const plan = planSplits([pair("d"), pair("d", "S", 1)], { evalShare: 0.5, seed: 1 });
    expect(plan).toMatchObject({ unit: "none", eval: [] });
    expect(plan.note).toContain("no evaluation");
  });

  it("refuses an empty dataset", () => {
    let caught: unknown;
    try {
      planSplits([], { evalShare: 0.1, seed: 1 });
    } catch (error) {
      caught = error;
    }
    expect(isAnnealError(caught) && caught.code).toBe("DATASET_EMPTY");
  });
});
