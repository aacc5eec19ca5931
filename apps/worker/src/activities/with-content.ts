import type { ConnectContext } from "@anneal/connectors/connector";
import { diskFullError, isDiskFull } from "@anneal/core/disk-full";
import { AnnealError } from "@anneal/core/errors";
import type { FetchedContent } from "@anneal/db/queries/connect";
import type { ObjectStore } from "@anneal/objects/object-store";
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * Streams content to a temporary file while hashing it, and hands it to `work`, which says when it is to be stored: once
 * under its hash, and not again where it is stored already.
 */
export async function withContent<Result>(
  objects: ObjectStore,
  stream: AsyncIterable<Uint8Array>,
  context: Pick<ConnectContext, "tempDir" | "limits">,
  work: (content: FetchedContent, put: () => Promise<void>) => Promise<Result>,
): Promise<Result> {
  const path = join(context.tempDir, randomUUID());
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const file = await open(path, "wx");
  try {
    try {
      for await (const part of stream) {
        sizeBytes += part.byteLength;
        if (sizeBytes > context.limits.documentBytes) {
          throw new AnnealError(
            "DOCUMENT_TOO_LARGE",
            `The document is larger than ${context.limits.documentBytes} bytes.`,
            {
              action: "Split it, or raise the size limit.",
            },
          );
        }
        hash.update(part);
        await file.writeFile(part);
      }
    } catch (error) {
      throw isDiskFull(error) ? diskFullError(`the disk of ${context.tempDir}`, error) : error;
    } finally {
      await file.close();
    }
    const contentHash = hash.digest("hex");
    const contentKey = `content/${contentHash.slice(0, 2)}/${contentHash}`;
    return await work({ contentHash, contentKey, sizeBytes }, async () => {
      if (!(await objects.exists(contentKey))) await objects.put(contentKey, createReadStream(path));
    });
  } finally {
    await rm(path, { force: true });
  }
}
