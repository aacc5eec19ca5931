import { describe, expect, it } from "vitest";
import { readRobotsRules } from "./robots-rules.ts";

describe("readRobotsRules", () => {
  it.each([
    ["noindex", true, false],
    ["none", true, true],
    ["index, nofollow", false, true],
    ["annealbot: noindex", true, false],
    ["googlebot: noindex, annealbot: nofollow", false, true],
    ["otherbot: none", false, false],
    ["max-snippet: 20, noindex", true, false],
    ["unavailable_after: 25 Jun 2027 15:00:00 GMT, nofollow", false, true],
    ["max-snippet:20", false, false],
    [null, false, false],
  ])("reads %j", (value, noindex, nofollow) => {
    expect(readRobotsRules(value)).toEqual({ noindex, nofollow });
  });
});
