import { expect, it } from "vitest";
import { smooth } from "./smooth.ts";

it("begins at the first value and leaves what does not change as it is", () => {
  expect(smooth([3, 3, 3], 0.9)).toEqual([3, 3, 3].map((value) => expect.closeTo(value, 12)));
});

it("weighs what is older less: two values at a half are averaged as one to two", () => {
  expect(smooth([0, 3], 0.5)[1]).toBeCloseTo(2, 12);
});

it("smooths nothing at weight 0, and has nothing to say of nothing", () => {
  expect(smooth([1, 5, 2], 0)).toEqual([1, 5, 2]);
  expect(smooth([], 0.9)).toEqual([]);
});
