import { hash } from "node:crypto";
import type { AnnealError } from "@anneal/core/errors";
import type { FetchMessageObject } from "imapflow";
import { isAboutOneMailbox } from "./imap-errors.ts";
import type { ImapSession } from "./imap-session.ts";
import type { MessageRef } from "./message-ref.ts";
import type { MailboxListing } from "./messages.ts";

/** One message of a thread. */
export type ThreadMember = MessageRef & {
  /** The same for the same message in another mailbox. */
  digest: string;
  sizeBytes: number;
  receivedAtMs: number;
  /** How many messages it says it follows. */
  depth: number;
};
/** A message and all answers to it, in the order of their arrival, copies in several mailboxes once. */
export type Thread = { id: string; subject: string | null; members: ThreadMember[] };

const headersAtOnce = 200;

/** `complete`: every message that was listed is in a thread. */
export type GatheredThreads = {
  threads: Thread[];
  complete: boolean;
  unreadable: { ref: MessageRef; error: AnnealError }[];
};

type OpenThread = { subject: string | null; first: ThreadMember; members: Map<string, ThreadMember> };

/** Gathers the threads of all mailboxes: some hundred bytes a message are held at once. */
export async function gatherThreads(
  session: ImapSession,
  listings: readonly MailboxListing[],
): Promise<GatheredThreads> {
  const threads = new Map<string, OpenThread>();
  const unreadable: GatheredThreads["unreadable"] = [];
  let count = 0;
  for (const listing of listings) {
    for await (const message of fetchHeaders(session, listing, unreadable)) {
      count += 1;
      const member = toMember(message, listing);
      const id = threadIdOf(message, member);
      const subject = message.envelope?.subject?.replace(/\s+/gu, " ").trim() || null;
      const thread = threads.get(id) ?? { subject, first: member, members: new Map<string, ThreadMember>() };
      if (compareMembers(member, thread.first) < 0) Object.assign(thread, { subject, first: member });
      if (!thread.members.has(member.digest)) thread.members.set(member.digest, member);
      threads.set(id, thread);
    }
  }
  return {
    threads: [...threads].map(([id, { subject, members }]) => ({
      id,
      subject,
      members: [...members.values()].sort(compareMembers),
    })),
    complete: count === listings.reduce((sum, { uids }) => sum + uids.size, 0),
    unreadable,
  };
}

async function* fetchHeaders(
  session: ImapSession,
  listing: MailboxListing,
  unreadable: GatheredThreads["unreadable"],
): AsyncIterable<FetchMessageObject> {
  let batch: number[] = [];
  for (const uid of listing.uids.from(1)) {
    batch.push(uid);
    if (batch.length < headersAtOnce) continue;
    yield* fetchBatch(session, listing, batch, unreadable);
    batch = [];
  }
  if (batch.length > 0) yield* fetchBatch(session, listing, batch, unreadable);
}

async function* fetchBatch(
  session: ImapSession,
  listing: MailboxListing,
  uids: readonly number[],
  unreadable: GatheredThreads["unreadable"],
): AsyncIterable<FetchMessageObject> {
  const { path, uidValidity } = listing;
  let messages: FetchMessageObject[];
  try {
    messages = await session.inMailbox(path, "fetch", async (client, mailbox) => {
      // Numbered anew since it was listed: the next sync finds it so.
      if (String(mailbox.uidValidity) !== uidValidity) return [];
      const query = {
        uid: true,
        size: true,
        internalDate: true,
        envelope: true,
        threadId: true,
        headers: ["references"],
      };
      return client.fetchAll(uids.join(","), query, { uid: true });
    });
  } catch (error) {
    if (!isAboutOneMailbox(error)) throw error;
    const [only] = uids;
    // One message that the server cannot read fails all that are asked for with it.
    if (uids.length > 1) for (const uid of uids) yield* fetchBatch(session, listing, [uid], unreadable);
    else if (only !== undefined) unreadable.push({ ref: { mailbox: path, uidValidity, uid: only }, error });
    return;
  }
  yield* messages;
}

function toMember(message: FetchMessageObject, { path, uidValidity }: MailboxListing): ThreadMember {
  const { uid, size = 0, internalDate, envelope, emailId } = message;
  const receivedAtMs = internalDate === undefined ? 0 : new Date(internalDate).getTime() || 0;
  const digest = shorten(
    JSON.stringify([emailId ?? envelope?.messageId ?? [path, uidValidity, uid], size, receivedAtMs]),
  );
  const depth = referencesOf(message).length;
  return { mailbox: path, uidValidity, uid, digest, sizeBytes: size, receivedAtMs, depth };
}

/** Times of arrival are whole seconds; a message comes before those that follow it. */
function compareMembers(a: ThreadMember, b: ThreadMember): number {
  return a.receivedAtMs - b.receivedAtMs || a.depth - b.depth || (a.digest < b.digest ? -1 : 1);
}

/** The messages that it follows, the one that began all first; whoever says no more names the one that is answered. */
function referencesOf({ headers, envelope }: FetchMessageObject): string[] {
  const references = headers?.toString("latin1").match(/<[^<>\s]+>/g) ?? [];
  if (references.length > 0) return references;
  return envelope?.inReplyTo ? [envelope.inReplyTo] : [];
}

/** The server's own id of it, or the message that began it. */
function threadIdOf(message: FetchMessageObject, { digest }: ThreadMember): string {
  if (message.threadId !== undefined) return shorten(`server ${message.threadId}`);
  const [begun = message.envelope?.messageId ?? digest] = referencesOf(message);
  return shorten(`begun ${begun}`);
}

export function digestThread({ members }: Thread): string {
  return `thread-${hash("sha256", members.map(({ digest }) => digest).join())}`;
}

function shorten(text: string): string {
  return hash("sha256", text).slice(0, 32);
}
