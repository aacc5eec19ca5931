import type { SourceItem } from "@anneal/core/connect/change";
import { AnnealError, type ErrorCode, type ErrorReport } from "@anneal/core/errors";
import { isRefusedForOne, isRefusedValue, upsertDocuments } from "@anneal/db/queries/upsert-documents";
import type { ReadingSync } from "./applied-sync.ts";
import { createBatchWriter, type BatchWriter } from "./batch-writer.ts";
import type { HeldContent } from "./fetch-content.ts";
import { createLanes } from "./lanes.ts";
import { quarantine } from "./quarantine.ts";
import { unlistFailure } from "./sync-failures.ts";

export type FetchedUpsert = { item: SourceItem; content: HeldContent };

/** What a transaction costs is shared by so many; nobody who watches waits much longer for a document by it. */
const limits = { maxEntries: 64, maxBytes: 32 * 1024 ** 2, maxWaitMs: 250 };
/** A store answers late rather than slowly. */
const parallelPuts = 8;

/** Stores contents side by side, and writes together the rows of those that are stored. */
export type UpsertWriter = BatchWriter<FetchedUpsert> & {
  /** The last fetched and unwritten word of each document, by its ref. */
  unwritten: ReadonlyMap<string, SourceItem>;
};

export function createUpsertWriter(reading: ReadingSync): UpsertWriter {
  const unwritten = new Map<string, SourceItem>();
  const forget = async ({ item, content }: FetchedUpsert) => {
    if (unwritten.get(item.ref) === item) unwritten.delete(item.ref);
    await content.release();
  };
  const rows = createBatchWriter<FetchedUpsert>(
    limits,
    ({ content }) => content.facts.sizeBytes,
    async (batch) => {
      try {
        await writeUpserts(reading, batch);
      } finally {
        for (const upsert of batch) {
          reading.fingerprints.learn(upsert.item.ref, upsert.item.fingerprint);
          await forget(upsert);
        }
      }
    },
  );
  const puts = createLanes(parallelPuts);
  const store = async (upsert: FetchedUpsert) => {
    try {
      // Not first when the row is written: others wait for the locks that are held then.
      await upsert.content.put();
    } catch (error) {
      await forget(upsert);
      requireOfDocument(reading, error);
      // What came before it of the same document counts.
      await rows.settle();
      await quarantine(reading, upsert.item.ref, error.toReport(), upsert.item.acl);
      return;
    }
    await rows.add(upsert);
  };
  return {
    unwritten,
    async add(upsert) {
      unwritten.set(upsert.item.ref, upsert.item);
      await puts.run(upsert.item.ref, () => store(upsert));
    },
    async settle() {
      try {
        await puts.settle();
      } finally {
        // What is stored already is kept, whatever became of the others.
        await rows.settle();
      }
    },
  };
}

/** A source that asks to be left alone would refuse the next document as well, and a feed tells of none twice. */
const ofAllDocuments: readonly ErrorCode[] = ["DISK_FULL", "RATE_LIMITED"];

/** @throws what is wrong with more than one document */
export function requireOfDocument({ context }: ReadingSync, error: unknown): asserts error is AnnealError {
  if (!(error instanceof AnnealError) || ofAllDocuments.includes(error.code) || context.signal.aborted) throw error;
}

/** All in one transaction; when that is refused for one of them, each in its own, and the one is left out. */
async function writeUpserts(reading: ReadingSync, batch: readonly FetchedUpsert[]): Promise<void> {
  const { scope, source, sync, context } = reading;
  // Nothing is written once the lock is lost: somebody else may read the source.
  context.signal.throwIfAborted();
  try {
    const upserts = batch.map(({ item, content }) => ({ item, content: content.facts, putContent: content.put }));
    const written = await upsertDocuments(scope, source.id, upserts, source.revision);
    // Only what is durable is counted.
    for (const [index, { change }] of written.entries()) {
      sync.counts.read += 1;
      sync.counts.bytes += batch[index]!.content.facts.sizeBytes;
      if (change !== "unchanged") sync.counts[change] += 1;
      unlistFailure(sync, batch[index]!.item.ref);
    }
  } catch (error) {
    const [first] = batch;
    if (batch.length > 1 && isRefusedForOne(error)) {
      for (const upsert of batch) await writeUpserts(reading, [upsert]);
    } else if (first !== undefined && isRefusedValue(error)) {
      await quarantine(reading, first.item.ref, unstorable, first.item.acl);
    } else throw error;
  }
}

/** Of what the database refuses (`isRefusedValue`). */
export const unstorable: ErrorReport = {
  code: "INVALID_INPUT",
  message: "The document cannot be stored: its name, title or address has a character that no text may hold.",
  action: "Rename the document, or correct its title and address at the source.",
};
