import { basename } from "node:path";
import type { Change, KnownItems, SourceItem } from "@anneal/core/connect/change";
import { leaveOut, type LeftOut } from "@anneal/core/connect/left-out";
import { AnnealError } from "@anneal/core/errors";
import type { CheckResult, ConnectContext, ReadRequest } from "../connector.ts";
import { limitBytes } from "../content.ts";
import { failedCheck, tooLarge } from "../failure.ts";
import { beginFirstSync, countOrNull, cursorOnTheWay } from "../first-sync.ts";
import { keptReaders } from "../hiding.ts";
import { isIncluded, type PathFilter } from "../path-filter.ts";
import { addToPreview, describePreview, type Preview } from "../preview.ts";
import { deleteMissing } from "../reconcile.ts";
import { SeenRefs } from "../seen-refs.ts";

/** An object as a listing tells of it, without its content. */
export type BucketObject = Pick<SourceItem, "uri" | "mediaType" | "sizeBytes" | "modifiedAt" | "fingerprint"> & {
  name: string;
  /** Not a document: what stands for an empty folder. */
  isFolder: boolean;
  /** Why it cannot be read now, though it is listed; null when it can. */
  unreadable: AnnealError | null;
  /** @throws AnnealError, also while it is read */
  open(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
};

/** A bucket of S3, a container of Azure, a bucket of Google: names with contents, listed page by page. */
export type Bucket = {
  /**
   * Of the configured prefix. A page may be empty and not be the last.
   * @param next of the page before
   * @throws AnnealError
   */
  list(next: string | undefined, signal: AbortSignal): Promise<{ objects: BucketObject[]; next: string | undefined }>;
  close(): void | Promise<void>;
};

/** As people call them there, and what is not read of them. */
export type BucketWords = { bucket: "bucket" | "container"; object: "object" | "blob"; permissions: string };

type Place = PathFilter & { prefix: string };

/** The first page, and one of its objects: to list and to read are two permissions. */
export async function checkBucket(
  config: Place,
  name: string,
  words: BucketWords,
  open: () => Bucket,
  { signal }: Pick<ConnectContext, "signal">,
): Promise<CheckResult> {
  try {
    const bucket = open();
    try {
      const { objects, next } = await bucket.list(undefined, signal);
      const preview: Preview = { count: 0, complete: next === undefined, samples: [] };
      const wanted = objects.filter((object) => isWanted(object, config));
      for (const object of wanted) addToPreview(preview, object.name);
      const readable = wanted.find((object) => object.unreadable === null);
      if (readable !== undefined) for await (const _ of await readable.open(signal)) break;
      const place = `${config.prefix === "" ? capitalised(words.bucket) : `"${config.prefix}" in ${words.bucket}`} "${name}"`;
      return {
        checks: [
          wanted.length === 0
            ? { capability: "read", status: "warning", message: `${place} holds no ${words.object} to read.` }
            : { capability: "read", status: "ok", message: `${capitalised(words.object)}s in ${place} can be read.` },
          {
            capability: "permissions",
            status: "warning",
            message: `${words.permissions}: every document gets the source's default audience.`,
          },
        ],
        summary: `${place} can be read and holds ${describePreview(preview, words.object)}.`,
        error: null,
      };
    } finally {
      await bucket.close();
    }
  } catch (error) {
    return failedCheck("read", error);
  }
}

type Reading = Pick<ReadRequest<Place, unknown>, "config" | "cursor" | "known" | "context">;

export async function* readBucket(request: Reading, open: () => Bucket): AsyncIterable<Change> {
  const bucket = open();
  try {
    yield* listChanges(request, bucket);
  } finally {
    await bucket.close();
  }
}

/**
 * What changed in a bucket that stays open. A checkpoint carries no position: listing again costs a request per thousand
 * objects and reads none of them.
 */
export async function* listChanges({ config, cursor, known, context }: Reading, bucket: Bucket): AsyncIterable<Change> {
  const first = await beginFirstSync(cursor, () => countObjects(bucket, config, context));
  const total = first?.total ?? null;
  const seen = new SeenRefs();
  const leftOut: LeftOut = {};
  let scanned = 0;
  let next: string | undefined;
  do {
    const page = await bucket.list(next, context.signal);
    for (const object of page.objects) {
      if (showsFolder(object)) continue;
      if (!isWanted(object, config)) {
        leaveOut(leftOut, "excluded");
        continue;
      }
      if (await turnsOutEmpty(object, known, context.signal)) continue;
      seen.add(refOf(object));
      scanned += 1;
      const change = await changeOf(object, known, context.limits.documentBytes);
      if (change !== null) yield change;
    }
    yield { type: "checkpoint", cursor: cursorOnTheWay(first), scanned, total, leftOut: { ...leftOut } };
    next = page.next;
  } while (next !== undefined);
  yield* deleteMissing(known, context.deletions, keptReaders, (ref) => !seen.has(ref));
  yield { type: "checkpoint", cursor: { version: 1 }, scanned, total: scanned, leftOut };
}

async function countObjects(bucket: Bucket, config: Place, context: ConnectContext): Promise<number | null> {
  return countOrNull(context, async () => {
    let count = 0;
    let next: string | undefined;
    do {
      const page = await bucket.list(next, context.signal);
      for (const object of page.objects) if (isWanted(object, config)) count += 1;
      next = page.next;
    } while (next !== undefined);
    return count;
  });
}

function isWanted(object: BucketObject, { prefix, ...filter }: Place): boolean {
  const path = object.name.slice(prefix.length).replace(/\/+$/, "");
  return !showsFolder(object) && isIncluded(path, filter);
}

/** A name that ends in a slash, and nothing under it, is what programs create to show an empty folder; some write a line feed. */
function showsFolder({ name, sizeBytes, isFolder }: BucketObject): boolean {
  return isFolder || (name.endsWith("/") && sizeBytes !== null && sizeBytes <= 1);
}

/** Whether it shows an empty folder, where the listing does not tell its size. What is known already has had content. */
async function turnsOutEmpty(object: BucketObject, known: KnownItems, signal: AbortSignal): Promise<boolean> {
  const { name, sizeBytes, unreadable, fingerprint } = object;
  if (!name.endsWith("/") || sizeBytes !== null || unreadable !== null || name.includes("\0")) return false;
  if ((await known.fingerprintOf(refOf(object))) === fingerprint) return false;
  let begin = Buffer.alloc(0);
  try {
    for await (const chunk of await object.open(signal)) {
      begin = Buffer.concat([begin, chunk]);
      if (begin.length > 1) return false;
    }
  } catch (error) {
    // Whoever reads the document is told why it cannot be read.
    if (error instanceof AnnealError) return false;
    throw error;
  }
  return begin.length === 0 || begin.equals(lineFeed);
}
const lineFeed = Buffer.from("\n");

/**
 * Names may hold any character; databases do not take a null in a text, and a ref that ends in a slash is a folder's. What ends
 * as such a name is written gets a sign more, so that two objects never have one ref.
 */
function refOf({ name }: BucketObject): string {
  return name
    .replaceAll("\0", "%00")
    .replace(/%(?=(?:25)*2F$)/, "%25")
    .replace(/\/$/, "%2F");
}

async function changeOf(object: BucketObject, known: KnownItems, maxBytes: number): Promise<Change | null> {
  const { name, uri, sizeBytes, unreadable } = object;
  const ref = refOf(object);
  const failure = (error: AnnealError): Change => ({ type: "failure", ref, error: error.toReport() });
  if (name.includes("\0")) return failure(holdsNull(ref));
  if ((await known.fingerprintOf(ref)) === object.fingerprint) return null;
  if (sizeBytes !== null && sizeBytes > maxBytes) return failure(tooLarge(uri, sizeBytes, maxBytes));
  if (unreadable !== null) return failure(unreadable);
  const open = async (signal: AbortSignal) => limitBytes(name, await object.open(signal), maxBytes);
  return { type: "upsert", item: itemOf(object, ref), content: { open } };
}

function holdsNull(ref: string): AnnealError {
  return new AnnealError("INVALID_INPUT", `The name "${ref}" holds a null character.`, {
    action: "Copy the object to a name without it.",
  });
}

function itemOf(object: BucketObject, ref: string): SourceItem {
  const { name, uri, mediaType, sizeBytes, modifiedAt, fingerprint } = object;
  return { ref, uri, title: basename(name) || ref, mediaType, sizeBytes, modifiedAt, fingerprint, acl: null };
}

function capitalised(word: string): string {
  return `${word[0]!.toUpperCase()}${word.slice(1)}`;
}
