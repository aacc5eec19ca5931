import { expect, it } from "vitest";
import { progressOfSync } from "#server/connect/sync-progress.ts";
import { describeDone } from "./describe-done.ts";

const rates = { documentsPerSecond: 60, bytesPerSecond: 1_024, etaMs: 20_000 };
const steps = { done: 1, total: 1, unit: "steps", ratePerSecond: null, etaMs: null, note: null };

it("says of a sync how much there is as an estimate, and nothing where the source does not tell", () => {
  const sync = (expected: number | null) =>
    describeDone(progressOfSync({ scanned: 1_200, progress: { expected, ...rates } }));
  expect(sync(2_400)).toBe("1,200 of about 2,400 documents");
  expect(sync(null)).toBe("1,200 documents");
});

it("says of work that is counted how much there is", () => {
  expect(describeDone(steps)).toBe("1 of 1 step");
  expect(describeDone({ ...steps, total: 20 })).toBe("1 of 20 steps");
});
