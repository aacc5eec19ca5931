import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultBm25, sparseDocumentVector, sparseQueryVector } from "./bm25.ts";
import { murmur3 } from "./murmur3.ts";

describe("murmur3", () => {
  it("agrees with the reference implementation", () => {
    // Vectors of the reference C++ code, as published with its ports.
    expect(murmur3("")).toBe(0);
    expect(murmur3("", 1)).toBe(0x514e28b7);
    expect(murmur3("hello")).toBe(0x248bfa47);
    expect(murmur3("hello, world")).toBe(0x149bbb7f);
    expect(murmur3("The quick brown fox jumps over the lazy dog")).toBe(0x2e4ff723);
  });
});

describe("sparse vectors", () => {
  it("weighs a term in a document of average length by tf * (k1 + 1) / (tf + k1)", () => {
    const tokens = ["pump", "pump", ...Array.from({ length: defaultBm25.avgLength - 2 }, (_, index) => `w${index}`)];
    const vector = sparseDocumentVector(tokens);
    const weight = vector.values[vector.indices.indexOf(murmur3("pump"))];
    expect(weight).toBeCloseTo((2 * 2.2) / (2 + 1.2), 10);
  });

  it("weighs the same term less in a longer document", () => {
    const short = sparseDocumentVector(["pump"]).values[0] ?? 0;
    const long = sparseDocumentVector(["pump", ...Array.from({ length: 400 }, () => "other")]);
    expect(long.values[long.indices.indexOf(murmur3("pump"))]).toBeLessThan(short);
  });

  it("has ascending, distinct 32-bit indices and positive finite values for any tokens", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (tokens) => {
        for (const vector of [sparseDocumentVector(tokens), sparseQueryVector(tokens)]) {
          expect(vector.indices).toEqual([...new Set(vector.indices)].sort((left, right) => left - right));
          expect(vector.values.length).toBe(vector.indices.length);
          expect(vector.indices.every((index) => Number.isInteger(index) && index >= 0 && index < 2 ** 32)).toBe(true);
          expect(vector.values.every((value) => Number.isFinite(value) && value > 0)).toBe(true);
        }
      }),
    );
  });

  it("counts a repeated query term once", () => {
    expect(sparseQueryVector(["a", "a", "b"]).values).toEqual([1, 1]);
  });
});
