import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { AtlassianSite } from "./atlassian-site.ts";
import {
  attachmentSchema,
  sweptSchema,
  toListedAttachment,
  toSweptContent,
  type ListedAttachment,
  type SubjectIds,
} from "./confluence-answers.ts";
import type { ConfluenceApi } from "./confluence-api.ts";
import { createVersionOne, sweepLimit, sweptParts } from "./confluence-version-one.ts";

const spaceSchema = z.looseObject({ id: z.string(), key: z.string(), name: z.string().default("") });
const listedSchema = z.looseObject({
  id: z.string(),
  title: z.string().default(""),
  parentId: z.string().nullish(),
  parentType: z.string().nullish(),
  version: z.looseObject({ number: z.number(), createdAt: z.string().optional() }),
  _links: z.looseObject({ webui: z.string().optional() }).default({}),
});
const bodySchema = z.looseObject({ body: z.looseObject({ storage: z.looseObject({ value: z.string() }) }) });
const containerSchema = z.looseObject({ parentId: z.string().nullish(), parentType: z.string().nullish() });
const permissionSchema = z.looseObject({
  principal: z.looseObject({ type: z.string(), id: z.string().default("") }),
  operation: z.looseObject({ key: z.string(), targetType: z.string() }),
});
const groupSchema = z.looseObject({ id: z.string(), name: z.string() });
const memberSchema = z.looseObject({
  accountId: z.string(),
  accountType: z.string().default("atlassian"),
  accountStatus: z.string().default("active"),
  displayName: z.string().default(""),
  publicName: z.string().optional(),
  email: z.string().nullish(),
});

/** What may stand between a page and the page above it, with the path that tells of it. */
const containerPaths: Record<string, string> = {
  folder: "folders",
  whiteboard: "whiteboards",
  database: "databases",
  embed: "embeds",
};
const ids: SubjectIds = { user: ({ accountId }) => accountId, group: ({ id }) => id };
const pageLimit = 250;
/** More would make an address that is too long. */
const keysPerRequest = 100;

/** The calls of Confluence Cloud's REST API that the connector makes: version 2, and 1 where 2 has nothing. */
export function createConfluenceCloud(site: AtlassianSite): ConfluenceApi {
  const { currentAccountType, restrictionOf, countContents, pages, counted } = createVersionOne(site, "/wiki", ids);

  /** @param accessType only groups that give this access to Confluence itself */
  async function* listGroups(accessType?: "user" | "admin") {
    const path = `/wiki/rest/api/group${accessType === undefined ? "" : `?accessType=${accessType}`}`;
    for await (const { item } of counted(path, groupSchema)) yield { id: item.id, name: item.name };
  }

  return {
    currentAccountType,
    restrictionOf,
    countContents,
    // Its listings are paged by cursors.
    secondLook: null,

    async *listSpaces(keys) {
      for (let at = 0; at === 0 || at < keys.length; at += keysPerRequest) {
        const chosen = keys
          .slice(at, at + keysPerRequest)
          .map(encodeURIComponent)
          .join(",");
        const path = `/wiki/api/v2/spaces?limit=${pageLimit}${chosen === "" ? "&status=current" : `&keys=${chosen}`}`;
        for await (const { results } of pages(path, spaceSchema)) yield* results;
      }
    },

    async isPublic({ id }) {
      return (await site.askAsStranger(`/wiki/api/v2/spaces/${id}`, z.looseObject({ id: z.literal(id) }))) !== null;
    },

    async readersOf({ id }) {
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

    async *listContents(space, type) {
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
    },

    async *sweep({ key }, withAttachments) {
      const query = new URLSearchParams({
        cql: `space = "${key}" and type in (page, blogpost)`,
        expand: sweptParts(withAttachments).join(","),
        limit: String(sweepLimit),
      });
      for await (const { results, base } of pages(`/wiki/rest/api/content/search?${query}`, sweptSchema)) {
        for (const swept of results) yield toSweptContent(swept, base, ids);
      }
    },

    async parentOf({ id, type }) {
      const path = `/wiki/api/v2/${containerPaths[type] ?? "pages"}/${encodeURIComponent(id)}`;
      const { parentId, parentType } = await site.json(path, containerSchema);
      return parentId ? { id: parentId, type: parentType ?? "page" } : null;
    },

    async storageOf({ id, type }) {
      const { body } = await site.json(`/wiki/api/v2/${type}s/${id}?body-format=storage`, bodySchema);
      return body.storage.value;
    },

    async attachmentsOf({ id, type }) {
      const attachments: ListedAttachment[] = [];
      const path = `/wiki/api/v2/${type}s/${id}/attachments?status=current&limit=${pageLimit}`;
      for await (const { results, base } of pages(path, attachmentSchema)) {
        attachments.push(...results.map((attachment) => toListedAttachment(attachment, base)));
      }
      return attachments;
    },

    downloadAttachment: (containerId, { id, title }) =>
      site.download(`/wiki/rest/api/content/${containerId}/child/attachment/${id}/download`, title),

    listGroups: () => listGroups(),

    async *listMembers({ id }) {
      const path = `/wiki/rest/api/group/${encodeURIComponent(id)}/membersByGroupId`;
      for await (const { item } of counted(path, memberSchema)) {
        if (item.accountType !== "atlassian" || item.accountStatus !== "active") continue;
        // Atlassian has its accounts confirm their address; it is there only where the person lets this account see it.
        yield { id: item.accountId, name: item.displayName || (item.publicName ?? ""), email: item.email || null };
      }
    },

    async readEntrants(groups) {
      const entrances = new Set<string>();
      for (const accessType of ["user", "admin"] as const) {
        for await (const { id } of listGroups(accessType)) entrances.add(id);
      }
      if (entrances.size === 0) {
        throw new AnnealError("SOURCE_FORBIDDEN", "Confluence does not tell which groups give access to it.", {
          action:
            "Give the account access to Confluence, and a token with scopes read:group:confluence; then sync again.",
        });
      }
      const admitting = groups.filter(({ principal }) => entrances.has(principal.id));
      return new Set(admitting.flatMap(({ members }) => members.map(({ principal }) => principal.id)));
    },
  };
}
