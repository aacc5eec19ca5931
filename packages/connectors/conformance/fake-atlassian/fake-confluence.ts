import { cutPage, notFound, startFakeSite, type Answer, type Asked, type FakeSite } from "./fake-site.ts";

/**
 * Confluence Cloud, as far as the connector asks it, written from "The Confluence Cloud REST API v2" (Space, Space
 * permissions, Page, Blog post, Folder) and "The Confluence Cloud REST API" v1 (Content restrictions, Search content by
 * CQL, Content attachments, Group, Users). Pages of answers are small, version 2 pages by a cursor and groups by a count;
 * an account is shown only what it may view.
 */
export type FakeSpace = { id: string; key: string; name: string; readers: Readers; isPublic: boolean };
/** Ids of accounts and of groups. */
export type Readers = { users: string[]; groups: string[] };
export type FakeContent = {
  id: string;
  type: "page" | "blogpost" | "folder" | "attachment";
  spaceId: string;
  title: string;
  /** In storage format; for an attachment its text. */
  body: string;
  parentId: string | null;
  version: number;
  /** null: unrestricted. */
  readRestriction: Readers | null;
  mediaType: string | null;
  brokenBody: boolean;
  brokenRestriction: boolean;
};

export type FakeConfluence = {
  site: FakeSite;
  addSpace(key: string, readers: Readers): FakeSpace;
  removeSpace(space: FakeSpace): () => void;
  add(space: FakeSpace, content: Partial<FakeContent> & Pick<FakeContent, "title">): FakeContent;
  /** Changes the title, the body, or both, which makes a new version. */
  edit(content: FakeContent, change: { title?: string; body?: string }): void;
  trash(content: FakeContent): void;
  contents: Map<string, FakeContent>;
  /** Contents that the search has lost sight of. */
  unindexed: Set<string>;
  /** Ids of the groups that give access to Confluence itself. */
  entrances: Set<string>;
  /** What Confluence itself would decide. */
  mayView(accountId: string | null, content: FakeContent): boolean;
  close(): Promise<void>;
};

const largestPage = 3;
const largestPart = 2;

