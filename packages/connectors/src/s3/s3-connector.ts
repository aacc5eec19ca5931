import { basename } from "node:path";
import { GetObjectCommand, ListObjectsV2Command, type S3Client, type _Object } from "@aws-sdk/client-s3";
import type { Change, ContentHandle, KnownItems, SourceItem } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { defineConnector, type ReadRequest } from "../connector.ts";
import { limitBytes } from "../content.ts";
import { failedCheck, tooLarge } from "../failure.ts";
import { mediaTypeOf } from "../media-type.ts";
import { isIncluded } from "../path-filter.ts";
import { addToPreview, describePreview, type Preview } from "../preview.ts";
import { deleteMissing } from "../reconcile.ts";
import { SeenRefs } from "../seen-refs.ts";
import { s3ConfigSchema, s3SecretSchema, type S3Config, type S3Secrets } from "./config.ts";
import { archived, createS3Client, toS3Error } from "./s3-client.ts";

export const s3Connector = defineConnector<S3Config, S3Secrets>({
  kind: "s3",
  title: "S3 bucket",
  changeModel: "fingerprint",
  // A key cannot be renamed in S3: what people call a move is a new object and a deleted one.
  capabilities: { permissions: false, deletions: true, moves: false },
  configSchema: s3ConfigSchema,
  secretSchema: s3SecretSchema,

  async check(config, secrets, context) {
    try {
      const client = createS3Client(config, secrets, context.limits);
      try {
        const [page, next] = await listPage(client, config, undefined, context.signal, checkedObjects);
        const preview: Preview = { count: 0, complete: next === undefined, samples: [] };
        const wanted = page.filter((object) => isWanted(object, config));
        for (const object of wanted) addToPreview(preview, object.key);
        const readable = wanted.find((object) => !isArchived(object));
        if (readable !== undefined) await probeObject(client, config, readable.key, context.signal);
        const place = `${config.prefix === "" ? "Bucket" : `"${config.prefix}" in bucket`} "${config.bucket}"`;
        return {
          checks: [
            {
              capability: "read",
              status: wanted.length === 0 ? "warning" : "ok",
              message: wanted.length === 0 ? `${place} holds no object to read.` : `Objects in ${place} can be read.`,
            },
            {
              capability: "permissions",
              status: "warning",
              message: "Object ACLs are not read: every document gets the source's default audience.",
            },
          ],
          summary: `${place} can be read and holds ${describePreview(preview, "object")}.`,
          error: null,
        };
      } finally {
        client.destroy();
      }
    } catch (error) {
      return failedCheck("read", error);
    }
  },

  read: readBucket,
});

const checkedObjects = 1000;

type ListedObject = {
  key: string;
  sizeBytes: number;
  etag: string;
  modifiedAt: string | null;
  storageClass: string;
};

function isWanted({ key }: ListedObject, config: S3Config): boolean {
  // A key that ends in a slash is what consoles create to show an empty folder.
  return !key.endsWith("/") && isIncluded(key.slice(config.prefix.length), config);
}

/** A checkpoint carries no position: listing again costs a request per thousand objects and reads none of them. */
async function* readBucket(request: ReadRequest<S3Config, S3Secrets>): AsyncIterable<Change> {
  const { config, secrets, known, context } = request;
  const client = createS3Client(config, secrets, context.limits);
  try {
    const seen = new SeenRefs();
    let scanned = 0;
    let continuation: string | undefined;
    do {
      const [page, next] = await listPage(client, config, continuation, context.signal, 1000);
      for (const object of page) {
        if (!isWanted(object, config)) continue;
        seen.add(object.key);
        scanned += 1;
        const change = await changeOf(client, config, object, known, context.limits.documentBytes);
        if (change !== null) yield change;
      }
      yield { type: "checkpoint", cursor: { version: 1 }, scanned, total: null };
      continuation = next;
    } while (continuation !== undefined);
    yield* deleteMissing(known, context.deletions, (ref) => !seen.has(ref));
    yield { type: "checkpoint", cursor: { version: 1 }, scanned, total: scanned };
  } finally {
    client.destroy();
  }
}

