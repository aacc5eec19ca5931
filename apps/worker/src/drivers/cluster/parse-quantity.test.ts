import { expect, it } from "vitest";
import { parseQuantity } from "./parse-quantity.ts";

it.each([
  ["500m", 0.5],
  ["2", 2],
  ["1.5", 1.5],
  ["64Gi", 64 * 1024 ** 3],
  ["131072Ki", 128 * 1024 ** 2],
  ["128M", 128e6],
  ["1e3", 1000],
  ["12E", 12e18],
  ["1E2", 100],
  ["100n", 1e-7],
  [".5", 0.5],
])("reads %s", (text, value) => {
  expect(parseQuantity(text)).toBeCloseTo(value, 12);
});

it("takes what is no quantity for nothing", () => {
  expect(["", "Gi", "1Gib", "0x10", undefined].map(parseQuantity)).toEqual([0, 0, 0, 0, 0]);
});
