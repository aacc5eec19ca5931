import type { MemoryTarget } from "./memory-target.ts";

/** What the last sync told on its way of how much there is. */
export function progressOf({ changes }: MemoryTarget): { total: number | null; listsAll: boolean }[] {
  const checkpoints = changes.flatMap((change) => (change.type === "checkpoint" ? [change] : []));
  return checkpoints.slice(0, -1).map(({ total, listsAll = false }) => ({ total, listsAll }));
}