export async function startFakeConfluence(): Promise<FakeConfluence> {
  const spaces = new Map<string, FakeSpace>();
  const contents = new Map<string, FakeContent>();
  const unindexed = new Set<string>();
  const entrances = new Set<string>();
  let nextId = 1000;

  const site = await startFakeSite((asked) => answer(asked));
  const admits = (accountId: string | null, { users, groups }: Readers) =>
    accountId !== null &&
    site.isIn(accountId, entrances) &&
    (users.includes(accountId) || site.isIn(accountId, groups));
  const maySeeSpace = (accountId: string | null, space: FakeSpace) =>
    space.isPublic || admits(accountId, space.readers);
  const mayView = (accountId: string | null, content: FakeContent): boolean => {
    const space = spaces.get(content.spaceId);
    if (space === undefined || !maySeeSpace(accountId, space)) return false;
    for (let at: FakeContent | undefined = content; at !== undefined; at = contents.get(at.parentId ?? "")) {
      if (at.readRestriction !== null && !admits(accountId, at.readRestriction)) return false;
    }
    return true;
  };

  const listOf = (asked: Asked, spaceId: string, types: readonly string[]) =>
    [...contents.values()].filter(
      (content) => content.spaceId === spaceId && types.includes(content.type) && mayView(asked.accountId, content),
    );
  const v2 = <T extends { id: string }>(asked: Asked, all: T[], show: (one: T) => unknown): Answer => {
    const { results, cursor } = cutPage(all, asked.query, largestPage);
    const next = cursor === null ? {} : { next: withCursor(asked, cursor) };
    return { body: { results: results.map(show), _links: { base: `${site.url}/wiki`, ...next } } };
  };
  /** Version 1 leaves the context out of the links that it gives. */
  const v1 = <T extends { id: string }>(asked: Asked, all: T[], show: (one: T) => unknown): Answer => {
    const { results, cursor } = cutPage(all, asked.query, largestPage);
    const next = cursor === null ? {} : { next: withCursor(asked, cursor).replace(/^\/wiki/, "") };
    return { body: { results: results.map(show), _links: { base: `${site.url}/wiki`, context: "/wiki", ...next } } };
  };
  const counted = (asked: Asked, all: unknown[]): Answer => {
    const start = Number(asked.query.get("start") ?? 0);
    const limit = Math.min(Number(asked.query.get("limit") ?? 200), 2);
    return {
      body: { results: all.slice(start, start + limit), start, limit, size: all.slice(start, start + limit).length },
    };
  };

  function answer(asked: Asked): Answer {
    const { path, query, accountId } = asked;
    const is = (pattern: RegExp) => pattern.exec(path)?.[1];
    if (path === "/wiki/rest/api/user/current") {
      return { body: accountId === null ? { type: "anonymous" } : { type: "known", accountId, displayName: "bot" } };
    }
    if (path === "/wiki/api/v2/spaces") {
      const keys = query.get("keys")?.split(",");
      const seen = [...spaces.values()].filter(
        (space) => (keys === undefined || keys.includes(space.key)) && maySeeSpace(accountId, space),
      );
      return v2(asked, seen, ({ id, key, name }) => ({ id, key, name, type: "global", status: "current" }));
    }
    let id = is(/^\/wiki\/api\/v2\/spaces\/(\d+)(?:\/|$)/);
    if (id !== undefined) {
      const space = spaces.get(id);
      if (space === undefined || !maySeeSpace(accountId, space)) return notFound;
      if (path.endsWith("/permissions")) return v2(asked, permissionsOf(space), (permission) => permission);
      if (path.endsWith("/pages")) return v2(asked, listOf(asked, id, ["page"]), showListed);
      if (path.endsWith("/blogposts")) return v2(asked, listOf(asked, id, ["blogpost"]), showListed);
      return { body: { id, key: space.key, name: space.name } };
    }
    id = is(/^\/wiki\/api\/v2\/(?:pages|blogposts)\/(\d+)\/attachments$/);
    if (id !== undefined) {
      const content = contents.get(id);
      return content === undefined || !mayView(accountId, content)
        ? notFound
        : v2(asked, attachmentsOf(content), showAttachment);
    }
    id = is(/^\/wiki\/api\/v2\/(?:pages|blogposts|folders)\/(\d+)$/);
    if (id !== undefined) {
      const content = contents.get(id);
      if (content === undefined || !mayView(accountId, content)) return notFound;
      if (content.brokenBody) return { status: 500, body: { message: "Internal Server Error" } };
      return {
        body: { ...showListed(content), body: { storage: { value: content.body, representation: "storage" } } },
      };
    }
    if (path === "/wiki/rest/api/content/search") return search(asked);
    id = is(/^\/wiki\/rest\/api\/content\/(\w+)\/restriction\/byOperation\/read$/);
    if (id !== undefined) {
      const content = contents.get(id);
      if (content === undefined || !mayView(accountId, content)) return notFound;
      if (content.brokenRestriction) return { status: 403, body: { message: "not permitted" } };
      const start = Number(query.get("start") ?? 0);
      return { body: showRestriction(content, start, Math.min(Number(query.get("limit") ?? 100), largestPart)) };
    }
    id = is(/^\/wiki\/rest\/api\/content\/\d+\/child\/attachment\/(\w+)\/download$/);
    if (id !== undefined) {
      const content = contents.get(id);
      if (content === undefined || !mayView(accountId, content)) return notFound;
      // The file itself lies with another service, for which the address is the key.
      return { status: 302, headers: { location: `${site.url}/media/${id}` } };
    }
    id = is(/^\/media\/(\w+)$/);
    if (id !== undefined) return { bytes: Buffer.from(contents.get(id)?.body ?? "") };
    if (path === "/wiki/rest/api/group") {
      const accessType = query.get("accessType");
      return counted(
        asked,
        [...site.groups.values()]
          .filter((group) => accessType === null || (accessType === "user" && entrances.has(group.id)))
          .map((group) => ({ type: "group", id: group.id, name: group.name })),
      );
    }
    id = is(/^\/wiki\/rest\/api\/group\/([\w-]+)\/membersByGroupId$/);
    if (id !== undefined) {
      const members = [...(site.groups.get(id)?.members ?? [])].flatMap((member) => site.accounts.get(member) ?? []);
      return counted(
        asked,
        members.map(({ accountId, displayName, email, active, type }) => ({
          type: "known",
          accountId,
          accountType: type,
          accountStatus: active ? "active" : "inactive",
          displayName,
          email: email ?? "",
        })),
      );
    }
    return notFound;
  }

  const attachmentsOf = ({ id }: FakeContent) =>
    [...contents.values()].filter(({ type, parentId }) => type === "attachment" && parentId === id);

  /** Just the query that the connector makes; lists inside of its answers come only up to a limit. */
  function search(asked: Asked): Answer {
    const [, key] = /^space = "([^"]+)" and type in \(page, blogpost\)$/.exec(asked.query.get("cql") ?? "") ?? [];
    const space = [...spaces.values()].find((one) => one.key === key);
    if (space === undefined) return { status: 400, body: { message: "Could not parse cql" } };
    const found = listOf(asked, space.id, ["page", "blogpost"]).filter(({ id }) => !unindexed.has(id));
    const withAttachments = asked.query.get("expand")?.includes("children.attachment") ?? false;
    return v1(asked, found, (content) => ({
      id: content.id,
      type: content.type,
      title: content.title,
      ...(content.brokenRestriction ? {} : { restrictions: { read: showRestriction(content, 0, largestPart) } }),
      ...(withAttachments
        ? { children: { attachment: part(attachmentsOf(content), 0, largestPart, showInside) } }
        : {}),
    }));
  }

  const permissionsOf = (space: FakeSpace) =>
    [
      ...space.readers.users.map((id) => ({ type: "user", id })),
      ...space.readers.groups.map((id) => ({ type: "group", id })),
    ].flatMap((principal, index) => [
      { id: `${index}-read`, principal, operation: { key: "read", targetType: "space" } },
      { id: `${index}-create`, principal, operation: { key: "create", targetType: "page" } },
    ]);

  const showListed = ({ id, title, spaceId, parentId, version, type }: FakeContent) => ({
    id,
    title,
    spaceId,
    status: "current",
    ...(type === "blogpost" ? {} : { parentId, parentType: parentId === null ? null : contents.get(parentId)?.type }),
    version: { number: version, createdAt: "2026-01-05T10:00:00.000Z" },
    _links: { webui: `/spaces/${spaces.get(spaceId)?.key}/${type}s/${id}` },
  });

  const newVersion = (content: FakeContent) => (content.version += 1);
  return {
    site,
    contents,
    unindexed,
    entrances,
    mayView,
    addSpace(key, readers) {
      const space = { id: String(nextId++), key, name: `Space ${key}`, readers, isPublic: false };
      spaces.set(space.id, space);
      return space;
    },
    removeSpace(space) {
      spaces.delete(space.id);
      return () => void spaces.set(space.id, space);
    },
    add(space, content) {
      const number = nextId++;
      const added: FakeContent = {
        id: content.type === "attachment" ? `att${number}` : String(number),
        type: "page",
        spaceId: space.id,
        body: "",
        parentId: null,
        version: 1,
        readRestriction: null,
        mediaType: null,
        brokenBody: false,
        brokenRestriction: false,
        ...content,
      };
      contents.set(added.id, added);
      return added;
    },
    edit(content, change) {
      Object.assign(content, change);
      newVersion(content);
    },
    trash(content) {
      contents.delete(content.id);
    },
    close: () => site.close(),
  };
}

