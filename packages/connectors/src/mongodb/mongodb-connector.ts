import { BSON, type Document } from "mongodb";
import type { Change, Cursor } from "@anneal/core/connect/change";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { defineConnector, type DirectoryRequest, type ReadRequest } from "../connector.ts";
import { keepPartsInJournal } from "../parts-in-journal.ts";
import { readerRulesOf } from "../reader-rules.ts";
import { deleteMissing, firstSegment } from "../reconcile.ts";
import { SeenRefs } from "../seen-refs.ts";
import { refPrefix } from "../sql/ref-prefix.ts";
import { isAboutOneRelation } from "../sql/relation.ts";
import { compareAudience, compareDocument, digest, hidingOfRows, ownerPrincipal } from "../sql/row-change.ts";
import { UnsettledRows } from "../sql/unsettled-rows.ts";
import { checkMongodb } from "./check-mongodb.ts";
import { openDatabase, refuseWritableUser, type MongoPlace } from "./client.ts";
import { listCollections, missingCollection, resolveCollections } from "./collections.ts";
import {
  mongodbConfigSchema,
  mongodbFacts,
  mongodbSecretSchema,
  type CollectionConfig,
  type MongodbConfig,
  type MongodbSecrets,
} from "./config.ts";
import { aclOf, formatKey, readField, readPersonId, renderDocument, renderingVersion } from "./document.ts";
import { toMongodbError } from "./mongodb-errors.ts";
import { type Chosen, estimateDocuments, readMaxWatermark, readPages } from "./read-collection.ts";

const { EJSON } = BSON;

type Request = ReadRequest<MongodbConfig, MongodbSecrets>;

export const mongodbConnector = defineConnector<MongodbConfig, MongodbSecrets>({
  kind: "mongodb",
  title: "MongoDB",
  ...mongodbFacts,
  configSchema: mongodbConfigSchema,
  secretSchema: mongodbSecretSchema,
  check: checkMongodb,
  read: keepPartsInJournal(["watermarks"], readDatabase),
  readDirectory: readPeople,
});

const cursorSchema = z.object({
  version: z.literal(1),
  /**
   * Per collection: how far it was read, and a digest of what it was read with; another digest reads it anew.
   * `otherMarks` are the documents that it was last read whole for, and that stayed as they were stored.
   */
  watermarks: z.record(
    z.string(),
    z.object({ value: z.string(), settings: z.string(), otherMarks: z.string().optional() }),
  ),
});
type MongodbCursor = z.infer<typeof cursorSchema>;

async function* readDatabase(request: Request): AsyncIterable<Change> {
  const { config, secrets, known, context } = request;
  const { close, ...place } = await openDatabase(config, secrets, context);
  try {
    await refuseWritableUser(place, config);
    const { collections, failures } = await resolveCollections(place, config);
    const seen = new SeenRefs();
    const cursor = parseCursor(request.cursor);
    const listsAll = collections.every((collection) => watermarkOf(collection, cursor) === null);
    const total = listsAll ? await estimateDocuments(place, collections).catch(orOurError(request)) : null;
    const progress: Progress = { cursor, scanned: 0, total, listsAll };
    for (const collection of collections) {
      try {
        yield* readCollection(place, collection, request, seen, progress);
      } catch (error) {
        context.signal.throwIfAborted();
        const ours = toMongodbError(error, config, collection.name);
        if (!isAboutOneRelation(ours)) throw ours;
        failures.push({ name: collection.name, error: ours });
      }
    }
    // One that was dropped or renamed meanwhile seemed to be empty.
    const remaining = await listCollections(place, config);
    for (const { name } of collections) {
      if (!remaining.has(name)) failures.push({ name, error: missingCollection(config, name) });
    }
    const unlisted = new Map(failures.map(({ name, error }) => [refPrefix(name), error]));
    if (failures.length > 0 && collections.every(({ name }) => unlisted.has(refPrefix(name)))) {
      throw failures[0]?.error;
    }
    for (const [ref, error] of unlisted) {
      seen.add(ref);
      yield { type: "failure", ref, error: error.toReport() };
    }
    const isUnlisted = (ref: string) => unlisted.has(ref.slice(0, ref.indexOf("/") + 1));
    const hiding = hidingOfRows(known, readerRulesOf(mongodbFacts, config));
    yield* deleteMissing(known, context.deletions, hiding, (ref) => !seen.has(ref) && !isUnlisted(ref), firstSegment);
    yield { type: "checkpoint", cursor: progress.cursor, scanned: progress.scanned, total: progress.scanned };
  } finally {
    await close();
  }
}

function orOurError({ config, context }: Request): (error: unknown) => never {
  return (error) => {
    context.signal.throwIfAborted();
    throw toMongodbError(error, config, null);
  };
}

type Progress = {
  cursor: MongodbCursor;
  scanned: number;
  /** About so many documents there are, where all of them are read. */
  total: number | null;
  listsAll: boolean;
};

function settingsOf(collection: CollectionConfig): string {
  return digest(JSON.stringify([renderingVersion, collection]));
}

/** Up to where a collection was read with these settings; null where all of it is to be read. */
function watermarkOf(collection: CollectionConfig, { watermarks }: MongodbCursor): string | null {
  const before = watermarks[collection.name];
  return before?.settings === settingsOf(collection) ? before.value : null;
}

function parseCursor(cursor: Cursor | null): MongodbCursor {
  const parsed = cursorSchema.safeParse(cursor);
  return parsed.success ? parsed.data : { version: 1, watermarks: {} };
}

