import { expect, it } from "vitest";
import { thinMetrics } from "./thin-metrics.ts";

const series = (length: number, evaluated: readonly number[] = []) =>
  Array.from({ length }, (_, step) => ({ step, evalLoss: evaluated.includes(step) ? 1 : null, checkpoint: null }));

it("keeps a short series whole", () => {
  expect(thinMetrics(series(5), 10)).toEqual({ points: series(5), every: 1 });
});

it("keeps the ends and every evaluation of a long series, and says how many steps it skips", () => {
  const { points, every } = thinMetrics(series(10_000, [33, 4_321]), 100);
  expect(every).toBe(100);
  expect(points.length).toBeLessThanOrEqual(103);
  expect(points.map(({ step }) => step)).toEqual(expect.arrayContaining([0, 33, 4_321, 9_999]));
});

it("has nothing to thin in an empty series", () => {
  expect(thinMetrics([], 100)).toEqual({ points: [], every: 1 });
});
