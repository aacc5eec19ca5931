import { answerSearch, largestPart, showRestriction, showSwept, type ShowSubject } from "./confluence-version-one.ts";
import type { ConfluenceState, FakeContent, FakeSpace } from "./fake-confluence.ts";
import { cutCounted, cutPage, notFound, type Answer, type Asked } from "./fake-site.ts";

const show: ShowSubject = {
  user: (accountId) => ({ type: "known", accountId }),
  group: (id) => ({ type: "group", id, name: id }),
};

/**
 * Confluence Cloud, as far as the connector asks it, written from "The Confluence Cloud REST API v2" (Space, Space
 * permissions, Page, Blog post, Folder, Whiteboard, Database, Smart Link) and "The Confluence Cloud REST API" v1 (Content restrictions, Search content by
 * CQL, Search by CQL, Content attachments, Group, Users). Pages of answers are small, version 2 pages by a cursor and groups by a count.
 */
export function answerConfluenceCloud(state: ConfluenceState, asked: Asked): Answer {
  const { site, spaces, contents, entrances } = state;
  const { path, query, accountId } = asked;
  const is = (pattern: RegExp) => pattern.exec(path)?.[1];
  const contentOf = (id: string) => {
    const content = contents.get(id);
    return content !== undefined && state.mayView(accountId, content) ? content : null;
  };
  if (path === "/wiki/rest/api/user/current") {
    return { body: accountId === null ? { type: "anonymous" } : { type: "known", accountId, displayName: "bot" } };
  }
  if (path === "/wiki/api/v2/spaces") {
    const keys = query.get("keys")?.split(",");
    const seen = [...spaces.values()].filter(
      (space) => (keys === undefined || keys.includes(space.key)) && state.maySeeSpace(accountId, space),
    );
    return v2(state, asked, seen, ({ id, key, name }) => ({ id, key, name, type: "global", status: "current" }));
  }
  let id = is(/^\/wiki\/api\/v2\/spaces\/(\d+)(?:\/|$)/);
  if (id !== undefined) {
    const space = spaces.get(id);
    if (space === undefined || !state.maySeeSpace(accountId, space)) return notFound;
    const list = (type: "page" | "blogpost") =>
      v2(state, asked, state.listOf(accountId, space.id, [type]), (content) => showListed(state, content));
    if (path.endsWith("/permissions")) return v2(state, asked, permissionsOf(space), (permission) => permission);
    if (path.endsWith("/pages")) return list("page");
    if (path.endsWith("/blogposts")) return list("blogpost");
    return { body: { id, key: space.key, name: space.name } };
  }
  id = is(/^\/wiki\/api\/v2\/(?:pages|blogposts)\/(\d+)\/attachments$/);
  if (id !== undefined) {
    const content = contentOf(id);
    return content === null ? notFound : v2(state, asked, state.attachmentsOf(content), showAttachment);
  }
  id = is(/^\/wiki\/api\/v2\/(?:pages|blogposts|folders|whiteboards|databases|embeds)\/(\d+)$/);
  if (id !== undefined) {
    const content = contentOf(id);
    if (content === null) return notFound;
    if (content.brokenBody) return { status: 500, body: { message: "Internal Server Error" } };
    const body = { storage: { value: content.body, representation: "storage" } };
    return { body: { ...showListed(state, content), body } };
  }
  if (path === "/wiki/rest/api/search") return answerSearch(state, asked);
  if (path === "/wiki/rest/api/content/search") return search(state, asked);
  id = is(/^\/wiki\/rest\/api\/content\/(\w+)\/restriction\/byOperation\/read$/);
  if (id !== undefined) {
    const content = contentOf(id);
    if (content === null) return notFound;
    if (content.brokenRestriction) return { status: 403, body: { message: "not permitted" } };
    const at = { start: Number(query.get("start") ?? 0), limit: Number(query.get("limit") ?? 100) };
    const isTold = ["page", "blogpost"].includes(content.type) || state.tells.containers;
    return { body: showRestriction(state, isTold ? content : { readRestriction: null }, show, at) };
  }
  id = is(/^\/wiki\/rest\/api\/content\/\d+\/child\/attachment\/(\w+)\/download$/);
  // The file itself lies with another service, for which the address is the key.
  if (id !== undefined) {
    return contentOf(id) === null ? notFound : { status: 302, headers: { location: `${site.url}/media/${id}` } };
  }
  id = is(/^\/media\/(\w+)$/);
  if (id !== undefined) return { bytes: Buffer.from(contents.get(id)?.body ?? "") };
  if (path === "/wiki/rest/api/group") {
    const accessType = query.get("accessType");
    const groups = [...site.groups.values()].filter(
      (group) => accessType === null || (accessType === "user" && entrances.has(group.id)),
    );
    return counted(
      asked,
      groups.map((group) => ({ type: "group", id: group.id, name: group.name })),
    );
  }
  id = is(/^\/wiki\/rest\/api\/group\/([\w-]+)\/membersByGroupId$/);
  if (id === undefined) return notFound;
  const members = [...(site.groups.get(id)?.members ?? [])].flatMap((member) => site.accounts.get(member) ?? []);
  return counted(
    asked,
    members.map(({ accountId: memberId, displayName, email, active, type }) => ({
      type: "known",
      accountId: memberId,
      accountType: type,
      accountStatus: active ? "active" : "inactive",
      displayName,
      email: email ?? "",
    })),
  );
}

