import {
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  type _Object,
} from "@aws-sdk/client-s3";
import type { Change } from "@anneal/core/connect/change";
import { defineConnector, type ReadRequest } from "../connector.ts";
import { mediaTypeOf } from "../media-type.ts";
import {
  checkBucket,
  listChanges,
  type Bucket,
  type BucketObject,
  type BucketWords,
} from "../object-storage/bucket.ts";
import { readAhead } from "../read-ahead.ts";
import { orLostPosition } from "../remote/lost-position.ts";
import { s3ConfigSchema, s3Facts, s3SecretSchema, type S3Config, type S3Secrets } from "./config.ts";
import { openS3Bucket, type S3Bucket } from "./s3-client.ts";
import { archived, lostInListing, notStorage } from "./s3-errors.ts";

const words: BucketWords = { bucket: "bucket", object: "object", permissions: "Object ACLs are not read" };

export const s3Connector = defineConnector<S3Config, S3Secrets>({
  kind: "s3",
  title: "S3 bucket",
  ...s3Facts,
  parallelReads: 6,
  configSchema: s3ConfigSchema,
  secretSchema: s3SecretSchema,

  check(config, secrets, context) {
    const open = () => openBucket(openS3Bucket(config, secrets, context), config);
    return checkBucket(config, config.bucket, words, open, context);
  },
  read: readBucket,
});

/** A small object takes as long as the way to it: so many are under way at once. */
const objectsAhead = 16;
const smallObjectBytes = 64 * 1024;

async function* readBucket(request: ReadRequest<S3Config, S3Secrets>): AsyncIterable<Change> {
  const { config, secrets, context } = request;
  const s3 = openS3Bucket(config, secrets, context);
  const bucket = openBucket(s3, config);
  try {
    yield* readAhead(listChanges(request, bucket), {
      signal: context.signal,
      window: objectsAhead,
      maxBytes: Math.min(smallObjectBytes, context.limits.documentBytes),
    });
  } finally {
    await bucket.close();
  }
}

function openBucket(s3: S3Bucket, config: S3Config): Bucket {
  return {
    async list(continuation, signal) {
      const command = new ListObjectsV2Command({
        Bucket: config.bucket,
        Prefix: config.prefix,
        MaxKeys: 1000,
        ContinuationToken: continuation,
        // Keys may hold characters that XML cannot.
        EncodingType: "url",
      });
      const page = await s3
        .attempt(null, signal, (client) => client.send(command, { abortSignal: signal }))
        .catch(orLostPosition(`Bucket "${config.bucket}"`, continuation));
      if (!isListing(page)) throw notStorage(config, undefined, { retryable: false });
      // Taken for the last one, it would have all that lies behind it deleted.
      if (page.IsTruncated && !page.NextContinuationToken) throw lostInListing(config.bucket);
      const isEncoded = page.EncodingType === "url";
      return {
        objects: (page.Contents ?? []).map((object) => toObject(s3, config, object, isEncoded)),
        next: page.IsTruncated ? page.NextContinuationToken : undefined,
      };
    },
    close: () => s3.close(),
  };
}

/** A page of any web server is read as one without a single field. */
function isListing({ Name, KeyCount, MaxKeys, IsTruncated, Contents }: ListObjectsV2CommandOutput): boolean {
  return [Name, KeyCount, MaxKeys, IsTruncated, Contents].some((field) => field !== undefined);
}

function toObject(s3: S3Bucket, config: S3Config, object: _Object, isEncoded: boolean): BucketObject {
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
    open: (signal) => readObject(s3, config, key, signal),
  };
}

async function readObject(
  s3: S3Bucket,
  config: S3Config,
  key: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const command = new GetObjectCommand({ Bucket: config.bucket, Key: key });
  const { Body } = await s3.attempt(key, signal, (client) => client.send(command, { abortSignal: signal }));
  return s3.receive(key, signal, Body as unknown as AsyncIterable<Uint8Array>);
}
