import { isAnnealError, type AnnealError } from "@anneal/core/errors";
import { isOwnFault, isStale, type Graph } from "./graph-client.ts";
import { channelPath, type TeamChannel } from "./list-channels.ts";
import { packLink, unpackLink } from "./teams-cursor.ts";
import { feedPageSchema } from "./teams-schemas.ts";

/** What the feed of a channel's messages told in one go. */
export type FeedRound = {
  /**
   * Threads in which something changed, by the id of their first message, and whether the feed says that this message is
   * deleted. Whether it names a reply, the thread that has a new one, or neither, Microsoft's page about it leaves open. No
   * more of them than `maxNamedThreads` and one.
   */
  threads: ReadonlyMap<string, boolean>;
  /** Where the next round begins; null where Graph tells none. */
  link: string | null;
};

/** Each is asked for twice, for its first message and its replies; a listing has 50 of them in one answer. */
export const maxNamedThreads = 50;

/** More than two clocks of one service are apart; what it names besides is met by the listing that follows. */
const marginMs = 24 * 60 * 60 * 1000;

/**
 * Where the feed stands now: a link that tells of whatever changes from here on. "chatMessage: delta" has no way to ask for
 * that alone; with a date in the filter it need not tell the messages of eight months first.
 * @returns null where Graph does not tell it, as of some channels without a word in them, or for any fault of the feed, an
 * answer that cannot be understood included: whether the channel itself can be read is for its listing to find
 * @throws AnnealError where the credentials are refused or Graph asks to wait, which is not about this feed
 */
export async function findPosition(graph: Graph, signal: AbortSignal, channel: TeamChannel): Promise<string | null> {
  const after = new Date(graph.now() - marginMs).toISOString();
  const query = { $filter: `lastModifiedDateTime gt ${after}`, $top: 50 };
  const round = await walk(graph, signal, channel, feedPath(channel), query).catch((error: unknown) => {
    signal.throwIfAborted();
    if (isOwnFault(error) || isOfFeed(error)) return null;
    throw error;
  });
  return round?.link ?? null;
}

/**
 * @param link one that `findPosition` or an earlier round gave
 * @returns null where Graph does not go on from it: it is too old, refused, or not understood any more, or the answer is not
 * @throws AnnealError for another fault, which may be over at the next sync
 */
export async function followLink(
  graph: Graph,
  signal: AbortSignal,
  channel: TeamChannel,
  link: string,
): Promise<FeedRound | null> {
  return walk(graph, signal, channel, unpackLink(link, feedAddress(graph, channel)), {});
}

async function walk(
  graph: Graph,
  signal: AbortSignal,
  channel: TeamChannel,
  from: string,
  firstQuery: Record<string, string | number>,
): Promise<FeedRound | null> {
  const threads = new Map<string, boolean>();
  let next = from;
  for (let query = firstQuery; ; query = {}) {
    const page = await graph.json(next, feedPageSchema, { query }).catch((error: unknown) => {
      signal.throwIfAborted();
      if (isStale(error) || (isOfFeed(error) && !error.retryable)) return null;
      throw error;
    });
    if (page === null) return null;
    for (const { id, replyToId, deletedDateTime, "@removed": removed } of page.value) {
      if (threads.size > maxNamedThreads) break;
      const isDeleted = !replyToId && !!(removed ?? deletedDateTime);
      const rootId = replyToId || id;
      threads.set(rootId, isDeleted || threads.get(rootId) === true);
    }
    const following = page["@odata.nextLink"];
    if (!following) {
      const link = page["@odata.deltaLink"];
      return { threads, link: link ? packLink(link, feedAddress(graph, channel)) : null };
    }
    next = following;
  }
}

/** Not about the account or the service as a whole; where Graph is not there at all, the listing finds the same. */
function isOfFeed(error: unknown): error is AnnealError {
  return isAnnealError(error) && !["SOURCE_CREDENTIALS", "RATE_LIMITED"].includes(error.code);
}

function feedPath(channel: TeamChannel): string {
  return `${channelPath(channel)}/messages/delta`;
}

function feedAddress(graph: Graph, channel: TeamChannel): URL {
  return graph.addressOf(feedPath(channel));
}
