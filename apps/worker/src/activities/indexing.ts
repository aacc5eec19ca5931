import { aclFingerprint } from "@anneal/core/access/acl";
import { AnnealError } from "@anneal/core/errors";
import { sparseDocumentVector } from "@anneal/core/indexing/bm25";
import { chunkDocument, embeddingText } from "@anneal/core/indexing/chunk-document";
import { chunkPayload, readersPayload } from "@anneal/core/indexing/payload";
import { identifyChunks, planIndexing, type IdentifiedChunk } from "@anneal/core/indexing/plan-indexing";
import { tokeniseForSearch } from "@anneal/core/indexing/terms";
import type { StageInput } from "@anneal/core/loop/contract";
import type { Database, Scope } from "@anneal/db/database";
import { listKeptDocuments, type KeptDocument } from "@anneal/db/queries/documents";
import {
  applyChunkPlan,
  countIndexed,
  forgetChunks,
  listChunkIds,
  listChunks,
  listStrayDocuments,
  saveCollection,
  type Collection,
} from "@anneal/db/queries/indexing";
import { addRunOutputs } from "@anneal/db/queries/loop";
import type { EmbeddingsClient } from "@anneal/engines/embeddings-client";
import type { VectorIndex } from "@anneal/engines/vector-index";
import type { ObjectStore } from "@anneal/objects/object-store";
import { cancellationSignal } from "@temporalio/activity";
import type { StageCounts } from "../workflows/run-stage.ts";
import { ensureAssistant } from "./ensure-assistant.ts";
import { loadClean } from "./load-clean.ts";
import { createProgressReporter } from "./progress.ts";

export type IndexingActivities = ReturnType<typeof createIndexingActivities>;

