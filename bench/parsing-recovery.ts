/** Characters of the words and numbers that were written, and of those that were found again. */
export type Recovery = { written: number; found: number; inOrder: number };

/**
 * Found: each word counted as often as it was written, wherever it stands; what is read twice does not count twice. In
 * order: of the longest sequence of words that both have, so that a column read before the one on its left, or a table
 * before what introduces it, costs what it moved.
 */
export function measureRecovery(text: string, truth: string): Recovery {
  const [read, wrote] = [wordsOf(text), wordsOf(truth)];
  const left = new Map<string, number>();
  for (const word of read) left.set(word, (left.get(word) ?? 0) + 1);
  const recovery: Recovery = { written: 0, found: 0, inOrder: commonSequence(wrote, read) };
  for (const word of wrote) {
    recovery.written += word.length;
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    recovery.found += word.length;
  }
  return recovery;
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Characters of the longest common subsequence of words, by the usual table of which one row is kept. */
function commonSequence(a: readonly string[], b: readonly string[]): number {
  const most = Math.min(a.length, b.length);
  let start = 0;
  while (start < most && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < most - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const rest = b.slice(start, b.length - end);
  const row = new Int32Array(rest.length + 1);
  for (const word of a.slice(start, a.length - end)) {
    let diagonal = 0;
    for (const [at, other] of rest.entries()) {
      const above = row[at + 1]!;
      row[at + 1] = Math.max(above, row[at]!, word === other ? diagonal + word.length : 0);
      diagonal = above;
    }
  }
  const same = [...a.slice(0, start), ...a.slice(a.length - end)];
  return same.reduce((sum, word) => sum + word.length, row[rest.length]!);
}
