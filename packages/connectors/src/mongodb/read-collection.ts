import { BSON, MongoServerError, type Document, type Filter, type FindCursor } from "mongodb";
import type { MongoPlace } from "./client.ts";
import { parseFilter } from "./collection-filter.ts";
import type { CollectionConfig } from "./config.ts";
import type { RemoteCalls } from "../remote/remote-calls.ts";
import { projectionOf, readField } from "./document.ts";

const { EJSON } = BSON;

const pageDocuments = 500;
const queryTimeoutMs = 10 * 60_000;
const cursorNotFound = 43;

/** Documents that the watermark lets through (null: all), or those with these _ids. */
export type Chosen = { since: string | null } | { ids: readonly unknown[] };

/**
 * Every document that the collection's filter lets through, or those of them that are chosen, in the order of _id. The server sends at most 16 MB at a
 * time. Pages follow each other by their last _id rather than by a cursor, because a cursor that waits longer than ten
 * minutes for its reader is forgotten; one that is forgotten within a page is opened again.
 */
export async function* readPages(
  { database, calls }: MongoPlace,
  collection: CollectionConfig,
  chosen: Chosen,
): AsyncIterable<Document[]> {
  const projection = projectionOf(collection);
  const wanted = [passing(collection), filterOf(collection, chosen)];
  let after: { id: unknown } | null = null;
  for (;;) {
    // Compared as an expression: $gt in a filter only finds values of the same type, and _id may be of any.
    const beyond: Document | null = after === null ? null : { $expr: { $gt: ["$_id", { $literal: after.id }] } };
    const filters: Document[] = [beyond, ...wanted].filter((filter) => filter !== null);
    const cursor: FindCursor<Document> = database
      .collection(collection.name)
      .find(filters.length === 0 ? {} : ({ $and: filters } as Filter<Document>), {
        sort: { _id: 1 },
        limit: pageDocuments,
        batchSize: pageDocuments,
        maxTimeMS: queryTimeoutMs,
        ...(projection === null ? {} : { projection }),
      });
    let count = 0;
    try {
      for await (const batch of readBatches(cursor, calls)) {
        count += batch.length;
        const last = batch.at(-1);
        if (last !== undefined) after = { id: last["_id"] };
        yield batch;
      }
    } catch (error) {
      if (!(error instanceof MongoServerError && error.code === cursorNotFound && count > 0)) throw error;
      continue;
    } finally {
      await cursor.close().catch(() => {});
    }
    if (count < pageDocuments) return;
  }
}

function passing({ filter }: CollectionConfig): Document | null {
  return filter === null ? null : parseFilter(filter);
}

function filterOf(collection: CollectionConfig, chosen: Chosen): Document | null {
  if ("ids" in chosen) return { _id: { $in: chosen.ids } };
  return chosen.since === null ? null : watermarkFilter(collection, chosen.since);
}

/** What the server sent at once, so that nothing is held beside it. */
async function* readBatches(cursor: FindCursor<Document>, calls: RemoteCalls): AsyncIterable<Document[]> {
  while (await calls.call("page", () => cursor.hasNext())) yield cursor.readBufferedDocuments();
}

/** The largest watermark before a scan begins, as text: what changes during the scan is then found by the next. */
export async function readMaxWatermark(
  { database, calls }: MongoPlace,
  collection: CollectionConfig,
): Promise<string | null> {
  const { watermark } = collection;
  if (watermark === null) return null;
  const newest = await calls.call("query", () =>
    database.collection(collection.name).findOne(passing(collection) ?? {}, {
      sort: { [watermark]: -1 },
      projection: { [watermark]: 1 },
      maxTimeMS: queryTimeoutMs,
    }),
  );
  const value = newest === null ? undefined : readField(newest, watermark);
  if (value === null || value === undefined || Array.isArray(value)) return null;
  return EJSON.stringify({ value }, { relaxed: false });
}

const overlapMs = 10 * 60_000;

/**
 * A write that ends late carries an earlier time than documents that were read already, so times overlap by ten
 * minutes. What has no watermark, or one of another type, cannot be judged by it and is read.
 */
function watermarkFilter({ watermark }: CollectionConfig, since: string): Document | null {
  if (watermark === null) return null;
  const { value } = EJSON.parse(since, { relaxed: false }) as { value: unknown };
  const from = value instanceof Date ? new Date(value.getTime() - overlapMs) : value;
  return { $nor: [{ [watermark]: { $lt: from } }] };
}

/** About how many documents there are in all, for people who wait; null where the server does not say so of each at once. */
export async function estimateDocuments(
  { database, calls }: MongoPlace,
  collections: readonly CollectionConfig[],
): Promise<number | null> {
  // How many of them a filter lets through takes a scan.
  if (collections.some(({ filter }) => filter !== null)) return null;
  let total = 0;
  try {
    for (const { name } of collections) {
      // Of a view it is counted, which may take long.
      const maxTimeMS = 1000;
      total += await calls.call("query", () => database.collection(name).estimatedDocumentCount({ maxTimeMS }));
    }
    return total;
  } catch (error) {
    if (error instanceof MongoServerError) return null;
    throw error;
  }
}

export async function countDocuments(
  { database, calls }: MongoPlace,
  collection: CollectionConfig,
  limit: number,
): Promise<number> {
  const filter = passing(collection) ?? {};
  return calls.call("query", () =>
    database.collection(collection.name).countDocuments(filter, { limit, maxTimeMS: queryTimeoutMs }),
  );
}