export function createIndexingActivities(deps: {
  db: Database;
  objects: ObjectStore;
  vectors: VectorIndex;
  embeddings: EmbeddingsClient;
}) {
  const { db, objects, vectors, embeddings } = deps;

  /** One document: what is new is embedded, what moved or changed its readers is rewritten, the rest is left alone. */
  async function indexDocument(scope: Scope, collection: Collection, document: KeptDocument, signal: AbortSignal) {
    const parsed = await loadClean(objects, document);
    // What an earlier release stored has none: it is found until the next comparison.
    const hiddenIn = document.duplicate?.hiddenIn ?? [];
    const place = {
      workspaceId: scope.workspaceId,
      sourceId: document.sourceId,
      documentId: document.id,
      uri: document.uri,
      title: document.title,
      acl: document.acl,
      language: document.language,
      hiddenIn,
    };
    // Being hidden behind a copy is, like the ACL, a matter of who may find the chunk: it changes without new vectors.
    const readers = `${aclFingerprint(document.acl)}${hiddenIn.map((sourceId) => `#${sourceId}`).join("")}`;
    const next = identifyChunks(chunkDocument(parsed), place).map((chunk) => ({ ...chunk, aclFingerprint: readers }));
    const held = await listChunks(scope, collection.id, document.id);
    const plan = planIndexing(
      held.map(({ id, ...chunk }) => ({ pointId: id, ...chunk })),
      next,
    );
    const texts = plan.upsert.map(({ chunk }) => embeddingText(chunk));
    const dense = await embeddings.embed(texts, signal);
    await vectors.upsert(
      collection.id,
      plan.upsert.map((chunk, index) => ({
        id: chunk.pointId,
        dense: dense[index]!,
        sparse: sparseDocumentVector(tokeniseForSearch(texts[index]!, document.language)),
        payload: chunkPayload(chunk, place),
      })),
    );
    for (const chunk of plan.setPayload) {
      await vectors.setPayload(collection.id, [chunk.pointId], chunkPayload(chunk, place));
    }
    if (plan.setAcl.length > 0) {
      const pointIds = plan.setAcl.map((chunk) => chunk.pointId);
      await vectors.setPayload(collection.id, pointIds, readersPayload(place));
    }
    if (plan.delete.length > 0) await vectors.remove(collection.id, plan.delete);
    // Our own table last: a kill in between repeats the vector writes, which are idempotent.
    await applyChunkPlan(scope, {
      rows: [...plan.upsert, ...plan.setPayload].map((chunk) => chunkRow(chunk, collection.id, document.id)),
      deletes: plan.delete,
      aclFingerprints: plan.setAcl.map((chunk) => ({ id: chunk.pointId, aclFingerprint: readers })),
    });
    return plan.upsert.length + plan.setPayload.length + plan.setAcl.length + plan.delete.length;
  }

  return {
    async indexDocuments(input: StageInput): Promise<StageCounts> {
      const scope = { db, workspaceId: input.workspaceId };
      const signal = cancellationSignal();
      const { sourceIds } = input.settings;
      const [probe] = await embeddings.embed(["dimensions"], signal);
      const dimensions = probe!.length;
      const collection = await saveCollection(scope, {
        embeddingModel: embeddings.model,
        dimensions,
        settings: {},
      });
      if (collection.dimensions !== dimensions || collection.embeddingModel !== embeddings.model) {
        throw new AnnealError(
          "CONFLICT",
          `The collection ${collection.name} was made with ${collection.embeddingModel} (${collection.dimensions} dimensions), not ${embeddings.model} (${dimensions}).`,
          {
            action: `Set ANNEAL_EMBEDDINGS_MODEL to ${collection.embeddingModel} again: a workspace has one collection.`,
          },
        );
      }
      await vectors.ensureCollection(collection.id, dimensions);
      // A vector store that was lost or restored from an older backup holds less than our table says: write it all again.
      const believed = await countIndexed(scope, collection.id, null);
      if ((await vectors.count(collection.id)) < believed.chunks) await forgetChunks(scope, collection.id);

      const all = await listKeptDocuments(scope);
      const wanted = all.filter((document) => sourceIds === null || sourceIds.includes(document.sourceId));
      const progress = createProgressReporter({ scope, runId: input.runId, stage: "index", unit: "documents" });
      let changes = 0;
      for (const [done, document] of wanted.entries()) {
        signal.throwIfAborted();
        changes += await indexDocument(scope, collection, document, signal);
        await progress.report(done + 1, wanted.length);
      }
      // Whatever the source no longer has, or cleaning no longer keeps, leaves the index, whichever source it was of.
      const stray = await listStrayDocuments(
        scope,
        collection.id,
        all.map((document) => document.id),
      );
      for (const documentId of stray) {
        const deletes = await listChunkIds(scope, collection.id, documentId);
        await vectors.remove(collection.id, deletes);
        await applyChunkPlan(scope, { rows: [], deletes, aclFingerprints: [] });
        changes += deletes.length;
      }
      const assistant = await ensureAssistant(scope, input.settings, collection.id);
      await addRunOutputs(scope, input.runId, { collectionId: collection.id, assistantId: assistant.id });
      const note = changes === 0 ? "Nothing changed." : `${changes} chunks written or removed.`;
      return { inCount: wanted.length, outCount: wanted.length, note };
    },
  };
}

function chunkRow({ chunk, ...identity }: IdentifiedChunk, collectionId: string, documentId: string) {
  const pages = chunk.places.flatMap((place) => place.page ?? []);
  return {
    id: identity.pointId,
    collectionId,
    documentId,
    ordinal: chunk.ordinal,
    text: chunk.text,
    section: chunk.section,
    pageStart: pages[0] ?? null,
    pageEnd: pages.at(-1) ?? null,
    container: chunk.container,
    charStart: chunk.charStart,
    charEnd: chunk.charEnd,
    contentHash: identity.contentHash,
    placeFingerprint: identity.placeFingerprint,
    aclFingerprint: identity.aclFingerprint,
  };
}
