import { z } from "zod";
import type { AtlassianSite } from "./atlassian-site.ts";
import {
  attachmentSchema,
  bodySchema,
  containerPaths,
  containerSchema,
  groupSchema,
  isWhole,
  listedSchema,
  memberSchema,
  namedIn,
  permissionSchema,
  restrictionSchema,
  spaceSchema,
  sweptSchema,
  toListedAttachment,
  toSweptContent,
  type ListedAttachment,
  type ListedContent,
  type Parent,
  type Restriction,
  type Space,
  type SweptContent,
} from "./confluence-answers.ts";

const linksSchema = z.looseObject({ next: z.string().optional(), base: z.string().optional() }).default({});
const pageOf = <T>(item: z.ZodType<T>) => z.looseObject({ results: z.array(item), _links: linksSchema });

const pageLimit = 250;
const sweepLimit = 100;
/** More would make an address that is too long. */
const keysPerRequest = 100;
const memberLimit = 200;
const restrictionParts = ["restrictions.read.restrictions.user", "restrictions.read.restrictions.group"];
const attachmentParts = ["children.attachment.version", "children.attachment.extensions"];

export type ConfluenceApi = ReturnType<typeof createConfluenceApi>;

/** The calls of Confluence Cloud's REST API that the connector makes: version 2, and 1 where 2 has nothing. */
export function createConfluenceApi(site: AtlassianSite) {
  /** Pages that name the next one; version 1 names it without the "/wiki" that its paths begin with. */
  async function* pages<T>(path: string, item: z.ZodType<T>): AsyncIterable<{ results: T[]; base: string }> {
    const schema = pageOf(item);
    for (let next: string | undefined = path; next !== undefined;) {
      const page: z.infer<typeof schema> = await site.json(next, schema);
      const { next: link, base } = page._links;
      yield { results: page.results, base: base ?? `https://${site.tenant}/wiki` };
      next = link === undefined ? undefined : link.startsWith("/wiki/") ? link : `/wiki${link}`;
    }
  }
  /** Pages that are counted, as version 1 lists groups and their members. */
  async function* counted<T>(path: string, item: z.ZodType<T>): AsyncIterable<T> {
    const schema = z.looseObject({ results: z.array(item) });
    for (let start = 0; ;) {
      const { results } = await site.json(path, schema, { query: { start, limit: memberLimit } });
      if (results.length === 0) return;
      yield* results;
      start += results.length;
    }
  }

  async function* listContents(space: Space, type: "page" | "blogpost"): AsyncIterable<ListedContent> {
    const path = `/wiki/api/v2/spaces/${space.id}/${type}s?status=current&limit=${pageLimit}`;
    for await (const { results, base } of pages(path, listedSchema)) {
      for (const { id, title, parentId, parentType, version, _links } of results) {
        yield {
          id,
          type,
          title,
          parent: parentId ? { id: parentId, type: parentType ?? "page" } : null,
          version: version.number,
          modifiedAt: version.createdAt ?? null,
          uri: base + (_links.webui ?? `/spaces/${encodeURIComponent(space.key)}/pages/${id}`),
        };
      }
    }
  }

  return {
    listContents,

    /** "anonymous" for a stranger. */
    async currentAccountType(): Promise<string> {
      const { type } = await site.json("/wiki/rest/api/user/current", z.looseObject({ type: z.string() }));
      return type;
    },

    async *listSpaces(keys: readonly string[]): AsyncIterable<Space> {
      for (let at = 0; at === 0 || at < keys.length; at += keysPerRequest) {
        const chosen = keys
          .slice(at, at + keysPerRequest)
          .map(encodeURIComponent)
          .join(",");
        const path = `/wiki/api/v2/spaces?limit=${pageLimit}${chosen === "" ? "&status=current" : `&keys=${chosen}`}`;
        for await (const { results } of pages(path, spaceSchema)) yield* results;
      }
    },

    /** Whether people who have not signed in may view the space: asked as one of them. */
    isPublic: ({ id }: Space) => site.showsStrangers(`/wiki/api/v2/spaces/${id}`, z.looseObject({ id: z.literal(id) })),

    /** Who has the permission to view the space; other kinds of holders than these are not known and admit nobody. */
    async readersOf({ id }: Space): Promise<{ users: string[]; groups: string[] }> {
      const readers = { users: [] as string[], groups: [] as string[] };
      const path = `/wiki/api/v2/spaces/${id}/permissions?limit=${pageLimit}`;
      for await (const { results } of pages(path, permissionSchema)) {
        for (const { principal, operation } of results) {
          if (operation.key !== "read" || operation.targetType !== "space") continue;
          if (principal.type === "user") readers.users.push(principal.id);
          if (principal.type === "group") readers.groups.push(principal.id);
        }
      }
      return readers;
    },

    /**
     * The read restrictions of everything in the space, and its attachments where they are wanted, a hundred pages at a
     * time. A search may lag behind; what it leaves out is asked for page by page.
     */
    async *sweep({ key }: Space, withAttachments: boolean): AsyncIterable<SweptContent> {
      const query = new URLSearchParams({
        cql: `space = "${key}" and type in (page, blogpost)`,
        expand: [...restrictionParts, ...(withAttachments ? attachmentParts : [])].join(","),
        limit: String(sweepLimit),
      });
      for await (const { results, base } of pages(`/wiki/rest/api/content/search?${query}`, sweptSchema)) {
        for (const swept of results) yield toSweptContent(swept, base);
      }
    },

    async restrictionOf(id: string): Promise<Restriction> {
      const whole: Restriction = { restricted: false, users: [], groups: [] };
      for (let start = 0; ;) {
        const path = `/wiki/rest/api/content/${encodeURIComponent(id)}/restriction/byOperation/read`;
        const { restrictions } = await site.json(path, restrictionSchema, { query: { start, limit: memberLimit } });
        const part = namedIn(restrictions);
        whole.restricted ||= part.restricted;
        whole.users.push(...part.users);
        whole.groups.push(...part.groups);
        const { user, group } = restrictions;
        if (isWhole(user) && isWhole(group)) return whole;
        // Accounts and groups page together.
        start += Math.max(user.results.length, group.results.length);
      }
    },

    /** @returns what the folder (or whiteboard, …) lies in; null at the space's root */
    async parentOf({ id, type }: Parent): Promise<Parent | null> {
      const path = `/wiki/api/v2/${containerPaths[type] ?? "pages"}/${encodeURIComponent(id)}`;
      const { parentId, parentType } = await site.json(path, containerSchema);
      return parentId ? { id: parentId, type: parentType ?? "page" } : null;
    },

    async storageOf({ id, type }: Pick<ListedContent, "id" | "type">): Promise<string> {
      const { body } = await site.json(`/wiki/api/v2/${type}s/${id}?body-format=storage`, bodySchema);
      return body.storage.value;
    },

    async attachmentsOf({ id, type }: Pick<ListedContent, "id" | "type">): Promise<ListedAttachment[]> {
      const attachments: ListedAttachment[] = [];
      const path = `/wiki/api/v2/${type}s/${id}/attachments?status=current&limit=${pageLimit}`;
      for await (const { results, base } of pages(path, attachmentSchema)) {
        attachments.push(...results.map((attachment) => toListedAttachment(attachment, base)));
      }
      return attachments;
    },

    downloadAttachment: (containerId: string, { id, title }: ListedAttachment) =>
      site.download(`/wiki/rest/api/content/${containerId}/child/attachment/${id}/download`, title),

    /** @param accessType only groups that give this access to Confluence itself */
    listGroups: (accessType?: "user" | "admin") =>
      counted(`/wiki/rest/api/group${accessType === undefined ? "" : `?accessType=${accessType}`}`, groupSchema),
    listMembers: (groupId: string) =>
      counted(`/wiki/rest/api/group/${encodeURIComponent(groupId)}/membersByGroupId`, memberSchema),
  };
}
