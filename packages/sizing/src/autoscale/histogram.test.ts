import fc from "fast-check";
import { expect, it } from "vitest";
import { countAbove, quantileOf } from "./histogram.ts";

const bounds = [0.1, 0.5, 1, 2.5, Infinity];

it("reads a quantile between the bounds of its bucket, as histogram_quantile of Prometheus does", () => {
  expect(quantileOf({ bounds, counts: [0, 0, 100, 0, 0] }, 0.5)).toBeCloseTo(0.75);
  expect(quantileOf({ bounds, counts: [90, 0, 0, 10, 0] }, 0.99)).toBeCloseTo(1 + 1.5 * 0.9);
  expect(quantileOf({ bounds, counts: [0, 0, 0, 0, 5] }, 0.99)).toBe(2.5);
  expect(quantileOf({ bounds, counts: [0, 0, 0, 0, 0] }, 0.99)).toBeNull();
});

it("never counts more than a bucket holds, however the division rounds", () => {
  // 3 * 0.1 / 0.1 is more than 3.
  expect(countAbove({ bounds, counts: [3, 0, 0, 0, 0] }, Number.MIN_VALUE)).toBe(3);
});

it("counts what is above a limit, never more than there is and fewer the higher it lies", () => {
  const counts = fc.array(fc.nat(1000), { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(counts, fc.double({ min: 0, max: 5, noNaN: true }), (values, limit) => {
      const histogram = { bounds, counts: values };
      const above = countAbove(histogram, limit);
      expect(above).toBeGreaterThanOrEqual(0);
      expect(above).toBeLessThanOrEqual(values.reduce((sum, count) => sum + count, 0));
      expect(countAbove(histogram, limit + 0.3)).toBeLessThanOrEqual(above + 1e-9);
    }),
  );
});
