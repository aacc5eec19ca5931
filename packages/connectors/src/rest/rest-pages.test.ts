import { describe, expect, it } from "vitest";
import { addressOf, nextLink, splitAssignment } from "./rest-pages.ts";

describe("nextLink", () => {
  it.each([
    [
      '<https://x.example/a?page=2>; rel="next", <https://x.example/a?page=9>; rel="last"',
      "https://x.example/a?page=2",
    ],
    ['<https://x.example/1>; rel="prev", </a?ids=1,2>; rel=next', "/a?ids=1,2"],
    ['<b>; title="a, b"; rel="last next"', "b"],
    ['<c>;rel="NEXT"', "c"],
    ['<https://x.example/a>; rel="last"', null],
    ['<x>; title="rel=next"', null],
    ["", null],
    [null, null],
  ])("%j leads to %j", (header, expected) => {
    expect(nextLink(header)).toBe(expected);
  });
});

describe("addressOf", () => {
  it.each([
    ["https://x.example/v2", "", "https://x.example/v2"],
    ["https://x.example/v2", "items", "https://x.example/v2/items"],
    ["https://x.example/v2/", "/items?a=1", "https://x.example/v2/items?a=1"],
    ["https://x.example/v2", "?a=1", "https://x.example/v2?a=1"],
    ["https://x.example/v2", "//evil.example/x", "https://x.example/v2/evil.example/x"],
    ["https://x.example/v2", "https://files.example/1", "https://files.example/1"],
  ])("joins %j and %j", (base, path, expected) => {
    expect(addressOf(base, path)).toBe(expected);
  });
});

describe("splitAssignment", () => {
  it("splits at the first equals sign", () => {
    expect(splitAssignment("filter=a=b")).toEqual(["filter", "a=b"]);
    expect(splitAssignment("empty=")).toEqual(["empty", ""]);
  });
});
