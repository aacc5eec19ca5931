import { describe, expect, it } from "vitest";
import { maskToday } from "./mask-today.ts";

const now = new Date("2026-11-28T10:00:00Z");

describe("maskToday", () => {
  it.each([
    ["Saturday, November 28, 2026", null],
    ["28 November 2026", null],
    ["Nov 28, 2026", null],
    ["2026-11-28", null],
    ["2026-11-28T09:41:07Z", null],
    ["28.11.2026, 9:41 Uhr", "de"],
    ["Samstag, 28. November 2026", "de"],
    ["samedi 28 novembre 2026", "fr"],
    ["11/28/2026 9:41 a.m.", null],
    // A clock that is ahead of ours.
    ["29 November 2026", null],
  ])("takes %j out", (text, language) => {
    expect(maskToday(`Now: ${text}.`, now, language)).toBe("Now: #.");
  });

  it("leaves every other date and number", () => {
    const text = "On 2026-12-24, 5 May 2026, 128.11.2026 and 28 November 2025 at 12:00, 100:30 to one.";
    expect(maskToday(text, now, "en")).toBe(text);
  });

  it("lives with a language that nobody knows", () => {
    expect(maskToday("28 November 2026", now, "x_not a language")).toBe("#");
  });
});
