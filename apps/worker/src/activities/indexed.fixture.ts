import { createHash, randomUUID } from "node:crypto";
import { mayRead, type Principal, principalKey } from "@anneal/core/access/acl";
import { mayReadPayload } from "@anneal/core/indexing/payload";
import { buildRetrievalQuery } from "@anneal/core/indexing/retrieval-query";
import { loopSettingsSchema } from "@anneal/core/loop/settings";
import type { Scope } from "@anneal/db/database";
import { getDocument, getDocuments, saveCleaned } from "@anneal/db/queries/documents";
import { createRun, getRun } from "@anneal/db/queries/loop";
import type { EmbeddingsClient } from "@anneal/engines/embeddings-client";
import type { VectorIndex } from "@anneal/engines/vector-index";
import type { ObjectStore } from "@anneal/objects/object-store";
import { asyncLocalStorage, type Context } from "@temporalio/activity";
import { createIndexingActivities } from "./indexing.ts";

/** Two dimensions, of which one is the text's length: enough where everything that may be read is to be found. */
export const lengthEmbeddings: EmbeddingsClient = {
  model: "m",
  embed: async (texts) => texts.map((text) => [text.length, 1]),
};

/** An index of documents that were cleaned already, made by the real stage, and a search of it as the portal searches. */
export function createIndexed(deps: { scope: Scope; objects: ObjectStore; vectors: VectorIndex }) {
  const { scope, objects, vectors } = deps;
  const { db, workspaceId } = scope;
  let collectionId = "";
  const embedded: string[] = [];
  let beforeEmbedding = async (): Promise<void> => undefined;
  const embeddings: EmbeddingsClient = {
    ...lengthEmbeddings,
    embed: async (texts, signal) => {
      const passages = texts.filter((text) => text !== "dimensions");
      if (passages.length > 0) await beforeEmbedding();
      embedded.push(...passages);
      return lengthEmbeddings.embed(texts, signal);
    },
  };
  return {
    /** Every text that was embedded. */
    embedded,
    collectionId: () => collectionId,

    /** As cleaning leaves a document that was fetched. */
    async clean(documentId: string, ...paragraphs: string[]): Promise<void> {
      const { contentHash, title } = await getDocument(scope, documentId);
      const elements = paragraphs.map((text) => ({ kind: "paragraph", text, section: [text.slice(0, 20)] }));
      const cleanKey = `clean/${documentId}/${contentHash}.json`;
      await objects.put(
        cleanKey,
        Buffer.from(JSON.stringify({ title, mediaType: "text/plain", elements, warnings: [] })),
      );
      const facts = { title, mediaType: "text/plain", language: "en", textChars: 1, piiCounts: {}, warnings: [] };
      const outcome = { cleanKey, cleanDigest: contentHash, quality: {} as never, ...facts };
      await saveCleaned(scope, { id: documentId, contentHash }, outcome);
    },

    /** The loop's stage, over all that is cleaned, or over these sources. */
    async index(options: { sourceIds?: string[]; beforeEmbedding?: () => Promise<void> } = {}): Promise<void> {
      const { sourceIds } = options;
      beforeEmbedding = options.beforeEmbedding ?? (async () => undefined);
      const [runId, settings] = [randomUUID(), loopSettingsSchema.parse({ sourceIds })];
      await createRun(scope, { id: runId, workflowId: "w", startedBy: "ada", settings });
      const { indexDocuments } = createIndexingActivities({ db, objects, vectors, embeddings });
      await asActivity(() => indexDocuments({ workspaceId, runId, settings }));
      collectionId = (await getRun(scope, runId)).outputs.collectionId!;
    },

    /** Ids of the documents that the index gives to whoever holds these. */
    hits: (held: readonly Principal[], sourceIds?: string[]) => hitsOf(deps, collectionId, held, sourceIds),

    /** Ids of the documents that they find. */
    find: (held: readonly Principal[], sourceIds?: string[]) => findIndexed(deps, collectionId, held, sourceIds),
  };
}

type Search = { scope: Scope; vectors: VectorIndex };

async function hitsOf(
  { scope: { workspaceId }, vectors }: Search,
  collectionId: string,
  held: readonly Principal[],
  sourceIds?: string[],
): Promise<string[]> {
  const holderKeys = new Set(held.map(principalKey));
  const query = buildRetrievalQuery({
    dense: [1, 1],
    sparse: { indices: [], values: [] },
    workspaceId,
    holderKeys: [...holderKeys],
    limit: 100,
    ...(sourceIds ? { sourceIds } : {}),
  });
  const points = await vectors.query(collectionId, query);
  const readable = points.filter(({ payload }) => mayReadPayload(payload, { workspaceId, holderKeys }));
  return [...new Set(readable.map(({ payload }) => payload.document_id))].sort();
}

/** Ids of the documents that whoever holds these finds: after the index, what the database says now, as in `retrieve`. */
export async function findIndexed(
  search: Search,
  collectionId: string,
  held: readonly Principal[],
  sourceIds?: string[],
): Promise<string[]> {
  const current = await getDocuments(search.scope, await hitsOf(search, collectionId, held, sourceIds));
  const holderKeys = new Set(held.map(principalKey));
  const readable = current.filter(
    ({ acl, deletedAt, withdrawn }) => deletedAt === null && !withdrawn && mayRead(acl, holderKeys),
  );
  return readable.map(({ id }) => id).sort();
}

/** What the activities ask of Temporal: that nobody stops them. */
export const asActivity = <T>(work: () => Promise<T>, signal = new AbortController().signal): Promise<T> =>
  asyncLocalStorage.run({ cancellationSignal: signal, heartbeat: () => undefined } as unknown as Context, work);

export const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
