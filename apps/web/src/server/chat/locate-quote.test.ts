import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { locateQuote } from "./locate-quote.ts";

describe("locateQuote", () => {
  it("finds a quote at its own place even when it occurs earlier too", () => {
    expect(locateQuote("two years. Later: two years.", "two years", 18)).toEqual({ kind: "exact", start: 18, end: 27 });
  });

  it("follows a quote that an edit has moved, to the occurrence nearest to its old place", () => {
    expect(locateQuote("a b ---------- b c", "b", 14)).toEqual({ kind: "moved", start: 15, end: 16 });
    expect(locateQuote("a b ---------- c", "b", 14)).toEqual({ kind: "moved", start: 2, end: 3 });
  });

  it("says when a quote is gone, rather than marking something else", () => {
    expect(locateQuote("three years", "two years", 0)).toEqual({ kind: "gone" });
    expect(locateQuote("anything", "", 3)).toEqual({ kind: "gone" });
  });

  it("only ever marks the quote's own words", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string({ minLength: 1 }), fc.nat(40), (head, tail, quote, charStart) => {
        const text = head + quote + tail;
        const place = locateQuote(text, quote, charStart);
        expect(place.kind).not.toBe("gone");
        if (place.kind !== "gone") expect(text.slice(place.start, place.end)).toBe(quote);
      }),
    );
  });
});
