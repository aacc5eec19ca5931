import { AnnealError } from "../errors.ts";
import type { SparseVector } from "./bm25.ts";
import { type ChunkPayload, denseVectorName, sparseVectorName } from "./payload.ts";

type Field = keyof ChunkPayload;
type Condition = { key: Field; match: { value: string | boolean } } | { key: Field; match: { any: string[] } };
export type RetrievalFilter = { must: Condition[]; must_not: Condition[] };

type Leg = {
  using: string;
  query: number[] | SparseVector;
  filter: RetrievalFilter;
  limit: number;
};

/** Body of Qdrant's `POST /collections/{name}/points/query`. */
export type RetrievalQuery = {
  prefetch: Leg[];
  query: { fusion: "rrf" };
  /** The fused stage repeats the filter, so that no leg added later can forget it. */
  filter: RetrievalFilter;
  limit: number;
  with_payload: true;
  /** Fusion returns ranks, not similarities: the relevance decision computes the cosine from the vector itself. */
  with_vector: [typeof denseVectorName];
};

export type RetrievalRequest = {
  dense: number[];
  sparse: SparseVector;
  workspaceId: string;
  /** Every `principalKey` that the reader holds. */
  holderKeys: readonly string[];
  /** Only these sources; undefined means every source, an empty list means none. */
  sourceIds?: readonly string[];
  /** What the index has not been told of yet: it would only take the places of what the reader may see. */
  without?: { sourceIds: readonly string[]; documentIds: readonly string[] };
  /** Passages wanted. */
  limit: number;
  /** Candidates of each leg; default 4 x limit, at least 20, so that fusion has something to reorder. */
  candidates?: number;
};

/**
 * Who may see what, as a filter: allowed by at least one key that the reader holds, denied by none, in the workspace,
 * not a copy of what the same search finds elsewhere. Qdrant matches nothing against an empty `any` list.
 * @throws AnnealError FORBIDDEN for a reader who holds no key: such a reader is not signed in, and may see nothing.
 */
export function buildPermissionFilter(
  request: Pick<RetrievalRequest, "workspaceId" | "holderKeys" | "sourceIds" | "without">,
): RetrievalFilter {
  const { workspaceId, holderKeys, sourceIds, without = { sourceIds: [], documentIds: [] } } = request;
  const leaveOut = (key: Field, ids: readonly string[]): Condition[] =>
    ids.length === 0 ? [] : [{ key, match: { any: [...ids] } }];
  if (workspaceId === "" || holderKeys.length === 0) {
    throw new AnnealError("FORBIDDEN", "The search was asked for by nobody.", {
      action: "Sign in, or use an API key of a member of the workspace.",
    });
  }
  const any = [...new Set(holderKeys)].sort();
  return {
    must: [
      { key: "workspace_id", match: { value: workspaceId } },
      { key: "acl_allow", match: { any } },
      ...(sourceIds ? [{ key: "source_id", match: { any: [...sourceIds] } } satisfies Condition] : []),
    ],
    must_not: [
      { key: "acl_deny", match: { any } },
      sourceIds ? { key: "hidden_in", match: { any: [...sourceIds] } } : { key: "hidden", match: { value: true } },
      ...leaveOut("source_id", without.sourceIds),
      ...leaveOut("document_id", without.documentIds),
    ],
  };
}

/** Dense and BM25 legs, each behind the permission filter, fused by reciprocal rank. A question without terms has one leg. */
export function buildRetrievalQuery(request: RetrievalRequest): RetrievalQuery {
  const filter = buildPermissionFilter(request);
  const limit = request.candidates ?? Math.max(20, request.limit * 4);
  const legs: Leg[] = [{ using: denseVectorName, query: request.dense, filter, limit }];
  if (request.sparse.indices.length > 0) legs.push({ using: sparseVectorName, query: request.sparse, filter, limit });
  return {
    prefetch: legs,
    query: { fusion: "rrf" },
    filter,
    limit: request.limit,
    with_payload: true,
    with_vector: [denseVectorName],
  };
}

/** Cosine of two vectors of equal length; 0 when either is zero. */
export function cosineSimilarity(left: readonly number[], right: readonly number[]): number {
  let dot = 0;
  let leftSquares = 0;
  let rightSquares = 0;
  for (const [index, value] of left.entries()) {
    const other = right[index] ?? 0;
    dot += value * other;
    leftSquares += value * value;
    rightSquares += other * other;
  }
  const norm = Math.sqrt(leftSquares * rightSquares);
  return norm === 0 ? 0 : dot / norm;
}
