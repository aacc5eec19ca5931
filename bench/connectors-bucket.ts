import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { documentText } from "./connectors-text.ts";

const perFolder = 1000;
const size = Buffer.byteLength(documentText(0));

/**
 * A bucket whose objects are made up when they are asked for, so that 100,000 of them cost nothing to fill in and the
 * server is not what a reader waits for. Speaks as much of S3 as a reader needs, after "ListObjectsV2" and "GetObject" of
 * the Amazon S3 API reference, and looks at no signature.
 * @param latencyMs what an answer takes on top, as from a bucket that is far away
 */
export async function startBucket(
  count: number,
  latencyMs: number,
): Promise<{ endpoint: string; stop(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    if (latencyMs > 0) await sleep(latencyMs);
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    if (searchParams.get("list-type") === "2") {
      response.writeHead(200, { "content-type": "application/xml" }).end(listing(count, searchParams));
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

function listing(count: number, query: URLSearchParams): string {
  const start = Number(query.get("continuation-token") ?? 0);
  const end = Math.min(count, start + Number(query.get("max-keys") ?? 1000));
  let contents = "";
  for (let index = start; index < end; index += 1) {
    const key = `${String(Math.floor(index / perFolder)).padStart(5, "0")}/${String(index).padStart(8, "0")}.md`;
    contents += `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;${etagOf(index)}&quot;</ETag><Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
  }
  const next = end < count ? `<NextContinuationToken>${end}</NextContinuationToken>` : "";
  return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType><IsTruncated>${end < count}</IsTruncated>${next}${contents}</ListBucketResult>`;
}

function etagOf(index: number): string {
  return index.toString(16).padStart(32, "0");
}
