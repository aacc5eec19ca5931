import type { ContentHandle } from "@anneal/core/connect/change";
import { limitBytes } from "../content.ts";
import type { ImapSession } from "./imap-session.ts";
import { messageContent, watchFailure } from "./messages.ts";
import type { Thread } from "./threads.ts";

/**
 * A thread as one e-mail: the subject, sender and date of its first message, and every message attached whole
 * (multipart/digest, RFC 2046), so that whoever reads e-mails with attachments reads threads.
 */
export function threadContent(
  session: ImapSession,
  thread: Thread,
  maxBytes: number,
  onFailure: () => void,
): ContentHandle {
  return {
    async open(signal) {
      const body = watchFailure(writeThread(session, thread, signal), onFailure);
      return limitBytes(thread.subject ?? thread.id, body, maxBytes);
    },
  };
}

async function* writeThread(session: ImapSession, thread: Thread, signal: AbortSignal): AsyncIterable<Uint8Array> {
  // As long as a digest: no message holds it by chance.
  const boundary = `thread-${thread.id}`;
  yield Buffer.from(await readFirstHeader(session, thread));
  yield Buffer.from(`MIME-Version: 1.0\r\nContent-Type: multipart/digest; boundary="${boundary}"\r\n\r\n`);
  for (const member of thread.members) {
    yield Buffer.from(`--${boundary}\r\nContent-Type: message/rfc822\r\n\r\n`);
    yield* await messageContent(session, member, Number.POSITIVE_INFINITY, () => {}).open(signal);
    yield Buffer.from("\r\n");
  }
  yield Buffer.from(`--${boundary}--\r\n`);
}

async function readFirstHeader(session: ImapSession, { members }: Thread): Promise<string> {
  const [first] = members;
  if (first === undefined) return "";
  return session.inMailbox(first.mailbox, "fetch", async (client) => {
    const headers = ["subject", "from", "date"];
    const message = await client.fetchOne(String(first.uid), { uid: true, headers }, { uid: true });
    // It ends in the empty line that ends a header.
    return (message && message.headers ? message.headers.toString("latin1") : "")
      .replace(/(\r\n)+$/, "\r\n")
      .trimStart();
  });
}
