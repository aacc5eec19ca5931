import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ContentHandle } from "@anneal/core/connect/change";

/**
 * A document too large for memory, kept in a file until it is read once. Whatever is never read goes with the
 * folder, which belongs to whoever started the run.
 */
export async function saveDownload(
  body: AsyncIterable<Uint8Array>,
  tempDir: string,
): Promise<{ digest: string; sizeBytes: number; content: ContentHandle }> {
  const path = join(tempDir, `${randomUUID()}.download`);
  const digest = createHash("sha256");
  let sizeBytes = 0;
  const file = await open(path, "wx");
  try {
    for await (const chunk of body) {
      digest.update(chunk);
      sizeBytes += chunk.byteLength;
      await file.writeFile(chunk);
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  const content: ContentHandle = {
    async open(signal) {
      return (async function* () {
        try {
          yield* createReadStream(path, { signal }) as AsyncIterable<Uint8Array>;
        } finally {
          await rm(path, { force: true });
        }
      })();
    },
  };
  return { digest: digest.digest("base64url").slice(0, 32), sizeBytes, content };
}