function withCursor({ path, query }: Asked, cursor: string): string {
  const next = new URLSearchParams(query);
  next.set("cursor", cursor);
  return `${path}?${next}`;
}

/** Accounts and groups page together, by one count. */
function showRestriction({ readRestriction }: FakeContent, start: number, limit: number) {
  const { users, groups } = readRestriction ?? { users: [], groups: [] };
  return {
    operation: "read",
    restrictions: {
      user: part(users, start, limit, (accountId) => ({ type: "known", accountId })),
      group: part(groups, start, limit, (id) => ({ type: "group", id, name: id })),
    },
  };
}

function part<T>(all: readonly T[], start: number, limit: number, show: (one: T) => unknown) {
  const results = all.slice(start, start + limit).map(show);
  return { results, start, limit, size: results.length };
}

/** As version 2 lists an attachment. */
function showAttachment({ id, title, version, mediaType, body, parentId }: FakeContent) {
  return {
    id,
    title,
    status: "current",
    mediaType,
    fileSize: Buffer.byteLength(body),
    version: { number: version, createdAt: "2026-01-05T10:00:00.000Z" },
    webuiLink: `/pages/viewpageattachments.action?pageId=${parentId}`,
  };
}

/** As version 1 shows an attachment inside of its page. */
function showInside({ id, title, version, mediaType, body, parentId }: FakeContent) {
  return {
    id,
    type: "attachment",
    title,
    version: { number: version, when: "2026-01-05T10:00:00.000Z" },
    extensions: { mediaType, fileSize: Buffer.byteLength(body) },
    _links: { webui: `/pages/viewpageattachments.action?pageId=${parentId}` },
  };
}
