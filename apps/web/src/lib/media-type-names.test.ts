import { expect, it } from "vitest";
import { mediaTypeName } from "./media-type-names.ts";

it.each([
  ["application/pdf", "a/b.pdf", "PDF"],
  ["text/html; charset=utf-8", "x", "HTML"],
  ["application/x-unheard-of", "x.bin", "application/x-unheard-of"],
  [null, "images/tip.png", "PNG"],
  [null, "Makefile", "Unknown"],
  [null, "a.sentence with words", "Unknown"],
])("calls %j of %j %j", (mediaType, ref, name) => {
  expect(mediaTypeName(mediaType, ref)).toBe(name);
});
