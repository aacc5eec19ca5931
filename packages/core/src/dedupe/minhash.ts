import type { Shingles } from "./shingles.ts";
import { mix } from "./tokens.ts";

/**
 * How similar texts find each other. Two sets of Jaccard similarity J share a band with probability
 * 1 - (1 - J^rows)^bands (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, 3.4).
 */
export type LshOptions = { bands: number; rows: number; seed: number };

/** Chance that two texts of the given similarity never meet. */
export function missProbability(similarity: number, bands: number, rows: number): number {
  return (1 - similarity ** rows) ** bands;
}

/** A pair exactly at the threshold is missed at most this often; one above it, less. */
const acceptedMiss = 1e-7;
const maxBins = 256;

/**
 * The most selective split that keeps the miss probability at the threshold within 1e-7 and the signature within
 * 256 minima: 41 bands of 5 rows at 0.8, where a pair at J = 0.3 is looked at (and rejected exactly) in 9% of cases.
 */
export function planBands(threshold: number): { bands: number; rows: number } {
  let plan = { bands: maxBins, rows: 1 };
  for (let rows = 1; rows <= 32; rows++) {
    const bands = threshold >= 1 ? 1 : Math.ceil(Math.log(acceptedMiss) / Math.log1p(-(threshold ** rows)));
    if (bands * rows > maxBins) break;
    plan = { bands, rows };
  }
  return plan;
}

/** One minimum per bin, `bands * rows` of them. */
export type Signature = Int32Array;

/**
 * Signs shingle sets by Fast Similarity Sketching (Dahlgaard, Knudsen, Thorup, FOCS 2017, arXiv:1704.04370): in round
 * i every shingle is thrown into one bin, a bin keeps the least hash of the first round that reaches it, and rounds go on
 * until no bin is empty. Two sets agree in a bin with probability J, as with one permutation per bin, but signing
 * takes about n + bins * log(bins) steps instead of n * bins.
 */
export class MinHasher {
  readonly size: number;
  readonly #seed: number;
  #values = new Int32Array(1024);
  readonly #filled: Uint16Array;

  constructor(options: LshOptions) {
    this.size = options.bands * options.rows;
    this.#seed = mix(options.seed ^ 0x5bd1e995);
    this.#filled = new Uint16Array(this.size);
  }

  /** @returns null for the empty set, which resembles nothing. */
  sign(shingles: Shingles): Signature | null {
    const { hashes } = shingles;
    const count = hashes.length;
    if (count === 0) return null;
    if (this.#values.length < count) this.#values = new Int32Array(count * 2);
    const values = this.#values;
    // Conversion to 32 bits takes the number modulo 2^32: the key's low lane.
    for (let i = 0; i < count; i++) values[i] = hashes[i] as number;

    const { size } = this;
    const signature = new Int32Array(size);
    // The round that filled each bin, from 1; 0 for a bin that is still empty.
    const filled = this.#filled.fill(0);
    let empty = size;
    for (let round = 1; empty > 0; round++) {
      const roundSeed = Math.imul(this.#seed + round, 0x9e3779b1);
      for (let i = 0; i < count; i++) {
        const hash = mix((values[i] as number) ^ roundSeed);
        // From round `size` on each round serves one bin, so that the smallest sets come to an end too.
        const bin = round <= size ? Math.floor((hash >>> 0) * (size / 0x1_0000_0000)) : round - size - 1;
        const since = filled[bin] as number;
        if (since !== 0 && since !== round) continue;
        // The bin used up the hash's high bits; multiplication orders its members by the low ones.
        const value = Math.imul(hash, 0x85ebca6b);
        if (since === 0) {
          filled[bin] = round;
          empty--;
          signature[bin] = value;
        } else if (value < (signature[bin] as number)) signature[bin] = value;
      }
    }
    return signature;
  }
}

/** The share of equal minima: an unbiased estimate of Jaccard with standard error at most sqrt(J (1 - J) / size). */
export function estimateJaccard(left: Signature, right: Signature): number {
  let equal = 0;
  for (let i = 0; i < left.length; i++) if (left[i] === right[i]) equal++;
  return equal / left.length;
}

/** An estimate below this rules the threshold out: six standard errors, so one pair in a billion is lost to it. */
export function estimateFloor(threshold: number, size: number): number {
  return threshold - 6 * Math.sqrt((threshold * (1 - threshold)) / size);
}
