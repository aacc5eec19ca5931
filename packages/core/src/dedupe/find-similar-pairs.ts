import { BandTable } from "./band-table.ts";
import { estimateFloor, estimateJaccard, MinHasher, planBands, type Signature } from "./minhash.ts";
import { defaultDedupePolicy, type DedupePolicy } from "./policy.ts";
import { jaccardAtLeast, shingle, type Shingles } from "./shingles.ts";

export type SimilarPair = { left: number; right: number; similarity: number };

/**
 * Every pair of texts whose exact Jaccard similarity reaches the threshold, by position (`left` < `right`). For
 * reports and benchmarks: a group of n copies has n²/2 pairs, which `NearDuplicateIndex` never enumerates.
 */
export function findSimilarPairs(texts: Iterable<string>, policy: DedupePolicy = defaultDedupePolicy): SimilarPair[] {
  const settings = { ...(policy.lsh ?? planBands(policy.threshold)), seed: policy.seed };
  const hasher = new MinHasher(settings);
  const floor = estimateFloor(policy.threshold, hasher.size);
  const table = new BandTable<{ position: number; signature: Signature; shingles: Shingles }>(settings);
  const pairs: SimilarPair[] = [];
  let right = -1;
  for (const text of texts) {
    right++;
    const shingles = shingle(text, { words: policy.shingleWords, seed: policy.seed });
    const signature = hasher.sign(shingles);
    if (!signature) continue;
    for (const other of table.candidates(signature)) {
      if (estimateJaccard(other.signature, signature) < floor) continue;
      const similarity = jaccardAtLeast(other.shingles, shingles, policy.threshold);
      if (similarity !== null) pairs.push({ left: other.position, right, similarity });
    }
    table.insert(signature, { position: right, signature, shingles });
  }
  return pairs;
}
