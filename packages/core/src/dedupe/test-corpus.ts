/** A small deterministic generator (mulberry32), so that a test's corpus is the same on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** `count` words drawn from a vocabulary of `vocabulary` invented ones. */
export function randomWords(random: () => number, count: number, vocabulary = 4000): string[] {
  return Array.from({ length: count }, () => `w${Math.floor(random() * vocabulary).toString(36)}`);
}

/** The words with about `share` of them replaced. */
export function mutateWords(words: readonly string[], share: number, random: () => number): string[] {
  return words.map((word) => (random() < share ? `x${Math.floor(random() * 1e6).toString(36)}` : word));
}
