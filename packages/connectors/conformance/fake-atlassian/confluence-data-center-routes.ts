import {
  answerSearch,
  showAttachmentInside,
  showRestriction,
  showSwept,
  type ShowSubject,
} from "./confluence-version-one.ts";
import type { ConfluenceState, FakeContent, FakeSpace } from "./fake-confluence.ts";
import { cutCounted, notFound, type Answer, type Asked, type FakeAccount } from "./fake-site.ts";

const largestCounted = 2;
const show: ShowSubject = {
  user: (userKey, account) => ({
    type: "known",
    userKey,
    username: account?.username,
    displayName: account?.displayName,
  }),
  group: (name) => ({ type: "group", name }),
};

/**
 * Confluence Data Center 9.4, as far as the connector asks it, written from "Confluence Data Center REST API" (Admin
 * Users, Attachments, Content Resource, Content Restrictions, Group, Search, Space, Space Permissions, User), "Confluence REST API
 * examples" (scanning pages and blogs) and CONFSERVER-100505 (what a space's permissions name). Contents page by a
 * cursor, whose links to the next page leave out the type as the examples do; all else pages by a count.
 */
export function answerConfluenceDataCenter(state: ConfluenceState, asked: Asked): Answer {
  const { site, spaces, contents } = state;
  const { path, query, accountId } = asked;
  const is = (pattern: RegExp) => pattern.exec(path)?.[1];
  if (path === "/rest/applinks/1.0/manifest") return { body: { typeId: "confluence", name: "Wiki", version: "9.4.0" } };
  if (path === "/rest/api/user/current") {
    if (accountId === null) return { body: { type: "anonymous", displayName: "Anonymous" } };
    return { body: { type: "known", userKey: accountId, username: site.bot.username } };
  }
  const seen = (space: FakeSpace | undefined) =>
    space !== undefined && state.maySeeSpace(accountId, space) ? space : undefined;
  if (path === "/rest/api/space") {
    const keys = query.getAll("spaceKey");
    const listed = [...spaces.values()].filter(
      (space) => (keys.length === 0 || keys.includes(space.key)) && seen(space) !== undefined,
    );
    return counted(asked, listed.map(showSpace));
  }
  const key = is(/^\/rest\/api\/space\/([^/]+)(?:\/permissions)?$/);
  if (key !== undefined) {
    const space = seen([...spaces.values()].find((one) => one.key === key));
    if (space === undefined) return notFound;
    return path.endsWith("/permissions") ? permissionsOf(state, space) : { body: showSpace(space) };
  }
  if (path === "/rest/api/search") return answerSearch(state, asked);
  if (path === "/rest/api/content/scan") return scan(state, asked);
  let id = is(/^\/rest\/api\/content\/(\w+)(?:\/|$)/);
  if (id !== undefined) {
    const content = contents.get(id);
    return content === undefined || !state.mayView(accountId, content) ? notFound : aboutContent(state, content, asked);
  }
  const [, pageId, title] = /^\/download\/attachments\/(\w+)\/(.+)$/.exec(path) ?? [];
  if (title !== undefined) {
    const attachment = [...contents.values()].find((one) => one.parentId === pageId && one.title === title);
    if (attachment === undefined || !state.mayView(accountId, attachment)) return notFound;
    return { bytes: Buffer.from(attachment.body) };
  }
  // All that follows is told to administrators only.
  if (accountId === null) return { status: 403, body: { message: "not permitted" } };
  if (path === "/rest/api/group") {
    return counted(
      asked,
      [...site.groups.values()].map(({ name }) => ({ type: "group", name })),
    );
  }
  id = is(/^\/rest\/api\/group\/([^/]+)\/(?:member|groupmember)$/);
  if (id !== undefined) {
    const group = site.groups.get(id);
    if (group === undefined) return notFound;
    if (path.endsWith("/groupmember")) {
      return counted(
        asked,
        [...group.children].map((name) => ({ type: "group", name })),
      );
    }
    return counted(asked, [...group.members].flatMap((member) => site.accounts.get(member) ?? []).map(showAccount));
  }
  if (path === "/rest/api/admin/users/list/active" && state.tells.activeUsers) {
    const active = [...site.accounts.values()].filter(
      (account) => account.active && site.isIn(account.accountId, state.entrances),
    );
    return counted(
      asked,
      active.map((account) => ({ ...showAccount(account), email: account.email ?? undefined })),
    );
  }
  return notFound;
}

