type Point = { step: number; evalLoss: number | null; checkpoint: string | null };

/**
 * At most about `limit` points of a long series: every nth step, and always the first, the last, every evaluation and
 * every checkpoint. Steps are kept as they were measured, never averaged.
 * @param points by step, ascending
 */
export function thinMetrics<T extends Point>(points: readonly T[], limit: number): { points: T[]; every: number } {
  const every = Math.max(1, Math.ceil(points.length / limit));
  const last = points.length - 1;
  return {
    every,
    points: points.filter(
      (point, index) => index % every === 0 || index === last || point.evalLoss !== null || point.checkpoint !== null,
    ),
  };
}
