import type { SourceItem } from "@anneal/core/connect/change";
import type { ErrorReport } from "@anneal/core/errors";
import { isRefusedForOne, isRefusedValue, upsertDocuments } from "@anneal/db/queries/upsert-documents";
import type { ReadingSync } from "./applied-sync.ts";
import { createBatchWriter, type BatchWriter } from "./batch-writer.ts";
import type { HeldContent } from "./fetch-content.ts";
import { quarantine } from "./quarantine.ts";

/** A document whose content is stored and whose row is not. */
export type FetchedUpsert = { item: SourceItem; content: HeldContent };

/** What a transaction costs is shared by so many; nobody who watches waits much longer for a document by it. */
const limits = { maxEntries: 64, maxBytes: 32 * 1024 ** 2, maxWaitMs: 250 };

export type UpsertWriter = BatchWriter<FetchedUpsert> & {
  /** The last fetched and unwritten word of each document, by its ref. */
  unwritten: ReadonlyMap<string, SourceItem>;
};

export function createUpsertWriter(reading: ReadingSync): UpsertWriter {
  const unwritten = new Map<string, SourceItem>();
  const writer = createBatchWriter<FetchedUpsert>(
    limits,
    ({ content }) => content.facts.sizeBytes,
    async (batch) => {
      try {
        await writeUpserts(reading, batch);
      } finally {
        for (const { item, content } of batch) {
          if (unwritten.get(item.ref) === item) unwritten.delete(item.ref);
          reading.fingerprints.learn(item.ref, item.fingerprint);
          await content.release();
        }
      }
    },
  );
  return {
    unwritten,
    settle: writer.settle,
    async add(upsert) {
      unwritten.set(upsert.item.ref, upsert.item);
      await writer.add(upsert);
    },
  };
}

/** All in one transaction; when that is refused for one of them, each in its own, and the one is left out. */
async function writeUpserts(reading: ReadingSync, batch: readonly FetchedUpsert[]): Promise<void> {
  const { scope, source, sync, context } = reading;
  // Nothing is written once the lock is lost: somebody else may read the source.
  context.signal.throwIfAborted();
  try {
    const upserts = batch.map(({ item, content }) => ({ item, content: content.facts, putContent: content.put }));
    const written = await upsertDocuments(scope, source.id, upserts);
    // Only what is durable is counted.
    for (const [index, { change }] of written.entries()) {
      sync.counts.read += 1;
      sync.counts.bytes += batch[index]!.content.facts.sizeBytes;
      if (change !== "unchanged") sync.counts[change] += 1;
    }
  } catch (error) {
    const [first] = batch;
    if (batch.length > 1 && isRefusedForOne(error)) {
      for (const upsert of batch) await writeUpserts(reading, [upsert]);
    } else if (first !== undefined && isRefusedValue(error)) {
      await quarantine(reading, first.item.ref, unstorable);
    } else throw error;
  }
}

const unstorable: ErrorReport = {
  code: "INVALID_INPUT",
  message: "What the source says of the document cannot be stored: its name is too long, or holds what no text may.",
  action: "Rename the document, or correct its title and address at the source.",
};
