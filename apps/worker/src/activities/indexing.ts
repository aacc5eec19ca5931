import { AnnealError } from "@anneal/core/errors";
import { sparseDocumentVector } from "@anneal/core/indexing/bm25";
import { chunkDocument, embeddingText } from "@anneal/core/indexing/chunk-document";
import { chunkPayload, readersFingerprint, readersPayload, type Readers } from "@anneal/core/indexing/payload";
import { identifyChunks, planIndexing, wordIndexed, type IdentifiedChunk } from "@anneal/core/indexing/plan-indexing";
import { tokeniseForSearch } from "@anneal/core/indexing/terms";
import type { StageInput } from "@anneal/core/loop/contract";
import type { Database, Scope } from "@anneal/db/database";
import { listKeptDocuments, type KeptDocument } from "@anneal/db/queries/documents";
import {
  countIndexed,
  forgetChunks,
  listChunks,
  listStrayDocuments,
  removeStrayChunks,
  saveCollection,
  saveIndexed,
  type Collection,
} from "@anneal/db/queries/indexing";
import { addRunOutputs } from "@anneal/db/queries/loop";
import { writeChunks } from "@anneal/db/queries/reader-changes";
import type { EmbeddingsClient } from "@anneal/engines/embeddings-client";
import type { VectorIndex } from "@anneal/engines/vector-index";
import type { ObjectStore } from "@anneal/objects/object-store";
import { cancellationSignal, heartbeat } from "@temporalio/activity";
import type { StageCounts } from "../workflows/run-stage.ts";
import { ensureAssistant } from "./ensure-assistant.ts";
import { loadClean } from "./load-clean.ts";
import { createProgressReporter } from "./progress.ts";
import { pushReaderChanges } from "./push-readers.ts";

export type IndexingActivities = ReturnType<typeof createIndexingActivities>;

