import { murmur3 } from "../indexing/murmur3.ts";

/**
 * Numbers in [0, 1) from a seed and a key (mulberry32, Tommy Ettinger, public domain): each key has its own sequence, so
 * that adding a document does not reshuffle the others.
 */
export function seededRandom(seed: number, key: string): () => number {
  let state = murmur3(key, seed | 0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** A shuffled copy (Fisher and Yates). */
export function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const copy = [...items];
  for (let last = copy.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [copy[last], copy[other]] = [copy[other] as T, copy[last] as T];
  }
  return copy;
}
