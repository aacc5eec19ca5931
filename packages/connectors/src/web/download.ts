import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ContentHandle } from "@anneal/core/connect/change";

/**
 * A document too large for memory, kept in a file until it is read once or dropped. What is left of a run that ends before
 * goes with the folder, which belongs to whoever started it.
 */
export async function saveDownload(
  body: AsyncIterable<Uint8Array>,
  tempDir: string,
): Promise<{ digest: string; sizeBytes: number; content: ContentHandle; drop(): Promise<void> }> {
  const path = join(tempDir, `${randomUUID()}.download`);
  const drop = () => rm(path, { force: true });
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
    await drop();
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
          await drop();
        }
      })();
    },
  };
  return { digest: digest.digest("base64url").slice(0, 32), sizeBytes, content, drop };
}
