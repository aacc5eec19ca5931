import type { BlobItem, BlobProperties } from "@azure/storage-blob";
import { defineConnector, type ConnectContext } from "../connector.ts";
import { mediaTypeOf } from "../media-type.ts";
import { checkBucket, readBucket, type Bucket, type BucketObject, type BucketWords } from "../object-storage/bucket.ts";
import { orLostPosition } from "../remote/lost-position.ts";
import { createAzureBlobClient, type AzureBlobClient } from "./azure-blob-client.ts";
import { archived, notBlobService, withoutETag } from "./azure-blob-errors.ts";
import {
  azureBlobConfigSchema,
  azureBlobFacts,
  azureBlobSecretSchema,
  type AzureBlobConfig,
  type AzureBlobSecrets,
} from "./config.ts";

const words: BucketWords = {
  bucket: "container",
  object: "blob",
  permissions: "Access control lists of blobs are not read",
};

export const azureBlobConnector = defineConnector<AzureBlobConfig, AzureBlobSecrets>({
  kind: "azure-blob",
  title: "Azure Blob container",
  ...azureBlobFacts,
  parallelReads: 6,
  configSchema: azureBlobConfigSchema,
  secretSchema: azureBlobSecretSchema,

  check: (config, secrets, context) =>
    checkBucket(config, config.container, words, () => openContainer(config, secrets, context), context),
  read: (request) => readBucket(request, () => openContainer(request.config, request.secrets, request.context)),
});

const pageSize = 1000;

function openContainer(config: AzureBlobConfig, secrets: AzureBlobSecrets, context: ConnectContext): Bucket {
  const client = createAzureBlobClient(config, secrets, context);
  return {
    async list(next, signal) {
      const page = listPage(client, config, next, signal);
      const [blobs, following] = await page.catch(orLostPosition(`Container "${config.container}"`, next));
      return { objects: blobs.map((blob) => toObject(client, blob)), next: following };
    },
    close: () => client.close(),
  };
}

/** @returns the blobs, and where the next page begins; a page may be empty and not be the last */
async function listPage(
  client: AzureBlobClient,
  config: AzureBlobConfig,
  continuation: string | undefined,
  abortSignal: AbortSignal,
): Promise<[BlobItem[], string | undefined]> {
  return client.attempt(null, abortSignal, async (container) => {
    const pages = container
      .listBlobsFlat({ prefix: config.prefix, includeMetadata: true, abortSignal })
      .byPage({ maxPageSize: pageSize, ...(continuation === undefined ? {} : { continuationToken: continuation }) });
    try {
      for await (const page of pages) return [page.segment.blobItems, page.continuationToken || undefined];
    } catch (error) {
      // The SDK looks for blobs in whatever is answered, and stumbles where it has no place for any.
      if (error instanceof TypeError) throw notBlobService(new URL(client.url).host);
      throw error;
    }
    return [[], undefined];
  });
}

/** What the SDK calls certain is what the service wrote: one that only speaks its protocol may leave it out. */
function toObject(client: AzureBlobClient, blob: BlobItem): BucketObject {
  const { name, properties, metadata } = blob;
  const url = new URL(client.url);
  const sizeBytes = properties.contentLength ?? null;
  const { etag, lastModified }: Partial<BlobProperties> = properties;
  if (etag === undefined) throw withoutETag(url.host, name);
  return {
    name,
    // Without the query, which may be the SAS token.
    uri: `${url.origin}${url.pathname}/${name.split("/").map(encodeURIComponent).join("/")}`,
    mediaType: mediaTypeOf(name),
    sizeBytes,
    modifiedAt: lastModified?.toISOString() ?? null,
    fingerprint: `${etag.replaceAll('"', "")}-${sizeBytes ?? ""}`,
    // A folder of an account with a hierarchical namespace is an empty blob that says so.
    isFolder: metadata?.["hdi_isfolder"] === "true",
    unreadable: properties.accessTier === "Archive" ? archived(`"${name}"`) : null,
    open: (signal) => readBlob(client, blob, signal),
  };
}

/** The very bytes that were listed: one that was replaced since fails, and is found again by the next sync. */
async function readBlob(
  client: AzureBlobClient,
  { name, properties }: BlobItem,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const response = await client.attempt(name, signal, (container) =>
    container.getBlobClient(name).download(0, undefined, {
      abortSignal: signal,
      conditions: { ifMatch: properties.etag },
      // What breaks off is read again by the next sync, as from every other source.
      maxRetryRequests: 0,
    }),
  );
  return client.receive(name, signal, response.readableStreamBody as unknown as AsyncIterable<Uint8Array>);
}
