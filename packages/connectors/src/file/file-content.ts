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
        const before = fingerprintOf(await file.stat({ bigint: true }));
        return limitBytes(path, readUnchanged(file, path, before, signal), maxBytes);
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

async function* readUnchanged(
  file: FileHandle,
  path: string,
  before: string,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  try {
    for await (const chunk of file.createReadStream({
      autoClose: false,
      signal,
      highWaterMark: 256 * 1024,
    })) {
      yield chunk as Uint8Array;
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
