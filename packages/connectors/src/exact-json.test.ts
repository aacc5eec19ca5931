import { describe, expect, it } from "vitest";
import { parseExactJson } from "./exact-json.ts";

describe("parseExactJson", () => {
  it("keeps the digits of an integer that no number holds exactly, and takes every other value as JSON means it", () => {
    const text = `{
      "id": 1234567890123456789, "below": -9007199254740993, "members": [9007199254740992, 9007199254740991],
      "text": "1234567890123456789", "half": 0.1234567890123456789, "exponent": 1e300, "small": 7, "none": null
    }`;
    expect(parseExactJson(text)).toEqual({
      id: "1234567890123456789",
      below: "-9007199254740993",
      members: ["9007199254740992", 9007199254740991],
      text: "1234567890123456789",
      half: 0.12345678901234568,
      exponent: 1e300,
      small: 7,
      none: null,
    });
    expect(parseExactJson("12345678901234567890")).toBe("12345678901234567890");
    expect(parseExactJson('{"id":1}')).toEqual({ id: 1 });
  });

  it("gives nothing for what is no JSON", () => {
    expect(parseExactJson("{")).toBeUndefined();
    expect(parseExactJson('{"id":1234567890123456789')).toBeUndefined();
  });
});
