import { expect, it } from "vitest";
import { refuseUnstorable } from "./refuse-unstorable.ts";

it.each([
  [{ config: { path: "/data\0/x" } }, "config.path has a NUL character"],
  [{ tags: ["fine", "\0"] }, "tags.1 has a NUL character"],
  ["\0", "The input has a NUL character"],
  [{ config: { "a\0b": 1 } }, "config.a field's name has a NUL character"],
  [{ name: "\ud800" }, "name has half of a character"],
])("names the field of %j", (input, words) => {
  expect(() => refuseUnstorable(input)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  expect(() => refuseUnstorable(input)).toThrow(words);
});

it("lets everything else through, of any language and shape", () => {
  const input = { name: "Zürich 🏔 日本\n\t", count: 0, none: null, at: new Date(0), list: [[{ deep: "ok" }]] };
  expect(() => refuseUnstorable(input)).not.toThrow();
  expect(() => refuseUnstorable(undefined)).not.toThrow();
});
