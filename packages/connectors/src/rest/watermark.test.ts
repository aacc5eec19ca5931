import { describe, expect, it } from "vitest";
import { formatServiceTime, parseServiceTime } from "./watermark.ts";

describe("times of a service", () => {
  it.each([
    ["2026-11-28T15:00:00.123Z", "2026-11-28T15:00:00.123Z"],
    ["2026-11-28T16:00:00+01:00", "2026-11-28T15:00:00.000Z"],
    ["2026-11-28", "2026-11-28"],
    [1_795_000_000, "1795000000"],
    [1_795_000_000.9, "1795000000"],
    ["1795000000", "1795000000"],
    [1_795_000_000_123, "1795000000123"],
  ])("%j is sent back as %j", (value, expected) => {
    expect(formatServiceTime(parseServiceTime(value)!)).toBe(expected);
  });

  it.each([null, undefined, "", "yesterday", "11/28/2026", "2026-99-99", 42, 2026, -1, Number.NaN, 1e20, {}, true])(
    "%j is no time",
    (value) => {
      expect(parseServiceTime(value)).toBeNull();
    },
  );
});
