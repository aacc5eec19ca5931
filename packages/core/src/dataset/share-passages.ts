/**
 * Shares a budget of passages among documents: one each in turn, until the budget or a document's passages are used up
 * (max-min fairness). One long document would otherwise take it all.
 *
 * @param available passages that each document has
 * @returns how many of each are asked about, in the same order
 */
export function sharePassages(budget: number, available: readonly number[]): number[] {
  const shares = available.map(() => 0);
  let left = budget;
  let open = available.flatMap((count, index) => (count > 0 ? [index] : []));
  while (left > 0 && open.length > 0) {
    for (const index of open.slice(0, left)) shares[index]! += 1;
    left -= Math.min(left, open.length);
    open = open.filter((index) => shares[index]! < available[index]!);
  }
  return shares;
}
