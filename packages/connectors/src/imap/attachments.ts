import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { ContentHandle } from "@anneal/core/connect/change";
import { limitBytes } from "../content.ts";
import type { ImapSession } from "./imap-session.ts";
import { writeMessageRef, type MessageRef } from "./message-ref.ts";
import type { MessageParts } from "./message-parts.ts";
import { vanishedMessage, watchFailure } from "./messages.ts";

/** One attachment, decoded. It lies in a file before it is read, so that nobody waits for the mailbox meanwhile. */
export function attachmentContent(
  session: ImapSession,
  ref: MessageRef,
  section: string,
  place: { tempDir: string; maxBytes: number },
  onFailure: () => void,
): ContentHandle {
  return {
    async open(signal) {
      signal.throwIfAborted();
      const dir = await mkdtemp(join(place.tempDir, "attachment-"));
      const path = join(dir, "content");
      try {
        await session.inMailbox(ref.mailbox, "read", async (client, mailbox) => {
          const isSame = String(mailbox.uidValidity) === ref.uidValidity;
          const options = { uid: true, decodeText: false, chunkSize: 1024 * 1024 };
          const { content } = isSame ? await client.download(String(ref.uid), section, options) : {};
          if (content === undefined) throw vanishedMessage(ref);
          const limited = limitBytes(writeMessageRef(ref), content, place.maxBytes);
          const file = createWriteStream(path);
          await pipeline(limited, file, { signal });
          session.received(file.bytesWritten);
        });
      } catch (error) {
        onFailure();
        await rm(dir, { recursive: true, force: true });
        throw error;
      }
      return watchFailure(readAndRemove(path, dir), onFailure);
    },
  };
}

async function* readAndRemove(path: string, dir: string): AsyncIterable<Uint8Array> {
  try {
    yield* createReadStream(path) as AsyncIterable<Uint8Array>;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A message without its attachments: its own header, and its texts as they are. */
export function textContent(
  session: ImapSession,
  ref: MessageRef,
  parts: MessageParts,
  maxBytes: number,
  onFailure: () => void,
): ContentHandle {
  return {
    async open(signal) {
      signal.throwIfAborted();
      const body = watchFailure(writeTexts(session, ref, parts), onFailure);
      return limitBytes(writeMessageRef(ref), body, maxBytes);
    },
  };
}

async function* writeTexts(
  session: ImapSession,
  ref: MessageRef,
  { texts, isAlternative }: MessageParts,
): AsyncIterable<Uint8Array> {
  const read = (query: { headers?: true; bodyParts?: string[] }) =>
    session.inMailbox(ref.mailbox, "read", async (client, mailbox) => {
      const isSame = String(mailbox.uidValidity) === ref.uidValidity;
      const message = isSame ? await client.fetchOne(String(ref.uid), { uid: true, ...query }, { uid: true }) : false;
      if (!message) throw vanishedMessage(ref);
      for (const bytes of message.bodyParts?.values() ?? []) session.received(bytes?.byteLength ?? 0);
      return message;
    });
  const { headers } = await read({ headers: true });
  const kept = (headers?.toString("latin1") ?? "").replace(
    /^(content-[^:\r\n]*|mime-version):.*\r?\n([ \t].*\r?\n)*/gim,
    "",
  );
  const boundary = `text-${ref.uidValidity}-${ref.uid}-of-anneal`;
  const type = `multipart/${isAlternative ? "alternative" : "mixed"}; boundary="${boundary}"`;
  yield Buffer.from(`${kept.replace(/(\r?\n)+$/, "\r\n")}MIME-Version: 1.0\r\nContent-Type: ${type}\r\n\r\n`, "latin1");
  for (const section of texts) {
    const { bodyParts } = await read({ bodyParts: [`${section}.mime`, section] });
    yield Buffer.from(`--${boundary}\r\n`);
    yield bodyParts?.get(`${section}.mime`) ?? Buffer.from("\r\n");
    yield bodyParts?.get(section) ?? Buffer.alloc(0);
    yield Buffer.from("\r\n");
  }
  yield Buffer.from(`--${boundary}--\r\n`);
}
