import { expect, it } from "vitest";
import { locateSpan } from "./locate-span.ts";

const elements = [
  { start: 0, end: 5, text: "Title" },
  { start: 7, end: 36, text: "Everyone has 28 days of leave" },
];

it("trusts the stored offsets while the words there are still the same", () => {
  expect(locateSpan(elements, { charStart: 20, charEnd: 27, quote: "28  days" })).toEqual({ start: 20, end: 27 });
});

it("follows the words to where they stand now", () => {
  const moved = [
    { start: 0, end: 10, text: "A preface." },
    { start: 12, end: 41, text: "Everyone has 28 days of leave" },
  ];
  const span = locateSpan(moved, { charStart: 7, charEnd: 36, quote: "Everyone has 28 days of leave" });
  expect(span).toEqual({ start: 12, end: 41 });
});

it("marks nothing when the words are gone, rather than the wrong ones", () => {
  expect(locateSpan(elements, { charStart: 7, charEnd: 36, quote: "Everyone has 30 days of leave" })).toBeNull();
  expect(locateSpan(elements, { charStart: 0, charEnd: 0, quote: "" })).toBeNull();
});

it("matches a quote that runs over the break between two elements", () => {
  expect(locateSpan(elements, { charStart: 0, charEnd: 15, quote: "Title Everyone" })).toEqual({ start: 0, end: 15 });
});