function aboutContent(state: ConfluenceState, content: FakeContent, asked: Asked): Answer {
  const { path, query } = asked;
  if (path.endsWith("/restriction/byOperation/read")) {
    if (content.brokenRestriction) return { status: 403, body: { message: "not permitted" } };
    const at = { start: Number(query.get("start") ?? 0), limit: Number(query.get("limit") ?? 100) };
    return { body: showRestriction(state, content, show, at) };
  }
  if (path.endsWith("/child/attachment")) return counted(asked, state.attachmentsOf(content).map(showAttachmentInside));
  const expand = query.get("expand") ?? "";
  if (expand.includes("body.storage") && content.brokenBody) return { status: 500, body: { message: "broken" } };
  return {
    body: {
      ...showContent(state, content, expand),
      ...(expand.includes("container") ? { container: { id: Number(content.parentId), type: "page" } } : {}),
      ...(expand.includes("body.storage")
        ? { body: { storage: { value: content.body, representation: "storage" } } }
        : {}),
    },
  };
}

function scan(state: ConfluenceState, asked: Asked): Answer {
  const { query, accountId } = asked;
  const space = [...state.spaces.values()].find(({ key }) => key === query.get("spaceKey"));
  const type = query.get("type") ?? "page";
  if (space === undefined || !state.maySeeSpace(accountId, space)) return notFound;
  if (type !== "page" && type !== "blogpost") return { status: 400, body: { message: `Unknown type ${type}` } };
  const after = /^content:false:(\d+)$/.exec(query.get("cursor") ?? "")?.[1];
  const listed = state
    .listOf(accountId, space.id, [type])
    .filter(({ id }) => after === undefined || Number(id) > Number(after));
  const limit = Math.min(Number(query.get("limit") ?? 25), state.site.pageSize);
  const results = listed.slice(0, limit);
  const last = results.at(-1);
  const cursor = last !== undefined && last !== listed.at(-1) ? `content:false:${last.id}` : null;
  const next = new URLSearchParams({ spaceKey: space.key, cursor: cursor ?? "", limit: String(limit) });
  return {
    body: {
      results: results.map((content) => ({
        ...showContent(state, content, query.get("expand") ?? ""),
        ...(query.get("expand")?.includes("restrictions") ? showSwept(state, content, show, asked) : {}),
      })),
      cursor: query.get("cursor") ?? "content:false:null",
      ...(cursor === null ? {} : { nextCursor: cursor }),
      limit,
      size: results.length,
      _links: {
        base: state.site.url,
        context: "/confluence",
        ...(cursor === null ? {} : { next: `/rest/api/content/scan?${next}` }),
      },
    },
  };
}

function counted({ path, query }: Asked, all: readonly unknown[]): Answer {
  const limit = Math.min(Number(query.get("limit") ?? 25), largestCounted);
  const page = cutCounted(all, Number(query.get("start") ?? 0), limit);
  const end = page.start + page.size;
  const next = end < all.length ? { next: `${path}?limit=${limit}&start=${end}` } : {};
  return { body: { ...page, _links: { context: "/confluence", ...next } } };
}

/** Who is no administrator is answered 500 (CONFSERVER-99908); before 9.1 there was nothing to ask. */
function permissionsOf({ tells }: ConfluenceState, { key, id, readers, isPublic }: FakeSpace): Answer {
  if (tells.spacePermissions === "nothing") return notFound;
  if (tells.spacePermissions === "refuses") return { status: 500, body: { message: "Internal server error" } };
  const subjects = [
    ...readers.users.map((userKey) => ({ type: "user", userKey })),
    ...readers.groups.map((name) => ({ type: "group", name })),
    ...(isPublic ? [{ type: "anonymous" }] : []),
  ];
  const permission = (targetType: string, operationKey: string, subject: unknown) => ({
    operation: { targetType, operationKey },
    subject,
    spaceKey: key,
    spaceId: Number(id),
  });
  const writer = { type: "group", name: "writers" };
  return {
    body: [...subjects.map((subject) => permission("space", "read", subject)), permission("page", "create", writer)],
  };
}

function showSpace({ id, key, name }: FakeSpace) {
  return { id: Number(id), key, name, type: "global", status: "current" };
}

function showAccount({ accountId, username, displayName }: FakeAccount) {
  return { type: "known", userKey: accountId, username, displayName };
}

function showContent({ contents, spaces }: ConfluenceState, content: FakeContent, expand: string) {
  const { id, type, title, version, changedAt, spaceId } = content;
  const ancestors: { id: string }[] = [];
  for (let at = contents.get(content.parentId ?? ""); at !== undefined; at = contents.get(at.parentId ?? "")) {
    ancestors.unshift({ id: at.id });
  }
  return {
    id,
    type,
    status: "current",
    title,
    ...(expand.includes("version") ? { version: { number: version, when: changedAt } } : {}),
    ...(expand.includes("ancestors") ? { ancestors } : {}),
    _links: { webui: `/spaces/${spaces.get(spaceId)?.key}/pages/${id}/${encodeURIComponent(title)}` },
  };
}
