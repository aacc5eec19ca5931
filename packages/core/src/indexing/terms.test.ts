import { describe, expect, it } from "vitest";
import { tokeniseForSearch, tokeniseQuery, wordsOf } from "./terms.ts";

describe("tokeniseForSearch", () => {
  it("brings inflected forms of a word to one term in each language", () => {
    expect(tokeniseForSearch("returned returns", "en")).toEqual(["return", "return"]);
    expect(new Set(tokeniseForSearch("Kündigung Kündigungen", "de")).size).toBe(1);
    expect(new Set(tokeniseForSearch("remboursement remboursés", "fr")).size).toBe(1);
  });

  it("drops stopwords and contractions, and keeps negation out of the index as Snowball's lists do", () => {
    expect(tokeniseForSearch("It isn’t the pump’s valve", "en")).toEqual(["pump", "valv"]);
    expect(tokeniseForSearch("l'assurance", "fr")).toEqual(["assur"]);
  });

  it("keeps numbers, versions and part codes whole", () => {
    expect(tokeniseForSearch("vLLM 0.32.0 costs 1,200.50 on 2026-11-21, see AX200.", null)).toEqual([
      "vllm",
      "0.32.0",
      "costs",
      "1,200.50",
      "on",
      "2026-11-21",
      "see",
      "ax200",
    ]);
  });

  it("cuts scripts without spaces into words", () => {
    expect(tokeniseForSearch("退款政策", "zh").length).toBeGreaterThan(1);
  });

  it("reads a question in every language of the collection", () => {
    const terms = tokeniseQuery("Wann gilt die Kündigung?", ["de", "en", "de"]);
    expect(terms).toEqual(expect.arrayContaining(tokeniseForSearch("Kündigung", "de")));
    expect(new Set(terms).size).toBe(terms.length);
    expect(tokeniseQuery("alpha", [])).toEqual(["alpha"]);
  });

  it("gives offsets that point at the words", () => {
    const text = "A naïve café, 12:30.";
    for (const word of wordsOf(text)) expect(text.slice(word.start, word.end)).toBe(word.text);
  });
});