/**
 * A watermark finds what changed quickly, where the clock that writes it only ever goes forward. That it did is not
 * relied on: a document below it whose own watermark is another one than it was read with has the collection read whole,
 * once.
 *
 * The watermark moves only when the whole collection was read without a failure: until then a resumed run reads the
 * same documents again, and knows what is stored by its fingerprint.
 */
async function* readCollection(
  place: MongoPlace,
  collection: CollectionConfig,
  { config, known, context }: Request,
  seen: SeenRefs,
  progress: Progress,
): AsyncIterable<Change> {
  const settings = settingsOf(collection);
  const before = progress.cursor.watermarks[collection.name];
  const since = watermarkOf(collection, progress.cursor);
  const reached = await readMaxWatermark(place, collection);
  const refOf = (document: Document) => refPrefix(collection.name) + encodeURIComponent(formatKey(document["_id"]));

  let failed = false;
  let otherMarks: string | undefined;
  async function* compareDocuments(chosen: Chosen, isNew: (ref: string) => boolean): AsyncIterable<Change> {
    for await (const documents of readPages(place, collection, chosen)) {
      for (const document of documents) {
        progress.scanned += 1;
        const ref = refOf(document);
        const { title, markdown } = renderDocument(collection, document);
        const facts = { ref, title, ...factsOf(config, collection, document) };
        const changes: Change[] = isNew(ref)
          ? await compareDocument(facts, markdown, known, context.limits.documentBytes)
          : [{ type: "failure", ref, error: duplicateKey(ref).toReport() }];
        failed ||= changes.some(({ type }) => type === "failure");
        yield* changes;
      }
      yield { type: "checkpoint", ...progress };
    }
  }
  yield* compareDocuments({ since }, (ref) => seen.add(ref));

  if (since !== null) {
    // Documents below the watermark were not read: their keys tell that they still exist, their owners who may read them.
    const fields = ["_id", collection.owner, collection.watermark].filter((field) => field !== null);
    const outline = { ...collection, fields, title: null };
    const unsettled = new UnsettledRows<unknown>();
    for await (const documents of readPages(place, outline, { since: null })) {
      for (const document of documents) {
        const ref = refOf(document);
        if (!seen.add(ref)) continue;
        await unsettled.add(ref, markOf(collection, document), document["_id"], known);
        const change = await compareAudience(ref, aclOf(config, collection, document), known);
        if (change !== null) yield change;
      }
    }
    otherMarks = unsettled.rowsWithOtherMarks;
    yield* unsettled.readAgain(before?.otherMarks, (ids, isNew) =>
      compareDocuments(ids === null ? { since: null } : { ids }, isNew),
    );
  }
  if (reached !== null && !failed) {
    const read = { value: reached, settings, ...(otherMarks === undefined ? {} : { otherMarks }) };
    const watermarks = { ...progress.cursor.watermarks, [collection.name]: read };
    progress.cursor = { version: 1, watermarks };
  }
}

function factsOf(config: MongodbConfig, collection: CollectionConfig, document: Document) {
  const port = config.port === 27_017 ? "" : `:${config.port}`;
  const path = [config.database, collection.name].map(encodeURIComponent).join("/");
  const id = new URLSearchParams({ _id: formatKey(document["_id"]) });
  const changedAt = collection.watermark === null ? null : readField(document, collection.watermark);
  return {
    uri: `mongodb://${config.host}${port}/${path}?${id}`,
    modifiedAt: changedAt instanceof Date && !Number.isNaN(changedAt.getTime()) ? changedAt.toISOString() : null,
    acl: aclOf(config, collection, document),
    mark: markOf(collection, document),
  };
}

function markOf({ watermark }: CollectionConfig, document: Document): string | null {
  const value = watermark === null ? undefined : readField(document, watermark);
  return value === undefined || value === null ? null : EJSON.stringify({ value }, { relaxed: false });
}

/** The shards of a cluster may each hold one. */
function duplicateKey(ref: string): AnnealError {
  return new AnnealError("CONFLICT", `"${ref}" is the _id of more than one document; only the first was read.`, {
    action: "Remove orphaned documents: https://www.mongodb.com/docs/manual/reference/command/cleanupOrphaned/.",
  });
}

/** Whom the owner fields' ids stand for. */
async function* readPeople({
  config,
  secrets,
  context,
}: DirectoryRequest<MongodbConfig, MongodbSecrets>): AsyncIterable<DirectoryEntry> {
  const { peopleCollection: name, peopleId, peopleEmail } = config;
  if (name === null) return;
  const { close, ...place } = await openDatabase(config, secrets, context);
  try {
    await refuseWritableUser(place, config);
    const found = await listCollections(place, config);
    if (!found.has(name)) throw missingCollection(config, name);
    const fields = [peopleId, peopleEmail];
    const collection = { name, filter: null, fields, title: null, watermark: null, owner: null };
    const emailsById = new Map<string, string[]>();
    for await (const documents of readPages(place, collection, { since: null })) {
      for (const document of documents) {
        const email = readField(document, peopleEmail);
        const emails = (Array.isArray(email) ? email : [email]).filter((value) => typeof value === "string");
        for (const id of readPersonId(readField(document, peopleId))) {
          emailsById.set(id, [...(emailsById.get(id) ?? []), ...emails]);
        }
      }
    }
    for (const [id, emails] of emailsById) {
      yield { type: "user", principal: ownerPrincipal("mongodb", config, id), name: emails[0] ?? id, emails };
    }
  } catch (error) {
    context.signal.throwIfAborted();
    throw toMongodbError(error, config, name);
  } finally {
    await close();
  }
}
