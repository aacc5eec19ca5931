/** Below it an estimate says more of where a sync began than of how much there is. */
const leastShare = 0.02;

/**
 * About how many documents there are, by the share of the source that was gone through for those which were met so far.
 *
 * @param share from 0 to 1
 * @returns null while the share is too small to tell by
 */
export function estimateTotal(scanned: number, share: number): number | null {
  if (share < leastShare) return null;
  return Math.max(scanned, Math.round(scanned / share));
}
