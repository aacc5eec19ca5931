/**
 * Counts by upper bound as Prometheus keeps them, in seconds: `counts[i]` values were at most `bounds[i]` and more than
 * the bound before; the last bound is Infinity. Not cumulative.
 */
export type Histogram = { bounds: readonly number[]; counts: readonly number[] };

/** Buckets of `vllm:time_to_first_token_seconds` and of the per-token histograms, in seconds (vllm/v1/metrics/buckets.py). */
export const vllmTtftBounds: readonly number[] = [
  0.001,
  0.005,
  0.01,
  0.02,
  0.04,
  0.06,
  0.08,
  0.1,
  0.25,
  0.5,
  0.75,
  1,
  2.5,
  5,
  7.5,
  10,
  20,
  40,
  80,
  160,
  640,
  2560,
  Infinity,
];
export const vllmTpotBounds: readonly number[] = [
  0.01,
  0.025,
  0.05,
  0.075,
  0.1,
  0.15,
  0.2,
  0.3,
  0.4,
  0.5,
  0.75,
  1,
  2.5,
  5,
  7.5,
  10,
  20,
  40,
  80,
  Infinity,
];

export function countOf(histogram: Histogram): number {
  let total = 0;
  for (const count of histogram.counts) total += count;
  return total;
}

/**
 * The value below which a share `quantile` of the counts lies, in seconds; linear inside a bucket, as Prometheus'
 * histogram_quantile does it. In the last bucket it is its lower bound. Null when nothing was counted.
 */
export function quantileOf(histogram: Histogram, quantile: number): number | null {
  const total = countOf(histogram);
  if (total <= 0) return null;
  const rank = quantile * total;
  let below = 0;
  for (const [i, count] of histogram.counts.entries()) {
    if (count > 0 && below + count >= rank) {
      const lower = i === 0 ? 0 : histogram.bounds[i - 1]!;
      const upper = histogram.bounds[i]!;
      return Number.isFinite(upper) ? lower + ((upper - lower) * (rank - below)) / count : lower;
    }
    below += count;
  }
  return histogram.bounds.at(-2) ?? null;
}

/** How many values were above `limit` seconds; linear inside the bucket that holds the limit. */
export function countAbove(histogram: Histogram, limit: number): number {
  let above = 0;
  for (const [i, count] of histogram.counts.entries()) {
    const lower = i === 0 ? 0 : histogram.bounds[i - 1]!;
    const upper = histogram.bounds[i]!;
    if (lower >= limit) above += count;
    else if (upper > limit && Number.isFinite(upper)) above += count * ((upper - limit) / (upper - lower));
    else if (upper > limit) above += count;
  }
  return above;
}
