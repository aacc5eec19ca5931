import fc from "fast-check";
import { expect, it } from "vitest";
import { sharePassages } from "./share-passages.ts";

it("asks every document before any is asked twice", () => {
  expect(sharePassages(5, [100, 1, 0, 100])).toEqual([2, 1, 0, 2]);
  expect(sharePassages(2, [100, 100, 100])).toEqual([1, 1, 0]);
  expect(sharePassages(0, [3])).toEqual([0]);
});

it("uses the whole budget or every passage, and leaves nobody behind by more than one who could have more", () => {
  const counts = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 12 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), counts, (budget, available) => {
      const shares = sharePassages(budget, available);
      const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
      expect(sum(shares)).toBe(Math.min(budget, sum(available)));
      const most = Math.max(0, ...shares);
      for (const [index, share] of shares.entries()) {
        expect(share).toBeLessThanOrEqual(available[index]!);
        if (share < available[index]!) expect(most - share).toBeLessThanOrEqual(1);
      }
    }),
  );
});
