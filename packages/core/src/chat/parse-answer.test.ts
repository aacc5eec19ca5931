import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatQuote, parseAnswer, verifyQuote } from "./parse-answer.ts";
import { passages } from "./passages.fixture.ts";
import { readPassages } from "./support.ts";

describe("parseAnswer", () => {
  it("reads back what training wrote, for any passage sentence", () => {
    const sentence = fc
      .string({ minLength: 1, maxLength: 80 })
      .filter((text) => /[\p{L}\p{N}]/u.test(text) && !/["“”„«»[\]]/u.test(text));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), sentence, (number, quote) => {
        const parsed = parseAnswer(`Yes, 30 days.\n${formatQuote(number, quote)}`);
        expect(parsed).toEqual({
          answer: "Yes, 30 days.",
          quotes: [{ number, text: quote.replace(/\s+/g, " ").trim() }],
          citedNumbers: [number],
        });
      }),
    );
  });

  it("takes marks out of sentences and tolerates curly, missing and inline quotes", () => {
    expect(parseAnswer("It is blue [2]. It hums [1, 3].\n[2]: “It is blue.”")).toEqual({
      answer: "It is blue. It hums.",
      quotes: [{ number: 2, text: "It is blue." }],
      citedNumbers: [1, 2, 3],
    });
    expect(parseAnswer('It is blue. [1] "It is blue and cut off').quotes).toEqual([
      { number: 1, text: "It is blue and cut off" },
    ]);
  });
});

describe("verifyQuote", () => {
  const documents = readPassages([passages.returns, passages.travel]);

  it("finds a copied sentence whatever its spacing, case and punctuation", () => {
    expect(
      verifyQuote("flights need  approval by the Head of Department", documents).map((unit) => unit.display),
    ).toEqual(["Flights need approval by the head of department."]);
  });

  it("does not find a changed or a two-word quote", () => {
    expect(verifyQuote("Flights need approval by the head of finance.", documents)).toEqual([]);
    expect(verifyQuote("30 days", documents)).toEqual([]);
  });
});
