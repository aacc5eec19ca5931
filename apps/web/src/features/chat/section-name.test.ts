import { describe, expect, it } from "vitest";
import { sectionName } from "./section-name.ts";

describe("sectionName", () => {
  it.each([
    ["Handbook", "Handbook > Leave > Sickness", "Leave > Sickness"],
    ["Handbook", "Handbook", null],
    ["Handbook", "Handbooks > Leave", "Handbooks > Leave"],
    ["Handbook", "Leave", "Leave"],
    ["Handbook", null, null],
  ])("beside the title %s, %s reads %s", (title, section, shown) => {
    expect(sectionName(title, section)).toBe(shown);
  });
});
