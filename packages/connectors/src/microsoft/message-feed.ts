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
 * @returns null where Graph does not tell it, as of some channels without a word in them, or for a fault of the feed alone:
 * whether the channel itself can be read is for its listing to find
 */
export async function findPosition(graph: Graph, channel: TeamChannel): Promise<string | null> {
  const after = new Date(graph.now() - marginMs).toISOString();
  const query = { $filter: `lastModifiedDateTime gt ${after}`, $top: 50 };
  const round = await walk(graph, channel, feedPath(channel), query).catch((error: unknown) => {
    if (isOwnFault(error)) return null;
    throw error;
  });
  return round?.link ?? null;
}

/**
 * @param link one that `findPosition` or an earlier round gave
 * @returns null where Graph does not go on from it: it is too old, or not understood any more
 * @throws RemoteError for another fault of the feed, which may be over at the next sync
 */
export async function followLink(graph: Graph, channel: TeamChannel, link: string): Promise<FeedRound | null> {
  return walk(graph, channel, unpackLink(link, feedAddress(graph, channel)), {});
}

async function walk(
  graph: Graph,
  channel: TeamChannel,
  from: string,
  firstQuery: Record<string, string | number>,
): Promise<FeedRound | null> {
  const threads = new Map<string, boolean>();
  let next = from;
  for (let query = firstQuery; ; query = {}) {
    const page = await graph.json(next, feedPageSchema, { query }).catch((error: unknown) => {
      if (isStale(error) || (isOwnFault(error) && [400, 404].includes(error.status))) return null;
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

function feedPath(channel: TeamChannel): string {
  return `${channelPath(channel)}/messages/delta`;
}

function feedAddress(graph: Graph, channel: TeamChannel): URL {
  return graph.addressOf(feedPath(channel));
}