export function createIndexingActivities(deps: {
  db: Database;
  objects: ObjectStore;
  vectors: VectorIndex;
  embeddings: EmbeddingsClient;
}) {
  const { db, objects, vectors, embeddings } = deps;

  /** What one document's passages need: what is new is embedded, what moved or changed its readers is rewritten. */
  async function planDocument(scope: Scope, collection: Collection, document: KeptDocument) {
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
    const readers = readersFingerprint(place);
    const next = identifyChunks(chunkDocument(parsed), place).map((chunk) => ({ ...chunk, aclFingerprint: readers }));
    const held = await listChunks(scope, collection.id, document.id);
    const plan = planIndexing(
      held.map(({ id, ...chunk }) => ({ pointId: id, ...chunk })),
      next,
    );
    return { plan, place };
  }

  /**
   * Carries a document's plan out in batches, each written to our own table after the index: a kill repeats one batch,
   * whose vector writes are idempotent, and a long document goes on where it was. Each is written with the document's
   * readers as they are then; where they change later, what changed is pushed.
   */
  async function indexDocument(
    scope: Scope,
    collection: Collection,
    document: KeptDocument,
    signal: AbortSignal,
    onChanged: (changes: number) => Promise<void>,
  ): Promise<void> {
    const { plan, place } = await planDocument(scope, collection, document);
    const rowsOf = (batch: IdentifiedChunk[], readers: Readers) => ({
      rows: batch.map((chunk) => ({
        ...chunkRow(chunk, collection.id, document.id),
        aclFingerprint: readersFingerprint(readers),
      })),
      deletes: [],
      aclFingerprints: [],
    });
    for (const batch of batchesOf(plan.upsert)) {
      signal.throwIfAborted();
      const texts = batch.map(({ chunk }) => embeddingText(chunk));
      const dense = await embeddings.embed(texts, signal);
      await writeChunks(scope, document.id, async (readers) => {
        await vectors.upsert(
          collection.id,
          batch.map((chunk, index) => ({
            id: chunk.pointId,
            dense: dense[index]!,
            sparse: sparseDocumentVector(tokeniseForSearch(texts[index]!, document.language)),
            payload: chunkPayload(chunk, { ...place, ...readers }),
          })),
        );
        return rowsOf(batch, readers);
      });
      await onChanged(batch.length);
    }
    for (const batch of batchesOf(plan.setPayload)) {
      signal.throwIfAborted();
      await writeChunks(scope, document.id, async (readers) => {
        for (const chunk of batch)
          await vectors.setPayload(collection.id, [chunk.pointId], chunkPayload(chunk, { ...place, ...readers }));
        return rowsOf(batch, readers);
      });
      await onChanged(batch.length);
    }
    if (plan.setAcl.length + plan.delete.length === 0) return;
    await writeChunks(scope, document.id, async (readers) => {
      const pointIds = plan.setAcl.map((chunk) => chunk.pointId);
      if (pointIds.length > 0) await vectors.setPayload(collection.id, pointIds, readersPayload(readers));
      if (plan.delete.length > 0) await vectors.remove(collection.id, plan.delete);
      const aclFingerprint = readersFingerprint(readers);
      return { rows: [], deletes: plan.delete, aclFingerprints: pointIds.map((id) => ({ id, aclFingerprint })) };
    });
    await onChanged(plan.setAcl.length + plan.delete.length);
  }

  async function indexAll(input: StageInput): Promise<StageCounts> {
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
    const place = { scope, runId: input.runId, stage: "index" as const };
    // First what there is to do, so that the progress counts passages: one document may have as many as all others.
    const comparing = createProgressReporter({ ...place, unit: "documents" });
    const changed: KeptDocument[] = [];
    let planned = 0;
    for (const [done, document] of wanted.entries()) {
      signal.throwIfAborted();
      const { plan } = await planDocument(scope, collection, document);
      const count = plan.upsert.length + plan.setPayload.length + plan.setAcl.length + plan.delete.length;
      if (count > 0 || document.indexedHash !== document.contentHash || document.withdrawn) changed.push(document);
      planned += count;
      await comparing.report(done + 1, wanted.length, "compared");
    }
    const writing = createProgressReporter({ ...place, unit: "passages" });
    let changes = 0;
    await writing.report(changes, planned);
    for (const document of changed) {
      await indexDocument(scope, collection, document, signal, async (count) => {
        changes += count;
        await writing.report(changes, planned);
      });
      await saveIndexed(scope, document.id, document.contentHash);
    }
    // Whatever the source no longer has, or cleaning no longer keeps, leaves the index, whichever source it was of; what
    // was restored meanwhile stays.
    const stray = await listStrayDocuments(
      scope,
      collection.id,
      all.map((document) => document.id),
    );
    for (const documentId of stray) {
      changes += await removeStrayChunks(scope, collection.id, documentId, async () =>
        vectors.removeDocuments(collection.id, [documentId]),
      );
    }
    // What changed its readers while it was compared or written.
    await pushReaderChanges(scope, vectors, { signal, onPushed: () => heartbeat() });
    const assistant = await ensureAssistant(scope, input.settings, collection.id);
    await addRunOutputs(scope, input.runId, { collectionId: collection.id, assistantId: assistant.id });
    return { inCount: wanted.length, outCount: wanted.length, note: wordIndexed(changes) };
  }

  return {
    async indexDocuments(input: StageInput): Promise<StageCounts> {
      // Whoever tells the indexes of new readers is waited for, and the index may think longer than a heartbeat may be late.
      const pulse = setInterval(() => heartbeat(), pulseMs);
      try {
        return await indexAll(input);
      } finally {
        clearInterval(pulse);
      }
    },
  };
}

const pulseMs = 10_000;

/** Small enough that an embeddings server on a busy machine answers within a heartbeat. */
const batchSize = 32;

function* batchesOf<T>(items: readonly T[]): Generator<T[]> {
  for (let start = 0; start < items.length; start += batchSize) yield items.slice(start, start + batchSize);
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
