import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addTriedLanguages, isCleanedFrom, writeCleanDigest } from "./clean-digest.ts";

const from = { cleanVersion: "v1", contentHash: "abc" };
const clean = (stored: string | null, languages: readonly string[]) =>
  writeCleanDigest(from, addTriedLanguages(stored, from, languages));

const means = (languages: string[], bounds = "100") => ({ languages, bounds });

describe("clean digest", () => {
  it("stands for one version of parsers and policy and for the same bytes, whatever languages there are", () => {
    const digest = writeCleanDigest(from, null);
    expect(isCleanedFrom(digest, from, means(["eng"]))).toBe(true);
    expect(isCleanedFrom(digest, { ...from, cleanVersion: "v2" }, means([]))).toBe(false);
    expect(isCleanedFrom(digest, { ...from, contentHash: "abcd" }, means([]))).toBe(false);
    expect(isCleanedFrom(null, from, means([]))).toBe(false);
  });

  it("has a recognised text tried again for a language that it was not tried with, and not for the order of languages", () => {
    const digest = clean(null, ["eng", "deu"]);
    expect(digest).toBe(clean(null, ["deu", "eng", "deu"]));
    expect(isCleanedFrom(digest, from, means(["deu", "eng"]))).toBe(true);
    expect(isCleanedFrom(digest, from, means(["eng"]))).toBe(true);
    expect(isCleanedFrom(digest, from, means([]))).toBe(true);
    expect(isCleanedFrom(digest, from, means(["eng", "fra"]))).toBe(false);
    // "deu" is no part of "deu_latf".
    expect(isCleanedFrom(clean(null, ["deu_latf"]), from, means(["deu"]))).toBe(false);
  });

  it("has a text that nobody could recognise tried again once somebody can", () => {
    const digest = clean(null, []);
    expect(isCleanedFrom(digest, from, means([]))).toBe(true);
    expect(isCleanedFrom(digest, from, means(["eng"]))).toBe(false);
  });

  it("has what the bounds refused tried again within others, and nothing else", () => {
    for (const tried of [null, ["eng", "unstructured:deu"]]) {
      const refused = writeCleanDigest(from, tried, "100");
      expect(isCleanedFrom(refused, from, means(["eng"]))).toBe(true);
      expect(isCleanedFrom(refused, from, means(["eng"], "200"))).toBe(false);
      expect(isCleanedFrom(writeCleanDigest(from, tried), from, means(["eng"], "200"))).toBe(true);
    }
    expect(addTriedLanguages(writeCleanDigest(from, ["deu"], "100"), from, ["eng"])).toEqual(["deu", "eng"]);
  });

  it("forgets what was tried with other bytes or under another version", () => {
    const before = writeCleanDigest({ ...from, contentHash: "old" }, ["fra"]);
    expect(clean(before, ["eng"])).toBe(writeCleanDigest(from, ["eng"]));
    expect(clean(writeCleanDigest({ ...from, cleanVersion: "v0" }, ["fra"]), ["eng"])).toBe(
      writeCleanDigest(from, ["eng"]),
    );
  });

  it("comes to rest under any turns of workers with any languages: each cleans a document at most once", () => {
    const language = fc.constantFrom("eng", "deu", "fra", "spa", "chi_sim");
    const workers = fc.array(fc.uniqueArray(language), { minLength: 1, maxLength: 5 });
    const turns = fc.array(fc.nat({ max: 4 }), { maxLength: 60 });
    fc.assert(
      fc.property(workers, turns, (languagesOf, order) => {
        const cleanings = languagesOf.map(() => 0);
        let digest: string | null = null;
        for (const turn of order) {
          const worker = turn % languagesOf.length;
          if (isCleanedFrom(digest, from, means(languagesOf[worker]!))) continue;
          digest = clean(digest, languagesOf[worker]!);
          cleanings[worker]! += 1;
        }
        expect(Math.max(...cleanings)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
