import { mayRead } from "@anneal/core/access/acl";
import { passageFromPayload, type Passage } from "@anneal/core/chat/passage";
import { sparseQueryVector } from "@anneal/core/indexing/bm25";
import { mayReadPayload } from "@anneal/core/indexing/payload";
import { buildRetrievalQuery, cosineSimilarity } from "@anneal/core/indexing/retrieval-query";
import { tokeniseQuery } from "@anneal/core/indexing/terms";
import { listRemovedOf } from "@anneal/db/queries/sources";
import { getChunksForCitation } from "@anneal/db/queries/indexing";
import { createEmbeddingsClient, type EmbeddingsClient } from "@anneal/engines/embeddings-client";
import { createVectorIndex, type FoundPoint, type VectorIndex } from "@anneal/engines/vector-index";
import { env } from "#env.ts";
import type { MemberContext } from "#server/context.ts";

export type Retrieval = { passages: Passage[]; found: number; forbidden: number; embedMs: number; searchMs: number };

const shared = globalThis as typeof globalThis & {
  annealRetrieval?: { embeddings: EmbeddingsClient; vectors: VectorIndex };
};

export function retrievalEngines() {
  const settings = env();
  shared.annealRetrieval ??= {
    embeddings: createEmbeddingsClient({
      url: settings.ANNEAL_EMBEDDINGS_URL,
      model: settings.ANNEAL_EMBEDDINGS_MODEL,
      apiKey: settings.ANNEAL_EMBEDDINGS_API_KEY,
    }),
    vectors: createVectorIndex({ url: settings.ANNEAL_QDRANT_URL, apiKey: settings.ANNEAL_QDRANT_API_KEY }),
  };
  return shared.annealRetrieval;
}

/** Then what is found is what is answered from. */
const maxSearches = 4;

/**
 * What this person may read that speaks to the question, best first. The permission is checked three times: in both legs
 * of the search, on what the index says of each hit, and on what the database says of its document now, so that a
 * revocation or a deletion counts from the moment it is known, not from the next indexing. What is left out for that takes
 * no other passage's place: it is searched again without.
 */
export async function retrieve(
  { scope, identity }: Pick<MemberContext, "scope" | "identity">,
  request: {
    collectionId: string;
    question: string;
    sourceIds: string[] | undefined;
    limit: number;
    signal: AbortSignal;
  },
): Promise<Retrieval> {
  const { embeddings, vectors } = retrievalEngines();
  const startedAt = performance.now();
  const [dense] = await embeddings.embed([request.question], request.signal);
  const embeddedAt = performance.now();
  // The language of a short question cannot be told: every stemmer's reading is searched for.
  const sparse = sparseQueryVector(tokeniseQuery(request.question, [null, "en", "de", "fr", "es"]));
  const refused = new Map<string, FoundPoint>();
  let readable: FoundPoint[] = [];
  for (let search = 0; search < maxSearches; search += 1) {
    const query = buildRetrievalQuery({
      dense: dense!,
      sparse,
      workspaceId: identity.workspaceId,
      holderKeys: [...identity.principalKeys],
      ...(request.sourceIds ? { sourceIds: request.sourceIds } : {}),
      ...(refused.size === 0 ? {} : { without: await placesOf(scope, [...refused.values()]) }),
      // The more often something had to be left out, the more of it there may be.
      limit: request.limit * 4 ** search,
    });
    const points = await vectors.query(request.collectionId, query);
    readable = await selectReadable({ scope, identity }, points);
    const kept = new Set(readable.map(({ id }) => id));
    const left = points.filter(({ id }) => !kept.has(id));
    // Not what has another passage here that may be read: its row may be on its way.
    const shown = new Set(readable.map(({ payload }) => payload.document_id));
    for (const point of left) if (!shown.has(point.payload.document_id)) refused.set(point.id, point);
    if (left.length === 0 || readable.length >= request.limit) break;
  }
  const passages = readable
    .slice(0, request.limit)
    .map((point) => passageFromPayload(point.id, point.payload, cosineSimilarity(dense!, point.dense)));
  return {
    passages,
    found: passages.length + refused.size,
    forbidden: refused.size,
    embedMs: Math.round(embeddedAt - startedAt),
    searchMs: Math.round(performance.now() - embeddedAt),
  };
}

/** Those of the hits that this person may read now. */
async function selectReadable(
  { scope, identity }: Pick<MemberContext, "scope" | "identity">,
  points: readonly FoundPoint[],
): Promise<FoundPoint[]> {
  const reader = { workspaceId: identity.workspaceId, holderKeys: identity.principalKeys };
  const admitted = points.filter((point) => mayReadPayload(point.payload, reader));
  const chunks = await getChunksForCitation(
    scope,
    admitted.map(({ id }) => id),
  );
  const current = new Map(chunks.map((row) => [row.chunk.id, row]));
  return admitted.filter(({ id }) => mayRead(current.get(id)?.acl, identity.principalKeys));
}

/** Whole sources where they were removed, of which the index may still hold all. */
async function placesOf(scope: MemberContext["scope"], points: readonly FoundPoint[]) {
  const of = (field: "source_id" | "document_id") => [...new Set(points.map(({ payload }) => payload[field]))];
  return { sourceIds: await listRemovedOf(scope, of("source_id")), documentIds: of("document_id") };
}
