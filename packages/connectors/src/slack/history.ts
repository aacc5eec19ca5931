import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { tooLarge } from "../failure.ts";
import { compareTs, dayOf, isBroadcast, isSaid, isThreadRoot, messageSchema, type Message } from "./message.ts";
import type { SlackClient } from "./slack-client.ts";

/** What was said in a channel on one day in UTC, oldest first. */
export type ChannelDay = {
  day: string;
  unthreaded: Message[];
  roots: Message[];
  /** Threads of whatever age that got a reply which was also sent to the channel. */
  repliedThreads: string[];
};

const messagesSchema = z.looseObject({ messages: z.array(messageSchema) });

/** Beyond any clock of ours that goes wrong. */
const aheadSeconds = 24 * 60 * 60;

/**
 * @param oldest a whole day's beginning, as a ts: every day that is given back is complete
 * @param latest a whole day's end; left out: everything until now
 */
export async function* readDays(
  client: SlackClient,
  channelId: string,
  oldest: string,
  // Only with both ends given is the newest message sure to come first.
  latest = `${Math.floor(Date.now() / 1000) + aheadSeconds}.000000`,
): AsyncIterable<ChannelDay> {
  const range = { channel: channelId, oldest, latest, inclusive: true };
  let day: ChannelDay | null = null;
  for await (const { messages } of client.pages("conversations.history", messagesSchema, range)) {
    for (const message of messages) {
      const date = dayOf(message.ts);
      if (day !== null && date > day.day) throw outOfOrder();
      if (day !== null && date < day.day) {
        yield inOrder(day);
        day = null;
      }
      day ??= { day: date, unthreaded: [], roots: [], repliedThreads: [] };
      if (isBroadcast(message)) day.repliedThreads.push(message.thread_ts!);
      else if (isThreadRoot(message)) day.roots.push(message);
      else if (isSaid(message)) day.unthreaded.push(message);
    }
  }
  if (day !== null) yield inOrder(day);
}

function inOrder(day: ChannelDay): ChannelDay {
  const byTime = (a: Message, b: Message) => compareTs(a.ts, b.ts);
  // Newest first, as they came, so that the position in a channel only ever goes back.
  return { ...day, unthreaded: day.unthreaded.sort(byTime), roots: day.roots.sort(byTime).reverse() };
}

function outOfOrder(): AnnealError {
  return new AnnealError("SOURCE_UNREACHABLE", "Slack sent a channel's history in an unknown order.", {
    action: "Sync again later; if it stays, report it.",
  });
}

/**
 * A thread, root first.
 *
 * @throws AnnealError DOCUMENT_TOO_LARGE as soon as its text is larger than a document may be
 */
export async function readThread(
  client: SlackClient,
  channelId: string,
  threadTs: string,
  limitBytes: number,
): Promise<Message[]> {
  const thread: Message[] = [];
  let sizeBytes = 0;
  const query = { channel: channelId, ts: threadTs };
  for await (const { messages } of client.pages("conversations.replies", messagesSchema, query)) {
    for (const message of messages) {
      sizeBytes += Buffer.byteLength(message.text ?? "");
      thread.push(message);
    }
    if (sizeBytes > limitBytes) throw tooLarge(`${channelId}/${threadTs}`, null, limitBytes);
  }
  // Some pages begin with the root again.
  const unique = new Map(thread.map((message) => [message.ts, message]));
  return [...unique.values()].sort((a, b) => compareTs(a.ts, b.ts));
}
