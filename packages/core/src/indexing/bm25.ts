import { murmur3 } from "./murmur3.ts";

/** Qdrant's sparse vector: ascending, distinct 32-bit indices and their weights. */
export type SparseVector = { indices: number[]; values: number[] };

export type Bm25Options = {
  /** Saturation of repeated terms; 1.2 is Lucene's, Elasticsearch's and Qdrant's default. */
  k1: number;
  /** Share of length normalisation, 0 to 1; 0.75 likewise. */
  b: number;
  /** Average document length in terms. A constant near the chunk size keeps old points valid as the corpus grows. */
  avgLength: number;
};

/** A 180-token chunk holds about 90 terms once stopwords are gone. */
export const defaultBm25: Bm25Options = { k1: 1.2, b: 0.75, avgLength: 90 };

/**
 * The document's half of BM25 (Robertson and Zaragoza 2009): tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / avgLength)).
 * The other half, the inverse document frequency, is applied by the engine to a sparse vector with modifier "idf".
 * Terms whose hashes collide share an index and add up.
 */
export function sparseDocumentVector(tokens: readonly string[], options: Bm25Options = defaultBm25): SparseVector {
  const { k1, b, avgLength } = options;
  const counts = new Map<string, number>();
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  const norm = k1 * (1 - b + (b * tokens.length) / avgLength);
  return toSparseVector([...counts].map(([token, count]) => [token, (count * (k1 + 1)) / (count + norm)]));
}

/** Weight 1 for every distinct term. */
export function sparseQueryVector(tokens: readonly string[]): SparseVector {
  return toSparseVector([...new Set(tokens)].map((token) => [token, 1]));
}

function toSparseVector(weights: [string, number][]): SparseVector {
  const byIndex = new Map<number, number>();
  for (const [token, weight] of weights) {
    const index = murmur3(token);
    byIndex.set(index, (byIndex.get(index) ?? 0) + weight);
  }
  const sorted = [...byIndex].sort(([left], [right]) => left - right);
  return { indices: sorted.map(([index]) => index), values: sorted.map(([, value]) => value) };
}
