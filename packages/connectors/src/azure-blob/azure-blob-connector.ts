import { basename } from "node:path";
import type { BlobItem } from "@azure/storage-blob";
import type { Change, ContentHandle, KnownItems, SourceItem } from "@anneal/core/connect/change";
import type { AnnealError } from "@anneal/core/errors";
import { defineConnector, type ReadRequest } from "../connector.ts";
import { limitBytes } from "../content.ts";
import { failedCheck, tooLarge } from "../failure.ts";
import { mediaTypeOf } from "../media-type.ts";
import { isIncluded } from "../path-filter.ts";
import { addToPreview, describePreview, type Preview } from "../preview.ts";
import { deleteMissing } from "../reconcile.ts";
import { SeenRefs } from "../seen-refs.ts";
import { archived, createAzureBlobClient, toAzureBlobError, type AzureBlobClient } from "./azure-blob-client.ts";
import { azureBlobConfigSchema, azureBlobSecretSchema, type AzureBlobConfig, type AzureBlobSecrets } from "./config.ts";

export const azureBlobConnector = defineConnector<AzureBlobConfig, AzureBlobSecrets>({
  kind: "azure-blob",
  title: "Azure Blob container",
  changeModel: "fingerprint",
  // A blob cannot be renamed: what people call a move is a copy and a deletion.
  capabilities: { permissions: false, deletions: true, moves: false },
  configSchema: azureBlobConfigSchema,
  secretSchema: azureBlobSecretSchema,

  async check(config, secrets, context) {
    try {
      const client = createAzureBlobClient(config, secrets, context.limits);
      try {
        const [page, next] = await listPage(client, config, undefined, context.signal);
        const preview: Preview = { count: 0, complete: next === undefined, samples: [] };
        const wanted = page.filter((blob) => isWanted(blob, config));
        for (const { name } of wanted) addToPreview(preview, name);
        const readable = wanted.find((blob) => !isArchived(blob));
        if (readable !== undefined) await probeBlob(client, readable, context.signal);
        const place = `${config.prefix === "" ? "Container" : `"${config.prefix}" in container`} "${config.container}"`;
        return {
          checks: [
            {
              capability: "read",
              status: wanted.length === 0 ? "warning" : "ok",
              message: wanted.length === 0 ? `${place} holds no blob to read.` : `Blobs in ${place} can be read.`,
            },
            {
              capability: "permissions",
              status: "warning",
              message: "Access control lists of blobs are not read: every document gets the source's default audience.",
            },
          ],
          summary: `${place} can be read and holds ${describePreview(preview, "blob")}.`,
          error: null,
        };
      } finally {
        client.close();
      }
    } catch (error) {
      return failedCheck("read", error);
    }
  },

  read: readContainer,
});

const pageSize = 1000;

function isWanted(blob: BlobItem, config: AzureBlobConfig): boolean {
  // A folder of an account with a hierarchical namespace is an empty blob that says so.
  const isFolder = blob.metadata?.["hdi_isfolder"] === "true" || blob.name.endsWith("/");
  return !isFolder && isIncluded(blob.name.slice(config.prefix.length), config);
}

/** A checkpoint carries no position: listing again costs a request per thousand blobs and reads none of them. */
async function* readContainer(request: ReadRequest<AzureBlobConfig, AzureBlobSecrets>): AsyncIterable<Change> {
  const { config, secrets, known, context } = request;
  const client = createAzureBlobClient(config, secrets, context.limits);
  try {
    const seen = new SeenRefs();
    let scanned = 0;
    let continuation: string | undefined;
    do {
      const [page, next] = await listPage(client, config, continuation, context.signal);
      for (const blob of page) {
        if (!isWanted(blob, config)) continue;
        seen.add(blob.name);
        scanned += 1;
        const change = await changeOf(client, blob, known, context.limits.documentBytes);
        if (change !== null) yield change;
      }
      yield { type: "checkpoint", cursor: { version: 1 }, scanned, total: null };
      continuation = next;
    } while (continuation !== undefined);
    yield* deleteMissing(known, context.deletions, (ref) => !seen.has(ref));
    yield { type: "checkpoint", cursor: { version: 1 }, scanned, total: scanned };
  } finally {
    client.close();
  }
}

/** @returns the blobs, and where the next page begins; a page may be empty and not be the last */
async function listPage(
  client: AzureBlobClient,
  config: AzureBlobConfig,
  continuation: string | undefined,
  abortSignal: AbortSignal,
): Promise<[BlobItem[], string | undefined]> {
  try {
    abortSignal.throwIfAborted();
    const pages = client.container
      .listBlobsFlat({ prefix: config.prefix, includeMetadata: true, abortSignal })
      .byPage({ maxPageSize: pageSize, ...(continuation === undefined ? {} : { continuationToken: continuation }) });
    for await (const page of pages) return [page.segment.blobItems, page.continuationToken || undefined];
    return [[], undefined];
  } catch (error) {
    abortSignal.throwIfAborted();
    throw toAzureBlobError(error, client, null);
  }
}

async function changeOf(
  client: AzureBlobClient,
  blob: BlobItem,
  known: KnownItems,
  maxBytes: number,
): Promise<Change | null> {
  const item = itemOf(client, blob);
  if ((await known.fingerprintOf(item.ref)) === item.fingerprint) return null;
  const failure = (error: AnnealError): Change => ({ type: "failure", ref: item.ref, error: error.toReport() });
  const { sizeBytes } = item;
  if (sizeBytes !== null && sizeBytes > maxBytes) return failure(tooLarge(item.ref, sizeBytes, maxBytes));
  if (isArchived(blob)) return failure(archived(`"${item.ref}"`));
  return { type: "upsert", item, content: blobContent(client, blob, maxBytes) };
}

function itemOf(client: AzureBlobClient, { name, properties }: BlobItem): SourceItem {
  const url = new URL(client.container.url);
  const sizeBytes = properties.contentLength ?? null;
  return {
    ref: name,
    // Without the query, which may be the SAS token.
    uri: `${url.origin}${url.pathname}/${name.split("/").map(encodeURIComponent).join("/")}`,
    title: basename(name),
    mediaType: mediaTypeOf(name),
    sizeBytes,
    modifiedAt: properties.lastModified.toISOString(),
    fingerprint: `${properties.etag.replaceAll('"', "")}-${sizeBytes ?? ""}`,
    acl: null,
  };
}

function isArchived({ properties }: BlobItem): boolean {
  return properties.accessTier === "Archive";
}

function blobContent(client: AzureBlobClient, blob: BlobItem, maxBytes: number): ContentHandle {
  return {
    async open(signal) {
      return limitBytes(blob.name, await readBlob(client, blob, signal), maxBytes);
    },
  };
}

/** The very bytes that were listed: one that was replaced since fails, and is found again by the next sync. */
async function readBlob(
  client: AzureBlobClient,
  { name, properties }: BlobItem,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const orAzureBlobError = (error: unknown) => {
    signal.throwIfAborted();
    return toAzureBlobError(error, client, name);
  };
  const response = await client.container
    .getBlobClient(name)
    .download(0, undefined, { abortSignal: signal, conditions: { ifMatch: properties.etag } })
    .catch((error: unknown) => {
      throw orAzureBlobError(error);
    });
  return (async function* () {
    try {
      for await (const chunk of response.readableStreamBody ?? []) yield chunk as unknown as Uint8Array;
    } catch (error) {
      throw orAzureBlobError(error);
    }
  })();
}

async function probeBlob(client: AzureBlobClient, blob: BlobItem, signal: AbortSignal): Promise<void> {
  for await (const _ of await readBlob(client, blob, signal)) return;
}
