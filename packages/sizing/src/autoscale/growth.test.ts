import fc from "fast-check";
import { expect, it } from "vitest";
import { addGrowth, createGrowth, multipleFor } from "./growth.ts";

const learn = (ratios: readonly number[]) =>
  ratios.reduce((growth, ratio) => addGrowth(growth, ratio, 1, 1), createGrowth(0.1, 1e-6));

it("gives the least multiple that misses no more than the share asked for", () => {
  const ratio = fc.double({ min: 0.6, max: 1.9, noNaN: true });
  const missed = fc.double({ min: 0.002, max: 0.2, noNaN: true });
  fc.assert(
    fc.property(fc.array(ratio, { minLength: 5, maxLength: 60 }), missed, (ratios, share) => {
      const multiple = multipleFor(learn(ratios), share);
      const shortOf = (at: number) => ratios.reduce((sum, each) => sum + Math.max(0, each - at), 0);
      const all = ratios.reduce((sum, each) => sum + each, 0);
      // Ratios are kept to 2.5 %, so the answer is right to that.
      expect(shortOf(multiple * 1.026)).toBeLessThanOrEqual(share * all + 1e-9);
      expect(shortOf(multiple / 1.026)).toBeGreaterThanOrEqual(share * all - 1e-9);
    }),
  );
});

it("needs less the more may be missed, and less the calmer load was", () => {
  const wild = learn([0.7, 0.8, 1, 1.2, 1.5]);
  const calm = learn([0.98, 0.99, 1, 1.01, 1.02]);
  expect(multipleFor(wild, 0.01)).toBeGreaterThan(multipleFor(wild, 0.05));
  expect(multipleFor(wild, 0.01)).toBeGreaterThan(multipleFor(calm, 0.01));
});

it("does not let traffic that was cut off and came back ask for a multiple of the fleet", () => {
  const hour = Array.from({ length: 240 }, () => 1);
  expect(multipleFor(learn([...hour, ...Array.from({ length: 20 }, () => 50)]), 0.04)).toBeLessThan(1.6);
});
