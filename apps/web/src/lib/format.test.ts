import { describe, expect, it } from "vitest";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatNumber,
  formatPercent,
  formatRate,
  formatRelative,
  formatSignificant,
  missing,
} from "./format.ts";

describe("formatting", () => {
  it("shows a missing or impossible number as a dash, never as NaN", () => {
    for (const format of [formatNumber, formatSignificant, formatPercent, formatBytes, formatDuration])
      for (const value of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) expect(format(value)).toBe(missing);
    expect(formatRate(null, "documents")).toBe(missing);
  });

  it("keeps three digits that matter, whatever the size", () => {
    expect([1.8834, 0.01234, 0.00001234, 0, 12_345.6, -0.5].map(formatSignificant)).toEqual([
      "1.88",
      "0.0123",
      "1.2e-5",
      "0",
      "12,346",
      "-0.5",
    ]);
  });

  it("uses binary units for bytes", () => {
    expect([0, 1023, 1536, 269 * 1024 * 1024].map(formatBytes)).toEqual(["0 B", "1,023 B", "1.5 KiB", "269 MiB"]);
  });

  it("shows at most two units of a duration", () => {
    expect([0, 999, 4200, 59_600, 185_000, 7_800_000, 273_600_000].map(formatDuration)).toEqual([
      "0 ms",
      "999 ms",
      "4.2 s",
      "1 min 00 s",
      "3 min 05 s",
      "2 h 10 min",
      "3 d 4 h",
    ]);
  });

  it("turns a slow rate to a minute", () => {
    expect(formatRate(0.25, "steps")).toBe("15 steps/min");
    expect(formatRate(195.4, "tokens")).toBe("195 tokens/s");
  });

  it("tells past from future", () => {
    const now = new Date("2026-01-02T12:00:00Z");
    expect(formatRelative(new Date("2026-01-02T11:56:00Z"), now)).toBe("4 min ago");
    expect(formatRelative(new Date("2026-01-02T14:00:00Z"), now)).toBe("in 2 h");
    expect(formatRelative(new Date("2025-06-02T14:00:00Z"), now)).toBe("2 Jun 2025");
  });

  it("agrees the noun with the number", () => {
    expect([formatCount(0, "reply", "replies"), formatCount(1, "reply", "replies")]).toEqual(["0 replies", "1 reply"]);
  });
});