function v2<T extends { id: string }>(
  { site }: ConfluenceState,
  asked: Asked,
  all: readonly T[],
  showOne: (one: T) => unknown,
): Answer {
  const { results, cursor } = cutPage(all, asked.query, site.pageSize);
  const next = cursor === null ? {} : { next: withCursor(asked, cursor) };
  return { body: { results: results.map(showOne), _links: { base: `${site.url}/wiki`, ...next } } };
}

function counted({ query }: Asked, all: readonly unknown[]): Answer {
  const limit = Math.min(Number(query.get("limit") ?? 200), largestPart);
  return { body: cutCounted(all, Number(query.get("start") ?? 0), limit) };
}

/** Just the query that the connector makes. Version 1 leaves the context out of the links that it gives. */
function search(state: ConfluenceState, asked: Asked): Answer {
  const [, key] = /^space = "([^"]+)" and type in \(page, blogpost\)$/.exec(asked.query.get("cql") ?? "") ?? [];
  const space = [...state.spaces.values()].find((one) => one.key === key);
  if (space === undefined) return { status: 400, body: { message: "Could not parse cql" } };
  const found = state.site.lists.of(`search ${asked.accountId} ${space.id}`, () =>
    state.listOf(asked.accountId, space.id, ["page", "blogpost"]).filter(({ id }) => !state.unindexed.has(id)),
  );
  const { results, cursor } = cutPage(found, asked.query, state.site.pageSize);
  const next = cursor === null ? {} : { next: withCursor(asked, cursor).replace(/^\/wiki/, "") };
  return {
    body: {
      results: results.map((content) => ({
        id: content.id,
        type: content.type,
        title: content.title,
        ...showSwept(state, content, show, asked),
      })),
      _links: { base: `${state.site.url}/wiki`, context: "/wiki", ...next },
    },
  };
}

function permissionsOf(space: FakeSpace) {
  return [
    ...space.readers.users.map((id) => ({ type: "user", id })),
    ...space.readers.groups.map((id) => ({ type: "group", id })),
  ].flatMap((principal, index) => [
    { id: `${index}-read`, principal, operation: { key: "read", targetType: "space" } },
    { id: `${index}-create`, principal, operation: { key: "create", targetType: "page" } },
  ]);
}

function showListed({ contents, spaces }: ConfluenceState, content: FakeContent) {
  const { id, title, spaceId, parentId, version, changedAt, type } = content;
  return {
    id,
    title,
    spaceId,
    status: "current",
    ...(type === "blogpost" ? {} : { parentId, parentType: parentId === null ? null : contents.get(parentId)?.type }),
    version: { number: version, createdAt: changedAt },
    _links: { webui: `/spaces/${spaces.get(spaceId)?.key}/${type}s/${id}` },
  };
}

function withCursor({ path, query }: Asked, cursor: string): string {
  const next = new URLSearchParams(query);
  next.set("cursor", cursor);
  return `${path}?${next}`;
}

/** As version 2 lists an attachment. */
function showAttachment({ id, title, version, changedAt, mediaType, body, parentId }: FakeContent) {
  return {
    id,
    title,
    status: "current",
    mediaType,
    fileSize: Buffer.byteLength(body),
    version: { number: version, createdAt: changedAt },
    webuiLink: `/pages/viewpageattachments.action?pageId=${parentId}`,
  };
}
