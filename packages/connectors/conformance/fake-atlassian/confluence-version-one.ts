import type { ConfluenceState, FakeContent } from "./fake-confluence.ts";
import { cutCounted, type Answer, type Asked, type FakeAccount } from "./fake-site.ts";

/** Lists inside of answers come only up to a limit. */
export const largestPart = 2;

/** "Search by CQL", for just the query that the connector makes. Only what the index knows is found. */
export function answerSearch(state: ConfluenceState, { query, accountId }: Asked): Answer {
  const cql = query.get("cql") ?? "";
  const [, keys, types] = /^space in \(("[^"]+"(?:, "[^"]+")*)\) and type in \(([a-z, ]+)\)$/.exec(cql) ?? [];
  if (keys === undefined || types === undefined) return { status: 400, body: { message: "Could not parse cql" } };
  const asked = types.split(", ") as FakeContent["type"][];
  const found = [...state.spaces.values()]
    .filter(({ key }) => keys.split(", ").includes(`"${key}"`))
    .flatMap((space) => state.listOf(accountId, space.id, asked))
    .filter(({ id }) => !state.unindexed.has(id));
  const start = Number(query.get("start") ?? 0);
  const limit = Number(query.get("limit") ?? 25);
  const results = found.slice(start, start + limit).map(({ id, type, title }) => ({ content: { id, type }, title }));
  const page = { start, limit, size: results.length, totalSize: found.length, cqlQuery: cql };
  return { body: { results, ...page, searchDuration: 7, _links: { base: state.site.url } } };
}

/** How a deployment shows an account and a group that a restriction names. */
export type ShowSubject = {
  user(id: string, account: FakeAccount | undefined): unknown;
  group(id: string): unknown;
};

/** Accounts and groups page together, by one count. */
export function showRestriction(
  { site }: ConfluenceState,
  { readRestriction }: Pick<FakeContent, "readRestriction">,
  show: ShowSubject,
  asked: { start: number; limit: number },
) {
  const { users, groups } = readRestriction ?? { users: [], groups: [] };
  const limit = Math.min(asked.limit, largestPart);
  const userPart = cutCounted(users, asked.start, limit);
  const groupPart = cutCounted(groups, asked.start, limit);
  return {
    operation: "read",
    restrictions: {
      user: { ...userPart, results: userPart.results.map((id) => show.user(id, site.accounts.get(id))) },
      group: { ...groupPart, results: groupPart.results.map((id) => show.group(id)) },
    },
  };
}

/** What a sweep gets with a content: restrictions, and attachments where they are expanded. */
export function showSwept(state: ConfluenceState, content: FakeContent, show: ShowSubject, { query }: Asked) {
  const withAttachments = query.get("expand")?.includes("children.attachment") ?? false;
  const attached = cutCounted(state.attachmentsOf(content), 0, largestPart);
  return {
    ...(content.brokenRestriction
      ? {}
      : { restrictions: { read: showRestriction(state, content, show, { start: 0, limit: largestPart }) } }),
    ...(withAttachments
      ? { children: { attachment: { ...attached, results: attached.results.map(showAttachmentInside) } } }
      : {}),
  };
}

/** As version 1 shows an attachment. */
export function showAttachmentInside({ id, title, version, changedAt, mediaType, body, parentId }: FakeContent) {
  return {
    id,
    type: "attachment",
    title,
    version: { number: version, when: changedAt },
    extensions: { mediaType, fileSize: Buffer.byteLength(body) },
    _links: {
      webui: `/pages/viewpageattachments.action?pageId=${parentId}`,
      download: `/download/attachments/${parentId}/${encodeURIComponent(title)}?version=${version}&api=v2`,
    },
  };
}
