import { GetObjectCommand, ListObjectsV2Command, type S3Client, type _Object } from "@aws-sdk/client-s3";
import type { Change } from "@anneal/core/connect/change";
import { defineConnector, type ReadRequest } from "../connector.ts";
import { collectBytes, limitBytes } from "../content.ts";
import { mediaTypeOf } from "../media-type.ts";
import {
  checkBucket,
  listChanges,
  type Bucket,
  type BucketObject,
  type BucketWords,
} from "../object-storage/bucket.ts";
import { s3ConfigSchema, s3SecretSchema, type S3Config, type S3Secrets } from "./config.ts";
import { readAhead } from "./read-ahead.ts";
import { archived, createS3Client, toS3Error } from "./s3-client.ts";

const words: BucketWords = { bucket: "bucket", object: "object", permissions: "Object ACLs are not read" };

export const s3Connector = defineConnector<S3Config, S3Secrets>({
  kind: "s3",
  title: "S3 bucket",
  changeModel: "fingerprint",
  parallelReads: 6,
  // A key cannot be renamed in S3: what people call a move is a new object and a deleted one.
  capabilities: { permissions: false, deletions: true, moves: false },
  configSchema: s3ConfigSchema,
  secretSchema: s3SecretSchema,

  check(config, secrets, context) {
    const open = () => openBucket(createS3Client(config, secrets, context.limits), config);
    return checkBucket(config, config.bucket, words, open, context);
  },
  read: readBucket,
});

/** A small object takes as long as the way to it: so many are under way at once. */
const objectsAhead = 16;
const smallObjectBytes = 64 * 1024;

async function* readBucket(request: ReadRequest<S3Config, S3Secrets>): AsyncIterable<Change> {
  const { config, secrets, context } = request;
  const client = createS3Client(config, secrets, context.limits);
  const bucket = openBucket(client, config);
  try {
    yield* readAhead(listChanges(request, bucket), {
      window: objectsAhead,
      maxBytes: Math.min(smallObjectBytes, context.limits.documentBytes),
      fetch: async (key) =>
        collectBytes(
          limitBytes(key, await readObject(client, config, key, context.signal), context.limits.documentBytes),
        ),
    });
  } finally {
    await bucket.close();
  }
}

function openBucket(client: S3Client, config: S3Config): Bucket {
  return {
    async list(continuation, signal) {
      try {
        const page = await client.send(
          new ListObjectsV2Command({
            Bucket: config.bucket,
            Prefix: config.prefix,
            MaxKeys: 1000,
            ContinuationToken: continuation,
            // Keys may hold characters that XML cannot.
            EncodingType: "url",
          }),
          { abortSignal: signal },
        );
        const isEncoded = page.EncodingType === "url";
        return {
          objects: (page.Contents ?? []).map((object) => toObject(client, config, object, isEncoded)),
          next: page.IsTruncated ? page.NextContinuationToken : undefined,
        };
      } catch (error) {
        signal.throwIfAborted();
        throw toS3Error(error, config, null);
      }
    },
    close: () => client.destroy(),
  };
}

function toObject(client: S3Client, config: S3Config, object: _Object, isEncoded: boolean): BucketObject {
  const listed = object.Key ?? "";
  const key = isEncoded ? decodeURIComponent(listed.replaceAll("+", " ")) : listed;
  const uri = `s3://${config.bucket}/${key}`;
  const sizeBytes = object.Size ?? 0;
  // Intelligent-Tiering has archive tiers too, but only a read tells; that read fails with the same sentence.
  const isArchived = object.StorageClass === "GLACIER" || object.StorageClass === "DEEP_ARCHIVE";
  return {
    name: key,
    uri,
    mediaType: mediaTypeOf(key),
    sizeBytes,
    modifiedAt: object.LastModified?.toISOString() ?? null,
    fingerprint: `${(object.ETag ?? "").replaceAll('"', "")}-${sizeBytes}`,
    isFolder: false,
    unreadable: isArchived ? archived(`"${uri}"`) : null,
    open: (signal) => readObject(client, config, key, signal),
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
