import { hash } from "node:crypto";
import type { ContentHandle } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import type { FetchMessageObject } from "imapflow";
import { limitBytes } from "../content.ts";
import type { ImapConfig } from "./config.ts";
import { incompleteAnswer } from "./imap-errors.ts";
import type { ImapSession } from "./imap-session.ts";
import { listParts, type MessageParts } from "./message-parts.ts";
import { writeMessageRef, type MessageRef } from "./message-ref.ts";
import { UidSet } from "./uid-set.ts";

/** All messages of a mailbox at one moment; who came later belongs to the next sync. */
export type MailboxListing = { path: string; uidValidity: string; uidNext: number; uids: UidSet };

/** @throws AnnealError when the server did not answer with all of them */
export async function listMailbox(session: ImapSession, config: ImapConfig, path: string): Promise<MailboxListing> {
  return session.inMailbox(path, "search", async (client, mailbox) => {
    // Fetches move it on; messages that arrive during the search are left to the next sync.
    const { uidNext } = mailbox;
    const found = await client.search({ all: true }, { uid: true, returnOptions: ["ALL", "COUNT"] });
    if (!found) throw incompleteAnswer(config, path);
    const uids = Array.isArray(found) ? UidSet.of(found) : UidSet.parse(found.all ?? "");
    // Without an answer at all a full mailbox would look like an empty one.
    if (uids === null || (!Array.isArray(found) && found.count !== uids.size)) throw incompleteAnswer(config, path);
    const end = uidNext > 0 ? uidNext : uids.max + 1;
    return { path, uidValidity: String(mailbox.uidValidity), uidNext: end, uids: uids.below(end) };
  });
}

/** What is known of a message without its body. */
export type MessageFacts = {
  uid: number;
  /** The same wherever the message lies in the account. */
  identity: string;
  subject: string | null;
  sizeBytes: number | null;
  receivedAt: string | null;
  /** Known where attachments are documents of their own. */
  parts: MessageParts | null;
};

export const factsAtOnce = 100;
/** As much of a header as tells two messages apart; whole ones have 2 to 20 KB. */
const headerBytes = 64 * 1024;

/** @returns the messages that are still there, by UID */
export async function fetchFacts(
  session: ImapSession,
  config: ImapConfig,
  listing: Pick<MailboxListing, "path" | "uidValidity">,
  uids: readonly number[],
): Promise<Map<number, MessageFacts>> {
  return session.inMailbox(listing.path, "fetch", async (client, mailbox) => {
    // Numbered anew since it was listed: the next sync finds it so.
    if (String(mailbox.uidValidity) !== listing.uidValidity) return new Map();
    const messages = await client.fetchAll(
      uids.join(","),
      {
        uid: true,
        size: true,
        internalDate: true,
        envelope: true,
        bodyStructure: config.attachments === "apart",
        ...(session.offersMessageIds() ? {} : { bodyParts: [{ key: "HEADER", start: 0, maxLength: headerBytes }] }),
      },
      { uid: true },
    );
    return new Map(messages.map((message) => [message.uid, toFacts(message, listing)]));
  });
}

function toFacts(message: FetchMessageObject, { path, uidValidity }: Pick<MailboxListing, "path" | "uidValidity">) {
  const { uid, size, envelope, internalDate, bodyStructure } = message;
  const subject = envelope?.subject?.replace(/\s+/gu, " ").trim() ?? "";
  const received = internalDate === undefined ? null : new Date(internalDate);
  return {
    uid,
    identity: identityOf(message) ?? `uid-${hash("sha256", path).slice(0, 16)}-${uidValidity}-${uid}`,
    subject: subject === "" ? null : subject,
    sizeBytes: size ?? null,
    receivedAt: received === null || Number.isNaN(received.getTime()) ? null : received.toISOString(),
    parts: bodyStructure === undefined ? null : listParts(bodyStructure),
  };
}

/**
 * The server's own id for a message, which it keeps when the message is moved. Otherwise the whole header and the size:
 * a Message-ID alone can be chosen by whoever writes, the lines that the receiving server put above it cannot.
 */
function identityOf({ emailId, headers, size }: FetchMessageObject): string | null {
  if (emailId !== undefined) return `id-${emailId.replaceAll("|", "%7C").slice(0, 300)}`;
  if (headers === undefined || headers.length === 0) return null;
  return `header-${hash("sha256", headers)}-${size ?? ""}`;
}

const chunkBytes = 1024 * 1024;

/** @param onFailure told when the message could not be read, so that it is tried again */
export function messageContent(
  session: ImapSession,
  ref: MessageRef,
  maxBytes: number,
  onFailure: () => void,
): ContentHandle {
  return {
    async open(signal) {
      try {
        signal.throwIfAborted();
        const first = await readChunk(session, ref, 0);
        return limitBytes(writeMessageRef(ref), watchFailure(readOn(session, ref, first, signal), onFailure), maxBytes);
      } catch (error) {
        onFailure();
        throw error;
      }
    },
  };
}

/** A megabyte at a time, and the mailbox free in between: who reads slowly keeps nobody waiting. */
async function* readOn(
  session: ImapSession,
  ref: MessageRef,
  first: Uint8Array,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  let chunk = first;
  for (let offset = 0; ;) {
    yield chunk;
    offset += chunk.length;
    // Shorter: the end. Longer: a server that sends all of it whatever was asked.
    if (chunk.length !== chunkBytes) return;
    signal.throwIfAborted();
    chunk = await readChunk(session, ref, offset);
  }
}

export async function* watchFailure(body: AsyncIterable<Uint8Array>, onFailure: () => void): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    onFailure();
    throw error;
  }
}

async function readChunk(
  session: ImapSession,
  { mailbox: path, uidValidity, uid }: MessageRef,
  offset: number,
): Promise<Uint8Array> {
  return session.inMailbox(path, "read", async (client, mailbox) => {
    const isSame = String(mailbox.uidValidity) === uidValidity;
    const source = { start: offset, maxLength: chunkBytes };
    const message = isSame ? await client.fetchOne(String(uid), { uid: true, source }, { uid: true }) : false;
    if (message && message.source !== undefined) {
      session.received(message.source.byteLength);
      return message.source;
    }
    // Some servers say of nothing beyond the end that there is nothing.
    if (message && offset > 0) return new Uint8Array();
    throw vanishedMessage({ mailbox: path, uidValidity, uid });
  });
}

export function vanishedMessage({ mailbox }: MessageRef): AnnealError {
  return new AnnealError("SOURCE_NOT_FOUND", `A message in mailbox "${mailbox}" is no longer there.`, {
    action: "Sync again.",
  });
}
