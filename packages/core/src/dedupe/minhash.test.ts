import { describe, expect, it } from "vitest";
import { findSimilarPairs } from "./find-similar-pairs.ts";
import { estimateJaccard, MinHasher, missProbability, planBands } from "./minhash.ts";
import { defaultDedupePolicy } from "./policy.ts";
import { jaccard, shingle, Shingles } from "./shingles.ts";
import { mutateWords, randomWords, seededRandom } from "./test-corpus.ts";

const shingling = { words: 5, seed: 3 };

describe("planBands", () => {
  it("misses at most one pair in ten million at the threshold, whatever the threshold", () => {
    for (const threshold of [0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1]) {
      const { bands, rows } = planBands(threshold);
      expect(missProbability(threshold, bands, rows)).toBeLessThanOrEqual(1e-7);
      expect(bands * rows).toBeLessThanOrEqual(256);
    }
    expect(planBands(0.8)).toEqual({ bands: 41, rows: 5 });
  });
});

describe("MinHasher", () => {
  it("estimates Jaccard without bias, within its standard error", () => {
    const random = seededRandom(11);
    const hasher = new MinHasher({ bands: 41, rows: 5, seed: 5 });
    const errors = Array.from({ length: 300 }, () => {
      const base = randomWords(random, 300);
      const left = shingle(base.join(" "), shingling);
      const right = shingle(mutateWords(base, random() * 0.08, random).join(" "), shingling);
      const [a, b] = [hasher.sign(left), hasher.sign(right)];
      if (!a || !b) throw new Error("empty");
      return estimateJaccard(a, b) - jaccard(left, right);
    });
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    const spread = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length);
    // 205 minima: a standard error of at most sqrt(0.25 / 205) = 0.035 each, 0.002 for the mean of 300.
    expect(Math.abs(mean)).toBeLessThan(0.008);
    expect(spread).toBeLessThan(0.035);
  });

  it("lets similar texts of any length meet as often as the formula says", () => {
    const random = seededRandom(31);
    // Few bands, so that misses are frequent enough to be counted.
    const settings = { bands: 4, rows: 5, seed: 77 };
    const hasher = new MinHasher(settings);
    for (const [length, trials] of [
      [10, 4000],
      [40, 3000],
      [300, 2000],
    ] as const) {
      let misses = 0;
      for (let trial = 0; trial < trials; trial++) {
        // Sets of numbers with Jaccard exactly 0.8: 8 parts shared, 1 part of each alone.
        const part = length / 10;
        const pool = Array.from({ length: length }, () => Math.floor(random() * 2 ** 53));
        const left = hasher.sign(new Shingles(Float64Array.from(pool.slice(0, 9 * part))));
        const right = hasher.sign(
          new Shingles(Float64Array.from([...pool.slice(0, 8 * part), ...pool.slice(9 * part)])),
        );
        const meets = Array.from({ length: settings.bands }, (_, band) =>
          [0, 1, 2, 3, 4].every((row) => left?.[band * 5 + row] === right?.[band * 5 + row]),
        );
        if (!meets.includes(true)) misses++;
      }
      // Expected 0.204; four standard errors at 2,000 trials are 0.036.
      expect(misses / trials).toBeLessThan(missProbability(0.8, 4, 5) + 0.036);
    }
  });

  it("has no signature for a text without words", () => {
    expect(new MinHasher({ bands: 2, rows: 2, seed: 0 }).sign(shingle("...", shingling))).toBeNull();
  });
});

describe("findSimilarPairs", () => {
  it("finds every pair that comparing all with all finds, with the same similarity", () => {
    const random = seededRandom(23);
    const texts: string[] = [];
    for (let family = 0; family < 120; family++) {
      const base = randomWords(random, 20 + Math.floor(random() * 150), 900);
      texts.push(base.join(" "));
      for (let copy = 0; copy < 3; copy++) texts.push(mutateWords(base, random() * 0.06, random).join(" "));
    }
    const sets = texts.map((text) => shingle(text, { words: 5, seed: defaultDedupePolicy.seed }));
    const expected = new Map<string, number>();
    for (const [right, set] of sets.entries()) {
      for (let left = 0; left < right; left++) {
        const similarity = jaccard(sets[left] ?? set, set);
        if (similarity >= 0.8) expected.set(`${left} ${right}`, similarity);
      }
    }
    const found = new Map(findSimilarPairs(texts).map((pair) => [`${pair.left} ${pair.right}`, pair.similarity]));
    expect(expected.size).toBeGreaterThan(100);
    expect(new Map([...found].sort())).toEqual(new Map([...expected].sort()));
  });

  it("finds one character's difference in texts without spaces", () => {
    const contract =
      "本契約の有効期間は締結日から一年間とし期間満了の一箇月前までに書面による申し出がない限り自動的に更新されるものとする";
    expect(
      findSimilarPairs([contract, contract.replace("一年間", "二年間"), "全く別の内容の文書でございます"]),
    ).toMatchObject([{ left: 0, right: 1 }]);
  });
});
