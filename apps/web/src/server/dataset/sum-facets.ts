type Row = { split: string; origin: string; dropCode: string | null; count: number };

/** Counts of pairs for the filters: by split and origin among the kept ones, by reason among the dropped ones. */
export function sumFacets(rows: readonly Row[]) {
  const facets = {
    kept: 0,
    dropped: 0,
    split: {} as Record<string, number>,
    origin: {} as Record<string, number>,
    dropCode: {} as Record<string, number>,
  };
  const add = (counts: Record<string, number>, key: string, count: number) =>
    (counts[key] = (counts[key] ?? 0) + count);
  for (const { split, origin, dropCode, count } of rows) {
    if (dropCode === null) {
      facets.kept += count;
      add(facets.split, split, count);
      add(facets.origin, origin, count);
    } else {
      facets.dropped += count;
      add(facets.dropCode, dropCode, count);
    }
  }
  return facets;
}
