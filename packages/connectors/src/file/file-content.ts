import { constants, type BigIntStats } from "node:fs";
import { open, realpath, type FileHandle } from "node:fs/promises";
import { AnnealError } from "@anneal/core/errors";
import type { ContentHandle } from "@anneal/core/connect/change";
import { limitBytes } from "../content.ts";
import type { FileCalls } from "./file-calls.ts";
import { changedWhileRead, toFileError } from "./file-errors.ts";
import { isInside, type Ground } from "./ground.ts";
import { fingerprintOf } from "./walk.ts";

/**
 * Opens the file only where it still lies inside the ground: between listing and opening, a folder of the path may have
 * become a link. The final component is opened without following links, and never blocks on a pipe.
 *
 * @param judged the file that its readers were told of; null where permissions are not read
 */
export function fileContent(
  ground: Ground,
  { path, judged }: { path: string; judged: BigIntStats | null },
  maxBytes: number,
  calls: FileCalls,
): ContentHandle {
  return {
    async open(signal) {
      const { file, stats } = await openInside(ground, path, calls, signal);
      // Its readers would be those of another file, or those that it had before.
      if (judged !== null && rightsOf(stats) !== rightsOf(judged)) {
        await calls.close(path, file, signal);
        throw changedWhileRead(path);
      }
      return limitBytes(path, readUnchanged(file, path, stats, calls, signal), maxBytes);
    },
  };
}

/** Which file it is, and what its readers come from. */
function rightsOf({ dev, ino, mode, uid, gid }: BigIntStats): string {
  return [dev, ino, mode, uid, gid].join();
}

async function openInside(
  ground: Ground,
  path: string,
  calls: FileCalls,
  signal: AbortSignal,
): Promise<{ file: FileHandle; stats: BigIntStats }> {
  try {
    const target = await calls.call(path, () => realpath(path), signal);
    if (!isInside(ground, target)) {
      throw new AnnealError("SOURCE_FORBIDDEN", `"${path}" leads outside the source's folder.`, {
        action: "Replace the link by the file itself, or add the folder it points to as a source.",
      });
    }
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await calls.open(path, () => open(target, flags), signal);
    try {
      const stats = await calls.call(path, () => file.stat({ bigint: true }), signal);
      if (stats.isFile()) return { file, stats };
      throw new AnnealError("SOURCE_NOT_FOUND", `"${path}" is no longer a file.`, {
        action: "Sync again.",
      });
    } catch (error) {
      await calls.close(path, file, signal);
      throw error;
    }
  } catch (error) {
    throwIfEnded(calls, signal);
    throw toFileError(error, path);
  }
}

const maxChunkBytes = 256 * 1024;

async function* readUnchanged(
  file: FileHandle,
  path: string,
  before: BigIntStats,
  calls: FileCalls,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const sizeBytes = Number(before.size);
  // One byte more than there is, so that a file that grew shows.
  const chunkBytes = Math.min(maxChunkBytes, sizeBytes + 1);
  let readBytes = 0;
  try {
    for (;;) {
      // Not a stream, which takes 256 KiB of memory for each file, however small: most of the time went into giving it back.
      const chunk = Buffer.allocUnsafeSlow(chunkBytes);
      const { bytesRead } = await calls.call(path, () => file.read(chunk, 0, chunkBytes, null), signal);
      if (bytesRead === 0) break;
      yield chunk.subarray(0, bytesRead);
      readBytes += bytesRead;
      // More was asked for than there was: a further read would find the same end.
      if (readBytes === sizeBytes && bytesRead < chunkBytes) break;
    }
    // Half of one version and half of the next is neither.
    const after = await calls.call(path, () => file.stat({ bigint: true }), signal);
    if (fingerprintOf(after) !== fingerprintOf(before)) throw changedWhileRead(path);
  } catch (error) {
    throwIfEnded(calls, signal);
    throw toFileError(error, path);
  } finally {
    await calls.close(path, file, signal);
  }
}

function throwIfEnded({ ended }: FileCalls, signal: AbortSignal): void {
  signal.throwIfAborted();
  ended.throwIfAborted();
}
