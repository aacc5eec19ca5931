import type { Replica } from "@anneal/db/queries/serving";

/** The largest LoRA rank that every replica can load; before any has said its own, the one of the settings. */
export function smallestRankLimit(
  replicas: readonly Pick<Replica, "maxLoraRank">[],
  fallback: number | null,
): number | null {
  const ranks = replicas.flatMap((replica) => replica.maxLoraRank ?? []);
  return ranks.length > 0 ? Math.min(...ranks) : fallback;
}
