export type Random = ReturnType<typeof createRandom>;

/** Chance from a seed: Mulberry32 (Tommy Ettinger, public domain), small and the same everywhere. */
export function createRandom(seed: number) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    below,
    chance: (part: number) => next() < part,
    pick: <Item>(items: readonly Item[]): Item => items[below(items.length)]!,
  };
}
