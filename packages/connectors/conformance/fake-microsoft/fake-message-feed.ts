import { fail, ok, type GraphAnswer, type GraphRequest } from "./fake-answers.ts";
import { pageOfFeed } from "./fake-feed.ts";
import type { FakeChannel, FakeMessage, FakeTenant } from "./fake-tenant.ts";

/** A message as Graph shows it. @param rootId of the message that it replies to; null for the first of a thread */
export function describeMessage(
  { id: channelId }: FakeChannel,
  { replies: _replies, changedAt: _changedAt, ...message }: FakeMessage,
  rootId: string | null,
): Record<string, unknown> {
  const webUrl = `https://teams.example/l/message/${encodeURIComponent(channelId)}/${message.id}`;
  return { ...message, replyToId: rootId, webUrl };
}

type Entry = {
  changedAt: number;
  /** That it stands for: its own, or the latest of its thread. */
  modified: string;
  isDeleted: boolean;
  value: Record<string, unknown>;
};

const codes = { 200: "OK", 400: "BadRequest", 403: "Forbidden", 404: "NotFound", 500: "InternalServerError" };

/**
 * "chatMessage: delta", for one channel. `$filter` is part of every token that comes of it; what the feed names when somebody
 * replies is the tenant's `feedNames`. What is purged is named by its id alone.
 */
export function answerMessageFeed(
  tenant: FakeTenant,
  channel: FakeChannel,
  { query }: GraphRequest,
  address: string,
): GraphAnswer {
  const refusal = tenant.feedlessChannels.get(channel.id);
  if (refusal !== undefined) return fail(refusal, codes[refusal]);
  const given = query.get("$skiptoken") ?? query.get("$deltatoken");
  const [token = null, filterOfToken] = given?.split(".") ?? [];
  const filter = given === null ? query.get("$filter") : Buffer.from(filterOfToken ?? "", "base64url").toString();
  const after = /^lastModifiedDateTime gt (\S+)$/.exec(filter ?? "")?.[1];
  if (filter && after === undefined) return fail(400, "BadRequest");
  const feed = pageOfFeed(tenant, token, `${channel.id} ${filter}`, (since, until) =>
    // What is changed while the pages are asked for is named again: so a page may repeat something, and leaves nothing out.
    [...entriesOf(tenant, channel, (moment) => moment > (since ?? 0))]
      .filter(({ modified }) => after === undefined || Date.parse(modified) > Date.parse(after))
      .filter(({ isDeleted, changedAt }) => since !== null || !isDeleted || changedAt > until)
      .sort((a, b) => Number(a.value["id"]) - Number(b.value["id"])),
  );
  if (feed.stale) {
    if (tenant.staleStatus === 400) return fail(400, "syncStateNotFound");
    return { ...fail(410, "Gone"), headers: { location: `${address}?$deltatoken=` } };
  }
  const linkOf = (name: string, next: string) =>
    `${address}?$${name}=${next}.${Buffer.from(filter ?? "").toString("base64url")}`;
  return ok({
    value: feed.items.map(({ value }) => value),
    ...(feed.next === null ? {} : { "@odata.nextLink": linkOf("skiptoken", feed.next) }),
    ...(feed.delta === null ? {} : { "@odata.deltaLink": linkOf("deltatoken", feed.delta) }),
  });
}

function* entriesOf(
  { feedNames }: FakeTenant,
  channel: FakeChannel,
  isIn: (moment: number) => boolean,
): Iterable<Entry> {
  const entryOf = (message: FakeMessage, rootId: string | null): Entry => ({
    changedAt: message.changedAt,
    modified: message.lastModifiedDateTime,
    isDeleted: message.deletedDateTime !== null,
    value: describeMessage(channel, message, rootId),
  });
  for (const root of channel.messages) {
    const entry = entryOf(root, null);
    if (feedNames === "threads") {
      const latest = root.replies.reduce((a, b) => (b.changedAt > a.changedAt ? b : a), root);
      const purgedAt = channel.purged.flatMap(({ rootId, changedAt }) => (rootId === root.id ? changedAt : []));
      if ([latest.changedAt, ...purgedAt].some(isIn)) yield { ...entry, modified: latest.lastModifiedDateTime };
    } else if (isIn(root.changedAt)) yield entry;
    if (feedNames !== "replies") continue;
    for (const reply of root.replies) if (isIn(reply.changedAt)) yield entryOf(reply, root.id);
  }
  for (const { id, rootId, changedAt } of channel.purged) {
    if (!isIn(changedAt) || (rootId !== null && feedNames !== "replies")) continue;
    const value = { id, "@removed": { reason: "deleted" } };
    yield { changedAt, modified: "9999-12-31T00:00:00Z", isDeleted: true, value };
  }
}
