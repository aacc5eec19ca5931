import { defineConnector, type ConnectContext } from "../connector.ts";
import { mediaTypeOf, parseMediaType } from "../media-type.ts";
import { checkBucket, readBucket, type Bucket, type BucketObject, type BucketWords } from "../object-storage/bucket.ts";
import { gcsConfigSchema, gcsFacts, gcsSecretSchema, type GcsConfig, type GcsSecrets } from "./config.ts";
import { createGcsClient, listPage, readObject, type GcsClient, type GcsObject } from "./gcs-api.ts";

const words: BucketWords = { bucket: "bucket", object: "object", permissions: "Access to objects is not read" };

export const gcsConnector = defineConnector<GcsConfig, GcsSecrets>({
  kind: "gcs",
  title: "Google Cloud Storage",
  ...gcsFacts,
  parallelReads: 6,
  configSchema: gcsConfigSchema,
  secretSchema: gcsSecretSchema,

  check: (config, secrets, context) =>
    checkBucket(config, config.bucket, words, () => openBucket(config, secrets, context), context),
  read: (request) => readBucket(request, () => openBucket(request.config, request.secrets, request.context)),
});

const pageSize = 1000;

function openBucket(config: GcsConfig, secrets: GcsSecrets, context: ConnectContext): Bucket {
  const client = createGcsClient(config, secrets, context);
  return {
    async list(pageToken) {
      const { objects, next } = await listPage(client, config, pageToken, pageSize);
      return { objects: objects.map((object) => toObject(client, config, object)), next };
    },
    close: () => client.close(),
  };
}

function toObject(client: GcsClient, config: GcsConfig, object: GcsObject): BucketObject {
  const { name, size, generation, updated, contentType } = object;
  const sizeBytes = Number(size);
  return {
    name,
    uri: `gs://${config.bucket}/${name}`,
    mediaType: mediaTypeOf(name) ?? parseMediaType(contentType ?? null),
    sizeBytes: Number.isSafeInteger(sizeBytes) ? sizeBytes : null,
    modifiedAt: updated ?? null,
    fingerprint: generation,
    isFolder: false,
    unreadable: null,
    open: () => readObject(client, config, name),
  };
}
