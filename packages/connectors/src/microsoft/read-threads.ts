import type { Acl } from "@anneal/core/access/acl";
import type { Change } from "@anneal/core/connect/change";
import { contentOf } from "../content.ts";
import { tooLarge } from "../failure.ts";
import { digest } from "./drive-cursor.ts";
import { isOwnFault, type Graph } from "./graph-client.ts";
import { aclPart, joinParts, splitParts, type FingerprintParts } from "./item-fingerprint.ts";
import { channelPath, type TeamChannel } from "./list-channels.ts";
import { messagePageSchema, messageSchema, threadPageSchema, type Message } from "./teams-schemas.ts";
import { writeThread, type ThreadDocument } from "./thread-document.ts";

const threadQuery = { $top: 50, $expand: "replies" };

export type ReadThread = { ref: string; uri: string; document: ThreadDocument };

/** Every thread of a channel that has a word left in it. */
export async function* readThreads(graph: Graph, channel: TeamChannel): AsyncIterable<ReadThread[]> {
  for await (const page of graph.pages(`${channelPath(channel)}/messages`, threadPageSchema, { query: threadQuery })) {
    const threads: ReadThread[] = [];
    for (const { replies, "replies@odata.nextLink": more, ...root } of page) {
      const messages = [root, ...(replies ?? [])];
      if (more) for await (const next of graph.pages(more, messagePageSchema)) messages.push(...next);
      const thread = toThread(channel, root, messages);
      if (thread !== null) threads.push(thread);
    }
    yield threads;
  }
}

/**
 * "empty": nothing is left to read. "gone": there is no such first message. "unclear": there is, but its replies are not
 * found.
 */
export type ThreadOrNone = ReadThread | "empty" | "gone" | "unclear";

/**
 * One thread, by the id of its first message.
 * @throws AnnealError where it cannot be had for another reason than that it is not found
 */
export async function readThread(graph: Graph, channel: TeamChannel, id: string): Promise<ThreadOrNone> {
  const path = `${channelPath(channel)}/messages/${encodeURIComponent(id)}`;
  const root = await graph.json(path, messageSchema).catch(nullIfNotFound);
  if (root === null) return "gone";
  const replies = await readReplies(graph, `${path}/replies`).catch(nullIfNotFound);
  if (replies === null) return "unclear";
  return toThread(channel, root, [root, ...replies]) ?? "empty";
}

async function readReplies(graph: Graph, path: string): Promise<Message[]> {
  const replies: Message[] = [];
  for await (const page of graph.pages(path, messagePageSchema, { query: { $top: 50 } })) replies.push(...page);
  return replies;
}

function nullIfNotFound(error: unknown): null {
  if (isOwnFault(error) && error.status === 404) return null;
  throw error;
}

function toThread(channel: TeamChannel, root: Message, messages: readonly Message[]): ReadThread | null {
  const document = writeThread(channel.displayName ?? channel.id, messages);
  const ref = refOfThread(channel, root.id);
  return document === null ? null : { ref, uri: root.webUrl ?? ref, document };
}

/** Every ref in a channel begins with it; what is wrong with the channel as a whole has it as its ref. */
export function refOfChannel({ teamId, id }: TeamChannel): string {
  return `${teamId}/${id}/`;
}

export function refOfThread(channel: TeamChannel, id: string): string {
  return refOfChannel(channel) + id;
}

/** Compared by a digest of its words. */
export function* changesOf(
  { ref, uri, document }: ReadThread,
  acl: Acl,
  known: string | null,
  limitBytes: number,
): Iterable<Change> {
  const bytes = Buffer.from(document.html);
  const parts: FingerprintParts = { content: digest(document.html), place: digest(uri), acl: aclPart(acl) };
  const fingerprint = joinParts(parts);
  if (known === fingerprint) return;
  const before = splitParts(known);
  if (before !== null && before.acl !== parts.acl) {
    yield { type: "acl", ref, acl, fingerprint: joinParts({ ...before, acl: parts.acl }) };
  }
  if (before?.content === parts.content && before.place === parts.place) return;
  if (bytes.byteLength > limitBytes) {
    yield { type: "failure", ref, error: tooLarge(document.title, bytes.byteLength, limitBytes).toReport() };
    return;
  }
  const item = {
    ref,
    uri,
    title: document.title,
    mediaType: "text/html",
    sizeBytes: bytes.byteLength,
    modifiedAt: document.modifiedAt,
    fingerprint,
    acl,
  };
  yield { type: "upsert", item, content: contentOf(bytes) };
}
