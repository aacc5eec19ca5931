import { describe, expect, it } from "vitest";
import { formatNumber } from "./number-format.ts";

describe("formatNumber", () => {
  it.each([
    [0.1 + 0.2, 0, undefined, "0.3"],
    [1234567.891, 4, undefined, "1234567.891"],
    [0.125, 10, undefined, "12.50%"],
    [12.5, 0, "[$€-407] #,##0.00", "€12.50"],
    [12.5, 0, '#,##0.00 "€"', "12.50 €"],
    [12.5, 0, "$#,##0.00", "$12.50"],
    [3, 0, '0 "pcs"', "3"],
    [1, 0, "General", "1"],
  ])("shows %d in format %d %s as %s", (value, formatId, code, shown) => {
    expect(formatNumber(value, formatId, code, false)).toBe(shown);
  });

  // Serial numbers as Excel shows them; ECMA-376 part 1, 18.17.4.1.
  it.each([
    [46082, 14, "2026-03-01"],
    [46082.604166667, 22, "2026-03-01 14:30"],
    [0.75, 20, "18:00"],
    [5.5, 46, "132:00"],
    [61, 14, "1900-03-01"],
    [59, 14, "1900-02-28"],
    [-5, 14, "-5"],
  ])("shows serial %d in format %d as %s", (value, formatId, shown) => {
    expect(formatNumber(value, formatId, undefined, false)).toBe(shown);
  });

  it.each([
    [1 + 2 / 3, "[h]:mm", "40:00"],
    [0.5, "[hh]:mm:ss", "12:00"],
    [2 + 61 / 86_400, "[mm]:ss", "48:01:01"],
    [-0.25, "[h]:mm;[Red]-[h]:mm", "-06:00"],
  ])("shows %d days in %s as the time that it is, not as a day: %s", (value, code, shown) => {
    expect(formatNumber(value, 164, code, false)).toBe(shown);
  });

  it("counts from 1904 where the workbook does", () => {
    expect(formatNumber(0, 14, undefined, true)).toBe("00:00");
    expect(formatNumber(44620, 14, undefined, true)).toBe("2026-03-01");
  });
});
