export type NgramMeasures = {
  /** By n = 2, 3, 4: share of the characters that the most frequent n-gram's occurrences hold. */
  topNgramShare: Record<2 | 3 | 4, number>;
  /** By n = 5 to 10: share of the characters in n-grams that occurred before; none is counted twice. */
  duplicateNgramShare: Record<5 | 6 | 7 | 8 | 9 | 10, number>;
};

/** Enough to judge by, and bounded work for a book. */
const maxWords = 20_000;
/** Ids stay below this, so that a pair of them fits a double exactly. */
const idLimit = 2 ** 26;

/** The repetition measures of Gopher, table A1, on lower-cased words. */
export function measureNgrams(allWords: readonly string[]): NgramMeasures {
  const words = allWords.slice(0, maxWords);
  const wordIds = numberDistinct(words);
  /** Characters in the words before each position. */
  const offsets = [0];
  for (const word of words) offsets.push((offsets.at(-1) ?? 0) + word.length);
  const charactersIn = (from: number, to: number) => (offsets[to] ?? 0) - (offsets[from] ?? 0);
  const total = Math.max(1, charactersIn(0, words.length));

  const measured = new Map<number, number>();
  // An n-gram is the (n - 1)-gram at its place and the word behind, so its number follows from theirs.
  let ids = wordIds;
  for (let n = 2; n <= 10; n++) {
    const shorter = ids;
    const count = Math.max(0, words.length - n + 1);
    ids = numberDistinct(
      Array.from({ length: count }, (_, i) => (shorter[i] ?? 0) * idLimit + (wordIds[i + n - 1] ?? 0)),
    );
    measured.set(
      n,
      (n <= 4 ? charactersOfTop(ids, n, charactersIn) : charactersRepeated(ids, n, charactersIn)) / total,
    );
  }
  const share = (n: number) => Math.min(1, measured.get(n) ?? 0);
  return {
    topNgramShare: { 2: share(2), 3: share(3), 4: share(4) },
    duplicateNgramShare: {
      5: share(5),
      6: share(6),
      7: share(7),
      8: share(8),
      9: share(9),
      10: share(10),
    },
  };
}

/** Equal values get equal numbers, from 0 in order of appearance. */
function numberDistinct(values: readonly (string | number)[]): number[] {
  const numbers = new Map<string | number, number>();
  return values.map((value) => {
    const known = numbers.get(value);
    if (known !== undefined) return known;
    numbers.set(value, numbers.size);
    return numbers.size - 1;
  });
}

type CharactersIn = (from: number, to: number) => number;

function charactersOfTop(ids: readonly number[], n: number, charactersIn: CharactersIn): number {
  const counts: number[] = [];
  let top = -1;
  for (const [at, id] of ids.entries()) {
    const count = (counts[id] ?? 0) + 1;
    counts[id] = count;
    if (count > 1 && (top < 0 || count > (counts[ids[top] ?? 0] ?? 0) || ids[top] === id)) top = at;
  }
  return top < 0 ? 0 : charactersIn(top, top + n) * (counts[ids[top] ?? 0] ?? 0);
}

function charactersRepeated(ids: readonly number[], n: number, charactersIn: CharactersIn): number {
  const seen: boolean[] = [];
  let repeated = 0;
  for (let at = 0; at < ids.length;) {
    const id = ids[at] ?? 0;
    if (seen[id]) {
      repeated += charactersIn(at, at + n);
      at += n;
    } else {
      seen[id] = true;
      at++;
    }
  }
  return repeated;
}
