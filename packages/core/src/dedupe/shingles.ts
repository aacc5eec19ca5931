import { hashWords, mix } from "./tokens.ts";

export type ShingleOptions = {
  /** Words in a shingle (characters, in scripts written without spaces). */
  words: number;
  /** Any 32-bit number; the same for everything that is ever compared. */
  seed: number;
};

/**
 * The set of a text's word shingles as 53-bit hashes. A text shorter than one shingle is one shingle; a text without
 * words is the empty set.
 *
 * Hashing keeps Jaccard exact in practice: two different shingles among 2,000 fall together with probability 2e-10.
 */
export class Shingles {
  #hashes: Float64Array;
  #isSet = false;

  /** @param hashes in any order, with repetitions; taken over, not copied. */
  constructor(hashes: Float64Array) {
    this.#hashes = hashes;
  }

  /** Every member at least once: enough to sign by, and nothing had to be sorted for it. */
  get hashes(): Float64Array {
    return this.#hashes;
  }

  /** Every member once, ascending. Made when first asked for: few texts are ever compared with another. */
  get sorted(): Float64Array {
    if (this.#isSet) return this.#hashes;
    const hashes = this.#hashes.sort();
    let kept = 0;
    for (let i = 0; i < hashes.length; i++) {
      if (i === 0 || hashes[i] !== hashes[i - 1]) hashes[kept++] = hashes[i] as number;
    }
    this.#hashes = kept === hashes.length ? hashes : hashes.slice(0, kept);
    this.#isSet = true;
    return this.#hashes;
  }
}

const lowBase = 0x2c1b3c6d;
const highBase = 0x297a2d39;

export function shingle(text: string, options: ShingleOptions): Shingles {
  const { low, high, count } = hashWords(text, options.seed);
  if (count === 0) return new Shingles(new Float64Array(0));
  const width = Math.min(options.words, count);
  // Rolling polynomial hash: leaving word times base^(width - 1) out, entering word in.
  let lowTop = 1;
  let highTop = 1;
  for (let i = 1; i < width; i++) {
    lowTop = Math.imul(lowTop, lowBase);
    highTop = Math.imul(highTop, highBase);
  }
  const keys = new Float64Array(count - width + 1);
  let a = 0;
  let b = 0;
  for (let i = 0; i < count; i++) {
    if (i >= width) {
      a = (a - Math.imul(low[i - width] as number, lowTop)) | 0;
      b = (b - Math.imul(high[i - width] as number, highTop)) | 0;
    }
    a = (Math.imul(a, lowBase) + (low[i] as number)) | 0;
    b = (Math.imul(b, highBase) + (high[i] as number)) | 0;
    if (i >= width - 1) keys[i - width + 1] = (mix(b) >>> 11) * 0x1_0000_0000 + (mix(a) >>> 0);
  }
  return new Shingles(keys);
}

/** |A ∩ B| / |A ∪ B|; 0 when either is empty, because nothing is known to be shared. */
export function jaccard(left: Shingles, right: Shingles): number {
  return jaccardAtLeast(left, right, 0) ?? 0;
}

/** The exact Jaccard similarity, or null as soon as it is certain to stay below `threshold`. */
export function jaccardAtLeast(leftSet: Shingles, rightSet: Shingles, threshold: number): number | null {
  const left = leftSet.sorted;
  const right = rightSet.sorted;
  const total = left.length + right.length;
  // shared / (total - shared) >= threshold, solved for shared; the last line decides ties without rounding.
  const needed = Math.ceil((threshold * total) / (1 + threshold) - 1e-6);
  let leftSpare = left.length - needed;
  let rightSpare = right.length - needed;
  let shared = 0;
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    const a = left[i] as number;
    const b = right[j] as number;
    if (a === b) {
      shared++;
      i++;
      j++;
    } else if (a < b) {
      i++;
      if (--leftSpare < 0) return null;
    } else {
      j++;
      if (--rightSpare < 0) return null;
    }
  }
  const similarity = shared === 0 ? 0 : shared / (total - shared);
  return similarity >= threshold ? similarity : null;
}
