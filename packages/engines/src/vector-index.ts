import { buildCollection, buildPayloadIndexes } from "@anneal/core/indexing/collection";
import {
  chunkPayloadSchema,
  denseVectorName,
  sparseVectorName,
  type ChunkPayload,
} from "@anneal/core/indexing/payload";
import { AnnealError } from "@anneal/core/errors";
import type { RetrievalQuery } from "@anneal/core/indexing/retrieval-query";
import type { SparseVector } from "@anneal/core/indexing/bm25";
import { QdrantClient } from "@qdrant/js-client-rest";

export type IndexPoint = { id: string; dense: number[]; sparse: SparseVector; payload: ChunkPayload };
export type FoundPoint = { id: string; score: number; payload: ChunkPayload; dense: number[] };

/** Qdrant, as much of it as the platform uses. Every write is acknowledged only when it is durable and searchable. */
export type VectorIndex = {
  ensureCollection(name: string, dimensions: number): Promise<void>;
  upsert(collection: string, points: IndexPoint[]): Promise<void>;
  /** Changes parts of points' payloads without touching their vectors. */
  setPayload(collection: string, pointIds: string[], payload: Partial<ChunkPayload>): Promise<void>;
  /** The same of all points of these documents, however many they are; in one request. */
  setDocumentsPayload(collection: string, documentIds: string[], payload: Partial<ChunkPayload>): Promise<void>;
  remove(collection: string, pointIds: string[]): Promise<void>;
  /** All points of these documents, whoever knows of them; none where there is no such collection. */
  removeDocuments(collection: string, documentIds: string[]): Promise<void>;
  query(collection: string, query: RetrievalQuery): Promise<FoundPoint[]>;
  count(collection: string): Promise<number>;
};

const batchSize = 200;

function* batchesOf<T>(items: T[]): Generator<T[]> {
  for (let start = 0; start < items.length; start += batchSize) yield items.slice(start, start + batchSize);
}

function ofDocuments(documentIds: string[]) {
  return { must: [{ key: "document_id" satisfies keyof ChunkPayload, match: { any: documentIds } }] };
}

export function createVectorIndex(options: { url: string; apiKey?: string | undefined }): VectorIndex {
  const client = new QdrantClient({
    url: options.url,
    ...(options.apiKey ? { apiKey: options.apiKey } : {}),
    checkCompatibility: false,
  });

  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof AnnealError) throw cause;
      throw new AnnealError("ENGINE_UNAVAILABLE", "The vector index failed.", {
        action: "Wait until it has started, or check ANNEAL_QDRANT_URL and the index's log.",
        details: { engineMessage: cause instanceof Error ? cause.message.slice(0, 400) : String(cause) },
        retryable: true,
        cause,
      });
    }
  }

  return {
    ensureCollection: (name, dimensions) =>
      guarded(async () => {
        const { exists } = await client.collectionExists(name);
        if (!exists) await client.createCollection(name, buildCollection(dimensions));
        for (const index of buildPayloadIndexes()) {
          await client.createPayloadIndex(name, {
            ...index,
            field_schema: index.field_schema as "keyword",
            wait: true,
          });
        }
      }),
    upsert: (collection, points) =>
      guarded(async () => {
        for (const batch of batchesOf(points)) {
          await client.upsert(collection, {
            wait: true,
            points: batch.map(({ id, dense, sparse, payload }) => ({
              id,
              vector: { [denseVectorName]: dense, [sparseVectorName]: sparse },
              payload,
            })),
          });
        }
      }),
    setPayload: (collection, pointIds, payload) =>
      guarded(async () => {
        for (const points of batchesOf(pointIds)) {
          await client.setPayload(collection, { wait: true, points, payload });
        }
      }),
    setDocumentsPayload: (collection, documentIds, payload) =>
      guarded(async () => {
        await client.setPayload(collection, { wait: true, filter: ofDocuments(documentIds), payload });
      }),
    remove: (collection, pointIds) =>
      guarded(async () => {
        for (const points of batchesOf(pointIds)) await client.delete(collection, { wait: true, points });
      }),
    removeDocuments: (collection, documentIds) =>
      guarded(async () => {
        const { exists } = await client.collectionExists(collection);
        if (exists) await client.delete(collection, { wait: true, filter: ofDocuments(documentIds) });
      }),
    query: (collection, query) =>
      guarded(async () => {
        const { points } = await client.query(collection, query);
        return points.map((point) => ({
          id: String(point.id),
          score: point.score,
          payload: chunkPayloadSchema.parse(point.payload),
          dense: (point.vector as Record<string, number[]>)[denseVectorName] ?? [],
        }));
      }),
    count: (collection) => guarded(async () => (await client.count(collection, { exact: true })).count),
  };
}
