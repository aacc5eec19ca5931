import type { ContentHandle } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { limitBytes } from "../content.ts";
import type { SmbConfig } from "./config.ts";
import type { SmbSession } from "./smb-session.ts";
import { pathInShare } from "./walk.ts";

const openedSchema = z.object({ handle: z.number(), size: z.number(), written: z.string(), data: z.base64() });
const pieceSchema = z.object({ data: z.base64() });
/** null where the server does not tell. */
const finishedSchema = z.object({ size: z.number().nullable(), written: z.string().nullable() });

export function shareContent(session: SmbSession, config: SmbConfig, ref: string, maxBytes: number): ContentHandle {
  return {
    async open(signal) {
      const opened = await session.request({ op: "open", path: pathInShare(config, ref) }, openedSchema, ref);
      return limitBytes(ref, readUnchanged(session, opened, ref, signal), maxBytes);
    },
  };
}

async function* readUnchanged(
  session: SmbSession,
  { handle, size, written, data: start }: z.infer<typeof openedSchema>,
  ref: string,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  let isOpen = true;
  try {
    let bytes = Buffer.from(start, "base64");
    for (let offset = 0; bytes.byteLength > 0;) {
      signal.throwIfAborted();
      session.received(bytes.byteLength);
      yield bytes;
      offset += bytes.byteLength;
      if (offset >= size) break;
      const { data } = await session.request({ op: "read", handle, offset }, pieceSchema, ref);
      bytes = Buffer.from(data, "base64");
    }
    isOpen = false;
    const after = await session.request({ op: "finish", handle }, finishedSchema, ref);
    // Half of one version and half of the next is neither.
    if (after.size !== null && (after.size !== size || after.written !== written)) throw changedWhileRead(ref);
  } finally {
    if (isOpen && session.lost() === null) {
      await session.request({ op: "close", handle }, z.unknown(), ref).catch(() => {});
    }
  }
}

function changedWhileRead(ref: string): AnnealError {
  return new AnnealError("CONFLICT", `"${ref}" changed while it was read.`, {
    action: "Sync again once it is no longer written to.",
    retryable: true,
  });
}
