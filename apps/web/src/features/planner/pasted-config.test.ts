import { expect, it } from "vitest";
import { readPastedConfig } from "./pasted-config.ts";

it("takes the object of a config.json", () => {
  expect(readPastedConfig(' { "model_type": "llama" }\n')).toEqual({ config: { model_type: "llama" }, problem: null });
});

it.each([
  ["", /^Paste the model's config\.json/],
  ["{ model_type: llama }", /^This is not JSON: .*position 2/],
  ['{"a": 1', /^This is not JSON: /],
  ["[{}]", /^This is a list/],
  ["42", /^This is no object/],
  ["<!doctype html><html>", /^This is a web page/],
])("says of %j what is wrong", (text, sentence) => {
  expect(readPastedConfig(text).problem).toMatch(sentence);
});
