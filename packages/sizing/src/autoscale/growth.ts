/**
 * How far load went beyond its forecast, as ratios of what came to what was expected: a histogram over their logarithm
 * that forgets slowly. It begins with a prior, so that the first hour of a service is neither blind nor reckless.
 */
export type Growth = readonly number[];

const bins = 64;
const width = 0.025;
const ratioOf = (bin: number) => Math.exp((bin + 0.5 - bins / 2) * width);

/** Log-normal around 1 with standard deviation `spread`, worth `weight` observations. */
export function createGrowth(spread: number, weight: number): Growth {
  const density = Array.from({ length: bins }, (_, bin) =>
    Math.exp(-(((bin + 0.5 - bins / 2) * width) ** 2) / (2 * spread ** 2)),
  );
  const total = density.reduce((sum, value) => sum + value, 0);
  return density.map((value) => (value / total) * weight);
}

/**
 * One more observation of this `weight`; older ones count `keep` (below 1) of what they did. A ratio beyond two is taken for
 * two: traffic that was cut off and came back is no reason to keep a multiple of the fleet.
 */
export function addGrowth(growth: Growth, ratio: number, weight: number, keep: number): Growth {
  const bounded = Math.min(Math.LN2, Math.max(-Math.LN2, Math.log(ratio)));
  const bin = Math.floor(bounded / width + bins / 2);
  return growth.map((known, i) => known * keep + (i === bin ? weight : 0));
}

/**
 * The least multiple of the forecast for which at most a share `missed` of the load lies above it, on average: the
 * newsvendor's question with the shortfall bounded, E[max(0, ratio - multiple)] <= missed x E[ratio].
 */
export function multipleFor(growth: Growth, missed: number): number {
  let all = 0;
  for (const [bin, weight] of growth.entries()) all += weight * ratioOf(bin);
  const allowed = missed * all;
  let above = 0;
  let aboveRatios = 0;
  for (let bin = bins - 1; bin >= 0; bin--) {
    const shortfall = aboveRatios - above * ratioOf(bin);
    if (shortfall > allowed) {
      // Between this bin and the one above it shortfall falls linearly by what lies above.
      return ratioOf(bin) + (shortfall - allowed) / above;
    }
    above += growth[bin]!;
    aboveRatios += growth[bin]! * ratioOf(bin);
  }
  return ratioOf(0);
}
