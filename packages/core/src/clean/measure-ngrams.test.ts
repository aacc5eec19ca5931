import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { measureNgrams } from "./measure-ngrams.ts";

/** The definitions, spelled out. */
function topShare(words: readonly string[], n: number): number[] {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= words.length; i++) {
    const ngram = words.slice(i, i + n).join(" ");
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  const most = Math.max(0, ...counts.values());
  if (most < 2) return [0];
  // Several n-grams may be the most frequent; any of them is a right answer.
  return [...counts]
    .filter(([, count]) => count === most)
    .map(([ngram]) => Math.min(1, (ngram.replaceAll(" ", "").length * most) / words.join("").length));
}

function duplicateShare(words: readonly string[], n: number): number {
  const seen = new Set<string>();
  let repeated = 0;
  for (let i = 0; i + n <= words.length;) {
    const ngram = words.slice(i, i + n).join(" ");
    repeated += seen.has(ngram) ? ngram.replaceAll(" ", "").length : 0;
    i += seen.has(ngram) ? n : 1;
    seen.add(ngram);
  }
  return repeated / Math.max(1, words.join("").length);
}

describe("measureNgrams", () => {
  it("measures repetition as table A1 of Gopher defines it", () => {
    const words = fc.array(fc.constantFrom("a", "bb", "ccc"), { maxLength: 60, size: "max" });
    fc.assert(
      fc.property(words, (text) => {
        const { topNgramShare, duplicateNgramShare } = measureNgrams(text);
        for (const n of [2, 3, 4] as const) expect(topShare(text, n)).toContain(topNgramShare[n]);
        for (const n of [5, 7, 10] as const) expect(duplicateNgramShare[n]).toBe(duplicateShare(text, n));
      }),
    );
  });
});
