import { constants } from "node:fs";
import { open, realpath, type FileHandle } from "node:fs/promises";
import { AnnealError } from "@anneal/core/errors";
import type { ContentHandle } from "@anneal/core/connect/change";
import { limitBytes } from "../content.ts";
import { changedWhileRead, toFileError } from "./file-errors.ts";
import { fingerprintOf, isInside } from "./walk.ts";

/**
 * Opens the file only where it still lies inside the root: between listing and opening, a folder of the path may have
 * become a link. The final component is opened without following links, and never blocks on a pipe.
 */
export function fileContent(root: string, path: string, maxBytes: number): ContentHandle {
  return {
    async open(signal) {
      const file = await openInside(root, path);
      try {
        const stats = await file.stat({ bigint: true });
        // One byte more than there is, so that a file that grew shows.
        const chunkBytes = Math.min(maxChunkBytes, Number(stats.size) + 1);
        return limitBytes(path, readUnchanged(file, path, fingerprintOf(stats), chunkBytes, signal), maxBytes);
      } catch (error) {
        await file.close();
        throw error;
      }
    },
  };
}

async function openInside(root: string, path: string): Promise<FileHandle> {
  try {
    const target = await realpath(path);
    if (!isInside(root, target)) {
      throw new AnnealError("SOURCE_FORBIDDEN", `"${path}" leads outside the source's folder.`, {
        action: "Replace the link by the file itself, or add the folder it points to as a source.",
      });
    }
    const file = await open(target, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw new AnnealError("SOURCE_NOT_FOUND", `"${path}" is no longer a file.`, {
      action: "Sync again.",
    });
  } catch (error) {
    throw toFileError(error, path);
  }
}

const maxChunkBytes = 256 * 1024;

async function* readUnchanged(
  file: FileHandle,
  path: string,
  before: string,
  chunkBytes: number,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  try {
    for (;;) {
      signal.throwIfAborted();
      // Not a stream, which takes 256 KiB of memory for each file, however small: most of the time went into giving it back.
      const chunk = Buffer.allocUnsafeSlow(chunkBytes);
      const { bytesRead } = await file.read(chunk, 0, chunkBytes, null);
      if (bytesRead === 0) break;
      yield chunk.subarray(0, bytesRead);
    }
    // Half of one version and half of the next is neither.
    if (fingerprintOf(await file.stat({ bigint: true })) !== before) throw changedWhileRead(path);
  } catch (error) {
    signal.throwIfAborted();
    throw toFileError(error, path);
  } finally {
    await file.close();
  }
}
