import type { ContentHandle } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { limitBytes } from "../content.ts";
import type { RemoteFile, RemoteStats, SftpSession } from "./sftp-session.ts";
import { isInside, isRegularFile } from "./walk.ts";

/** What every server must be able to send at once; larger answers are optional. */
const pieceBytes = 32 * 1024;
/** Of a file that the server tells no size of, as nobody knows where it ends. */
const unsizedAheadBytes = 8 * pieceBytes;
/**
 * What is asked for ahead of a file is held until its reader takes it. A file of so many bytes is asked for at once, so that
 * it comes whole before anything of a file that was opened after it.
 */
export const aheadBytes = 16 * 1024 * 1024;

/** Size and time are all that the protocol tells; a rewrite of one size within one second is not seen. */
export function contentFingerprint({ size, mtime }: RemoteStats): string {
  return `${size ?? ""}-${mtime ?? ""}`;
}

/**
 * Opens the file only where it still lies inside the root: between listing and opening, it or a folder above it may
 * have become a link. The protocol cannot open without following, so the place is looked at before and after. Requests
 * that need not wait for each other go out together: of a small file there are seven, which take as long as four.
 *
 * @param judged what its readers were told by; null where permissions are not read
 */
export function remoteContent(
  session: SftpSession,
  root: string,
  path: string,
  maxBytes: number,
  judged: RemoteStats | null = null,
): ContentHandle {
  return {
    async open(signal) {
      const { target, before } = await lookInside(session, root, path);
      // Its readers would be those that it had before.
      if (judged !== null && rightsOf(before) !== rightsOf(judged)) throw changedWhileRead(path);
      const file = await session.open(target);
      const placeAfter = session.realPath(target);
      const pieces = askAhead(file, before.size);
      try {
        if ((await placeAfter) !== target) throw outside(path);
        return limitBytes(path, readUnchanged(file, path, before, pieces, signal), maxBytes);
      } catch (error) {
        await pieces.end();
        file.close();
        throw error;
      }
    },
  };
}

function rightsOf({ mode, uid, gid }: RemoteStats): string {
  return [mode, uid, gid].join();
}

/** Nothing is opened that is no file: to open a pipe waits for its writer, and all else on the connection with it. */
async function lookInside(
  session: SftpSession,
  root: string,
  path: string,
): Promise<{ target: string; before: RemoteStats }> {
  const [target, looked] = await Promise.all([session.realPath(path), session.lstat(path)]);
  if (!isInside(root, target)) throw outside(path);
  const before = target === path ? looked : await session.lstat(target);
  if (!isRegularFile(before)) throw noLongerAFile(path);
  return { target, before };
}

type Pieces = {
  /** @returns null at the end of what was there */
  next(): Promise<Uint8Array | null>;
  /** Asks for nothing more, and comes back when nothing is under way. */
  end(): Promise<void>;
};

function askAhead(file: RemoteFile, sizeBytes: number | undefined): Pieces {
  // A server that tells no size is read to the end.
  const endAt = sizeBytes ?? Number.POSITIVE_INFINITY;
  const mostAhead = sizeBytes === undefined ? unsizedAheadBytes : aheadBytes;
  const ahead: Promise<Uint8Array>[] = [];
  const ended = new AbortController();
  let asked = 0;
  let taken = 0;
  const ask = () => {
    while (asked < endAt && asked - taken < mostAhead) {
      const piece = file.read(asked, Math.min(pieceBytes, endAt - asked), ended.signal);
      // One that fails is met when its turn comes; until then it is no unhandled rejection.
      piece.catch(() => {});
      ahead.push(piece);
      asked += pieceBytes;
    }
  };
  ask();
  return {
    async next() {
      const bytes = await ahead.shift();
      // It may have become shorter than it was.
      if (bytes === undefined || bytes.byteLength === 0) return null;
      taken += pieceBytes;
      ask();
      return bytes;
    },
    async end() {
      ended.abort();
      await Promise.allSettled(ahead);
    },
  };
}

/** @param before as it was before it was opened */
async function* readUnchanged(
  file: RemoteFile,
  path: string,
  before: RemoteStats,
  pieces: Pieces,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  try {
    for (;;) {
      signal.throwIfAborted();
      const bytes = await pieces.next();
      if (bytes === null) break;
      yield bytes;
    }
    const after = await file.stat();
    if (!isRegularFile(after)) throw noLongerAFile(path);
    // Half of one version and half of the next is neither.
    if (contentFingerprint(after) !== contentFingerprint(before)) throw changedWhileRead(path);
  } finally {
    await pieces.end();
    file.close();
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
