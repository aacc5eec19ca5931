import { mayRead } from "@anneal/core/access/acl";
import { passageFromPayload, type Passage } from "@anneal/core/chat/passage";
import { sparseQueryVector } from "@anneal/core/indexing/bm25";
import { mayReadPayload } from "@anneal/core/indexing/payload";
import { buildRetrievalQuery, cosineSimilarity } from "@anneal/core/indexing/retrieval-query";
import { tokeniseQuery } from "@anneal/core/indexing/terms";
import { getChunksForCitation } from "@anneal/db/queries/indexing";
import { createEmbeddingsClient, type EmbeddingsClient } from "@anneal/engines/embeddings-client";
import { createVectorIndex, type VectorIndex } from "@anneal/engines/vector-index";
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

/**
 * What this person may read that speaks to the question, best first. The permission is checked three times: in both legs
 * of the search, on what the index says of each hit, and on what the database says of its document now, so that a
 * revocation or a deletion counts from the moment it is known, not from the next indexing.
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
  const query = buildRetrievalQuery({
    dense: dense!,
    // The language of a short question cannot be told: every stemmer's reading is searched for.
    sparse: sparseQueryVector(tokeniseQuery(request.question, [null, "en", "de", "fr", "es"])),
    workspaceId: identity.workspaceId,
    holderKeys: [...identity.principalKeys],
    ...(request.sourceIds ? { sourceIds: request.sourceIds } : {}),
    limit: request.limit,
  });
  const points = await vectors.query(request.collectionId, query);
  const reader = { workspaceId: identity.workspaceId, holderKeys: identity.principalKeys };
  const readable = points.filter((point) => mayReadPayload(point.payload, reader));
  const current = new Map(
    (
      await getChunksForCitation(
        scope,
        readable.map((point) => point.id),
      )
    ).map((row) => [row.chunk.id, row]),
  );
  const passages = readable
    .filter((point) => mayRead(current.get(point.id)?.acl, identity.principalKeys))
    .map((point) => passageFromPayload(point.id, point.payload, cosineSimilarity(dense!, point.dense)));
  return {
    passages,
    found: points.length,
    forbidden: points.length - passages.length,
    embedMs: Math.round(embeddedAt - startedAt),
    searchMs: Math.round(performance.now() - embeddedAt),
  };
}
