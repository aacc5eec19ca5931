import type { ContentHandle } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { limitBytes } from "../content.ts";
import type { RemoteFile, RemoteStats, SftpSession } from "./sftp-session.ts";
import { isInside, isRegularFile } from "./walk.ts";

/** What every server must be able to send at once; larger answers are optional. */
const pieceBytes = 32 * 1024;
/** Pieces asked for ahead, so that a far server does not make each one wait for the last. */
const piecesAhead = 8;

/** Size and time are all that the protocol tells; a rewrite of one size within one second is not seen. */
export function contentFingerprint({ size, mtime }: RemoteStats): string {
  return `${size ?? ""}-${mtime ?? ""}`;
}

/**
 * Opens the file only where it still lies inside the root: between listing and opening, it or a folder above it may
 * have become a link. The protocol cannot open without following, so the place is looked at before and after.
 */
export function remoteContent(session: SftpSession, root: string, path: string, maxBytes: number): ContentHandle {
  return {
    async open(signal) {
      const file = await openInside(session, root, path);
      try {
        const before = await file.stat();
        if (!isRegularFile(before)) throw noLongerAFile(path);
        return limitBytes(path, readUnchanged(file, path, before, signal), maxBytes);
      } catch (error) {
        await file.close();
        throw error;
      }
    },
  };
}

async function openInside(session: SftpSession, root: string, path: string): Promise<RemoteFile> {
  const target = await session.realPath(path);
  if (!isInside(root, target)) throw outside(path);
  if (!isRegularFile(await session.lstat(target))) throw noLongerAFile(path);
  const file = await session.open(target);
  try {
    if ((await session.realPath(target)) !== target) throw outside(path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function* readUnchanged(
  file: RemoteFile,
  path: string,
  before: RemoteStats,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  // A server that tells no size is read to the end.
  const sizeBytes = before.size ?? Number.POSITIVE_INFINITY;
  const ahead: Promise<Uint8Array>[] = [];
  let asked = 0;
  try {
    for (let received = 0; received < sizeBytes;) {
      signal.throwIfAborted();
      while (ahead.length < piecesAhead && asked < sizeBytes) {
        const piece = file.read(asked, Math.min(pieceBytes, sizeBytes - asked));
        // One that fails is met when its turn comes; until then it is no unhandled rejection.
        piece.catch(() => {});
        ahead.push(piece);
        asked += pieceBytes;
      }
      const bytes = await ahead.shift();
      // It became shorter, which the comparison below says.
      if (bytes === undefined || bytes.byteLength === 0) break;
      received += bytes.byteLength;
      yield bytes;
    }
    // Half of one version and half of the next is neither.
    if (contentFingerprint(await file.stat()) !== contentFingerprint(before)) throw changedWhileRead(path);
  } finally {
    await Promise.allSettled(ahead);
    await file.close();
  }
}

function outside(path: string): AnnealError {
  return new AnnealError("SOURCE_FORBIDDEN", `"${path}" leads outside the source's folder.`, {
    action: "Replace the link by the file itself, or add the folder it points to as a source.",
  });
}

function noLongerAFile(path: string): AnnealError {
  return new AnnealError("SOURCE_NOT_FOUND", `"${path}" is no longer a file.`, { action: "Sync again." });
}

function changedWhileRead(path: string): AnnealError {
  return new AnnealError("CONFLICT", `"${path}" changed while it was read.`, {
    action: "Sync again once it is no longer written to.",
    retryable: true,
  });
}