async function listPage(
  client: S3Client,
  config: S3Config,
  continuation: string | undefined,
  signal: AbortSignal,
  maxKeys: number,
): Promise<[ListedObject[], string | undefined]> {
  try {
    const page = await client.send(
      new ListObjectsV2Command({
        Bucket: config.bucket,
        Prefix: config.prefix,
        MaxKeys: maxKeys,
        ContinuationToken: continuation,
        // Keys may hold characters that XML cannot.
        EncodingType: "url",
      }),
      { abortSignal: signal },
    );
    const objects = (page.Contents ?? []).map((object) => toListedObject(object, page.EncodingType === "url"));
    return [objects, page.IsTruncated ? page.NextContinuationToken : undefined];
  } catch (error) {
    signal.throwIfAborted();
    throw toS3Error(error, config, null);
  }
}

function toListedObject(object: _Object, encoded: boolean): ListedObject {
  const key = object.Key ?? "";
  return {
    key: encoded ? decodeURIComponent(key.replaceAll("+", " ")) : key,
    sizeBytes: object.Size ?? 0,
    etag: (object.ETag ?? "").replaceAll('"', ""),
    modifiedAt: object.LastModified?.toISOString() ?? null,
    storageClass: object.StorageClass ?? "STANDARD",
  };
}

async function changeOf(
  client: S3Client,
  config: S3Config,
  object: ListedObject,
  known: KnownItems,
  maxBytes: number,
): Promise<Change | null> {
  if (object.key.includes("\0")) return unspeakableKey(object.key);
  const item = itemOf(config, object);
  if ((await known.fingerprintOf(item.ref)) === item.fingerprint) return null;
  if (object.sizeBytes > maxBytes) {
    return {
      type: "failure",
      ref: item.ref,
      error: tooLarge(item.uri, object.sizeBytes, maxBytes).toReport(),
    };
  }
  if (isArchived(object)) return { type: "failure", ref: item.ref, error: archived(`"${item.uri}"`).toReport() };
  return { type: "upsert", item, content: objectContent(client, config, object.key, maxBytes) };
}

/** S3 takes any character in a key; databases do not take this one in a text. */
function unspeakableKey(key: string): Change {
  const ref = key.replaceAll("\0", "%00");
  const error = new AnnealError("INVALID_INPUT", `The key "${ref}" holds a null character.`, {
    action: "Copy the object to a key without it.",
  });
  return { type: "failure", ref, error: error.toReport() };
}

function itemOf(config: S3Config, object: ListedObject): SourceItem {
  return {
    ref: object.key,
    uri: `s3://${config.bucket}/${object.key}`,
    title: basename(object.key),
    mediaType: mediaTypeOf(object.key),
    sizeBytes: object.sizeBytes,
    modifiedAt: object.modifiedAt,
    fingerprint: `${object.etag}-${object.sizeBytes}`,
    acl: null,
  };
}

/** Intelligent-Tiering has archive tiers too, but only a read tells; that read fails with the same sentence. */
function isArchived(object: ListedObject): boolean {
  return object.storageClass === "GLACIER" || object.storageClass === "DEEP_ARCHIVE";
}

function objectContent(client: S3Client, config: S3Config, key: string, maxBytes: number): ContentHandle {
  return {
    async open(signal) {
      const body = readObject(client, config, key, signal);
      return limitBytes(key, await body, maxBytes);
    },
  };
}

async function readObject(
  client: S3Client,
  config: S3Config,
  key: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const orS3Error = (error: unknown) => {
    signal.throwIfAborted();
    return toS3Error(error, config, key);
  };
  const response = await client
    .send(new GetObjectCommand({ Bucket: config.bucket, Key: key }), { abortSignal: signal })
    .catch((error: unknown) => {
      throw orS3Error(error);
    });
  return (async function* () {
    try {
      yield* response.Body as unknown as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw orS3Error(error);
    }
  })();
}

async function probeObject(client: S3Client, config: S3Config, key: string, signal: AbortSignal): Promise<void> {
  for await (const _ of await readObject(client, config, key, signal)) return;
}
