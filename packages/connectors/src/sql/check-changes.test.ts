import { expect, it } from "vitest";
import { describeChanges } from "./check-changes.ts";

const messageOf = (watermarks: Record<string, string | null>) =>
  describeChanges(
    Object.entries(watermarks).map(([name, watermark]) => ({ name, watermark })),
    "row",
  ).map(({ message }) => message)[0];

const gone = "What is gone is found by the keys, and hidden here.";
const newer = "Each sync reads rows whose watermark is new; of the others it lists keys, watermarks and owners.";

it("says of databases how changes and deletions are found with these watermarks", () => {
  expect(messageOf({ a: null, b: null })).toBe(`Each sync reads every row, and stores what is new or other. ${gone}`);
  expect(messageOf({ a: "at", b: "at" })).toBe(`${newer} ${gone}`);
  expect(messageOf({ a: "at", b: null, c: null, d: null, e: null })).toBe(
    `${newer} Of "b", "c", "d" and 1 more it reads every row: no watermark is named. ${gone}`,
  );
});

it("says nothing where there is no table", () => {
  expect(messageOf({})).toBeUndefined();
});
