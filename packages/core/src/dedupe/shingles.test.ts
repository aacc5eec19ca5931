import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashText } from "./hash-text.ts";
import { jaccard, jaccardAtLeast, shingle } from "./shingles.ts";
import { countWords } from "./tokens.ts";

const options = { words: 5, seed: 7 };

/** Jaccard on the shingles themselves, as strings. */
function literalJaccard(left: string, right: string): number {
  const shingles = (text: string) => {
    const words = text.split(" ").filter(Boolean);
    const width = Math.min(5, words.length);
    return new Set(words.slice(0, words.length - width + 1).map((_, i) => words.slice(i, i + width).join(" ")));
  };
  const [a, b] = [shingles(left), shingles(right)];
  const shared = [...a].filter((one) => b.has(one)).length;
  return shared === 0 ? 0 : shared / (a.size + b.size - shared);
}

const wordText = fc
  .array(fc.constantFrom("red", "green", "blue", "iron", "oak"), { maxLength: 60, size: "max" })
  .map((words) => words.join(" "));

describe("shingles", () => {
  it("gives the Jaccard similarity of the literal shingle sets", () => {
    fc.assert(
      fc.property(wordText, wordText, (left, right) => {
        expect(jaccard(shingle(left, options), shingle(right, options))).toBe(literalJaccard(left, right));
      }),
    );
  });

  it("gives up on a pair only when its similarity is below the threshold", () => {
    fc.assert(
      fc.property(wordText, wordText, fc.constantFrom(0.2, 0.5, 0.8, 1), (left, right, threshold) => {
        const [a, b] = [shingle(left, options), shingle(right, options)];
        const similarity = jaccard(a, b);
        expect(jaccardAtLeast(a, b, threshold)).toBe(similarity >= threshold ? similarity : null);
      }),
    );
  });

  it("compares texts regardless of case, punctuation, width of characters and white space", () => {
    const plain = shingle("the pump must be serviced every six months", options).sorted;
    expect(shingle("The PUMP  must,\nbe serviced\tevery — six ｍｏｎｔｈｓ!", options).sorted).toEqual(plain);
  });

  it("counts every character as a word where a script has no spaces, and words elsewhere", () => {
    expect(countWords("請求書は三十日")).toBe(7);
    expect(countWords("สวัสดี")).toBeGreaterThan(3);
    expect(countWords("청구서는 삼십일 이내에")).toBe(3);
    expect(countWords("Die Rechnung über 12 Stück")).toBe(5);
    expect(countWords(" – … ")).toBe(0);
  });

  it("has one shingle for a text shorter than a shingle and none for a text without words", () => {
    expect(shingle("only three words", options).sorted).toHaveLength(1);
    expect(shingle("?!", options).sorted).toHaveLength(0);
  });
});

describe("hashText", () => {
  it("is SHA-256 of the text (FIPS 180-4 examples)", () => {
    expect(hashText("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(hashText("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(hashText("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).toBe(
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    );
  });

  it("ignores white space and Unicode composition and nothing else", () => {
    expect(hashText("Cafe\u0301  au\nlait ")).toBe(hashText("Café au lait"));
    expect(hashText("Balance -5")).not.toBe(hashText("Balance 5"));
    expect(hashText("Polish")).not.toBe(hashText("polish"));
  });
});
