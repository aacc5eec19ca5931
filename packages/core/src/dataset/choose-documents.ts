/**
 * The documents that a dataset of these sources is made of, in the order given: each text once. A copy stays when the
 * document that it repeats is of a source that was not asked for, and no earlier copy of it stays.
 * @param documents oldest first
 * @param sourceIds null: every source
 */
export function chooseDocuments<T extends { id: string; sourceId: string; duplicateOf: string | null }>(
  documents: readonly T[],
  sourceIds: readonly string[] | null,
): T[] {
  const wanted = documents.filter(({ sourceId }) => sourceIds === null || sourceIds.includes(sourceId));
  const chosen = new Set(wanted.filter(({ duplicateOf }) => duplicateOf === null).map(({ id }) => id));
  return wanted.filter(({ duplicateOf }) => {
    if (duplicateOf === null) return true;
    if (chosen.has(duplicateOf)) return false;
    chosen.add(duplicateOf);
    return true;
  });
}
