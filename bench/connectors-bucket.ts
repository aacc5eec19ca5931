import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { documentText } from "./connectors-text.ts";

const perFolder = 1000;
const size = Buffer.byteLength(documentText(0));

/**
 * A bucket whose objects are made up when they are asked for, so that 100,000 of them cost nothing to fill in and the
 * server is not what a reader waits for. Speaks as much as a reader needs of S3, after "ListObjectsV2" and "GetObject" of
 * the Amazon S3 API reference, or of Azure Blob Storage, after "List Blobs" and "Get Blob" of its REST reference, and looks
 * at no signature.
 * @param latencyMs what an answer takes on top, as from a bucket that is far away
 */
export async function startBucket(
  count: number,
  { latencyMs = 0, dialect }: { latencyMs?: number; dialect: "s3" | "azure" },
): Promise<{ endpoint: string; stop(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    if (latencyMs > 0) await sleep(latencyMs);
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    if (searchParams.get("list-type") === "2" || searchParams.get("comp") === "list") {
      const list = dialect === "s3" ? listObjects : listBlobs;
      response.writeHead(200, { "content-type": "application/xml" }).end(list(count, searchParams));
      return;
    }
    const index = Number(/(\d+)\.md$/.exec(pathname)?.[1] ?? Number.NaN);
    if (!(index < count)) response.writeHead(404).end("<Error><Code>NoSuchKey</Code></Error>");
    else response.writeHead(200, { "content-length": size, etag: etagOf(index) }).end(documentText(index));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listObjects(count: number, query: URLSearchParams): string {
  const start = Number(query.get("continuation-token") ?? 0);
  const end = Math.min(count, start + Number(query.get("max-keys") ?? 1000));
  let contents = "";
  for (let index = start; index < end; index += 1) {
    contents += `<Contents><Key>${keyOf(index)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;${etagOf(index)}&quot;</ETag><Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
  }
  const next = end < count ? `<NextContinuationToken>${end}</NextContinuationToken>` : "";
  return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType><IsTruncated>${end < count}</IsTruncated>${next}${contents}</ListBucketResult>`;
}

function listBlobs(count: number, query: URLSearchParams): string {
  const start = Number(query.get("marker") ?? 0);
  const end = Math.min(count, start + Number(query.get("maxresults") ?? 5000));
  let blobs = "";
  for (let index = start; index < end; index += 1) {
    blobs += `<Blob><Name>${keyOf(index)}</Name><Properties><Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified><Etag>${etagOf(index)}</Etag><Content-Length>${size}</Content-Length><BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier></Properties></Blob>`;
  }
  return `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="papers"><Blobs>${blobs}</Blobs><NextMarker>${end < count ? end : ""}</NextMarker></EnumerationResults>`;
}

function keyOf(index: number): string {
  return `${String(Math.floor(index / perFolder)).padStart(5, "0")}/${String(index).padStart(8, "0")}.md`;
}

function etagOf(index: number): string {
  return index.toString(16).padStart(32, "0");
}
