import type { ConnectContext } from "@anneal/connectors/connector";
import type { ContentHandle } from "@anneal/core/connect/change";
import { describeBytes } from "@anneal/core/describe-bytes";
import { diskFullError, isDiskFull } from "@anneal/core/disk-full";
import { AnnealError } from "@anneal/core/errors";
import type { FetchedContent } from "@anneal/db/queries/upsert-documents";
import type { ObjectStore } from "@anneal/objects/object-store";
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { createDeadline } from "./deadline.ts";

/** More than this is held in a temporary file, so that a sync's memory does not depend on what it reads. */
const maxHeldBytes = 64 * 1024;
const letGoMs = 10_000;

export type HeldContent = {
  facts: FetchedContent;
  /** Stores the bytes under their hash, and not again where they are stored already. */
  put(): Promise<void>;
  /** To be called when it is no longer needed: nothing can be put after it. */
  release(): Promise<void>;
};

/**
 * Opens content and reads it to its end while hashing it, and holds it until it is released.
 * @param timeoutMs for all of it, less what its source's requests sleep meanwhile
 * @throws AnnealError DOCUMENT_TOO_LARGE, DOCUMENT_TIMEOUT, DISK_FULL, and what the content fails with
 */
export async function fetchContent(
  objects: ObjectStore,
  content: ContentHandle,
  context: Pick<ConnectContext, "tempDir" | "limits" | "signal">,
  timeoutMs: number,
  sleptMs?: () => number,
): Promise<HeldContent> {
  const deadline = createDeadline(context.signal, timeoutMs, sleptMs);
  let stream: AsyncIterator<Uint8Array> | undefined;
  const spool = createSpool(join(context.tempDir, randomUUID()));
  const hash = createHash("sha256");
  let sizeBytes = 0;
  try {
    const opening = content.open(deadline.signal);
    opening.then((late) => (deadline.signal.aborted ? closeUnread(late) : undefined)).catch(() => undefined);
    stream = (await deadline.wait(opening))[Symbol.asyncIterator]();
    for (;;) {
      const { done, value: part } = await deadline.wait(stream.next());
      if (done === true) break;
      sizeBytes += part.byteLength;
      if (sizeBytes > context.limits.documentBytes) throw tooLarge(context.limits.documentBytes);
      hash.update(part);
      await spool.add(part);
    }
    const body = await spool.end();
    const contentHash = hash.digest("hex");
    const contentKey = `content/${contentHash.slice(0, 2)}/${contentHash}`;
    return {
      facts: { contentHash, contentKey, sizeBytes },
      async put() {
        if (!(await objects.exists(contentKey))) await objects.put(contentKey, body());
      },
      release: spool.remove,
    };
  } catch (error) {
    const timeout = deadline.over();
    // What failed in time is told as it is, however long it takes to let go of it.
    deadline.clear();
    await Promise.all([letGo(stream, context.signal), spool.remove()]);
    // What an aborted request fails with says less.
    if (timeout !== null) throw timeout;
    throw isDiskFull(error) ? diskFullError(`the disk of ${context.tempDir}`, error) : error;
  } finally {
    deadline.clear();
  }
}

/** What opened after nobody waited for it any more. It closes when it ends, and so it has to begin. */
async function closeUnread(stream: AsyncIterable<Uint8Array>): Promise<void> {
  const late = stream[Symbol.asyncIterator]();
  await late.next();
  await late.return?.();
}

/** Who reads one content after the other must be let off this one first; one that hangs is not waited for without end. */
async function letGo(stream: AsyncIterator<Uint8Array> | undefined, signal: AbortSignal): Promise<void> {
  if (stream?.return === undefined) return;
  const deadline = createDeadline(signal, letGoMs);
  await deadline.wait(Promise.resolve(stream.return())).catch(() => undefined);
  deadline.clear();
}

/** Bytes in memory, or in a file as soon as they are many. */
function createSpool(path: string) {
  let parts: Uint8Array[] = [];
  let heldBytes = 0;
  let isFile = false;
  let file: FileHandle | null = null;
  const close = async () => {
    const opened = file;
    file = null;
    await opened?.close();
  };
  return {
    async add(part: Uint8Array): Promise<void> {
      heldBytes += part.byteLength;
      if (heldBytes <= maxHeldBytes) {
        parts.push(part);
        return;
      }
      if (file === null) {
        file = await open(path, "wx");
        isFile = true;
        for (const held of parts) await file.writeFile(held);
        parts = [];
      }
      await file.writeFile(part);
    },
    /** What was added; it may be asked for again and again. */
    async end(): Promise<() => Uint8Array | AsyncIterable<Uint8Array>> {
      await close();
      if (isFile) return () => createReadStream(path);
      // A copy, as a part may be a small piece of a large buffer.
      const bytes = Buffer.concat(parts);
      parts = [];
      return () => bytes;
    },
    async remove(): Promise<void> {
      await close();
      if (isFile) await rm(path, { force: true });
    },
  };
}

function tooLarge(documentBytes: number): AnnealError {
  return new AnnealError("DOCUMENT_TOO_LARGE", `The document is larger than ${describeBytes(documentBytes)}.`, {
    action: "Exclude it, split it, or raise ANNEAL_DOCUMENT_MAX_MIB where the worker runs.",
  });
}
