import fc from "fast-check";
import { expect, it } from "vitest";
import { planServing } from "./oracle.ts";

/** What a plan costs: replicas, starts, and load that is not served in time. */
function costOf(serving: ArrayLike<number>, load: readonly number[], capacity: number, start: number, price: number) {
  let cost = 0;
  for (const [k, value] of load.entries()) {
    const more = k === 0 ? 0 : Math.max(0, serving[k]! - serving[k - 1]!);
    cost += serving[k]! + start * more + price * Math.max(0, value - capacity * serving[k]!);
  }
  return cost;
}

it("finds the cheapest of all plans", () => {
  const load = fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      load,
      fc.integer({ min: 0, max: 4 }),
      fc.double({ min: 0.3, max: 8, noNaN: true }),
      (values, start, price) => {
        const found = costOf(planServing(values, 0.9, start, price), values, 0.9, start, price);
        let least = Infinity;
        for (let code = 0; code < 4 ** values.length; code++) {
          const plan = values.map((_, k) => 1 + (Math.floor(code / 4 ** k) % 4));
          least = Math.min(least, costOf(plan, values, 0.9, start, price));
        }
        expect(found).toBeCloseTo(least, 6);
      },
    ),
    { numRuns: 60 },
  );
});

it("bridges a dip that is shorter than a start, and gives replicas up for a longer one", () => {
  const load = [...Array(10).fill(2.7), ...Array(6).fill(0.9), ...Array(10).fill(2.7)] as number[];
  expect(Math.min(...planServing(load, 0.9, 8, 100))).toBe(3);
  expect(Math.min(...planServing(load, 0.9, 4, 100))).toBe(1);
});
