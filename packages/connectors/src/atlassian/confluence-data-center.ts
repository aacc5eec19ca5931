import { z } from "zod";
import { orLostPosition } from "../remote/lost-position.ts";
import { hasStatus, NotTold, type AtlassianSite } from "./atlassian-site.ts";
import {
  attachmentSchema,
  sweptSchema,
  toListedAttachment,
  toSweptContent,
  type ListedAttachment,
  type ListedContent,
  type Space,
  type SubjectIds,
} from "./confluence-answers.ts";
import type { ConfluenceApi } from "./confluence-api.ts";
import { createVersionOne, sweepLimit, sweptParts } from "./confluence-version-one.ts";
import { groupIdOf, emailOf, type Group, type Person } from "./people.ts";

const spaceSchema = z.looseObject({ id: z.coerce.string(), key: z.string(), name: z.string().default("") });
const placeSchema = z.looseObject({ ancestors: z.array(z.looseObject({ id: z.string() })).default([]) });
const listedSchema = placeSchema.extend({
  id: z.string(),
  type: z.string(),
  title: z.string().default(""),
  version: z.looseObject({ number: z.number(), when: z.string().optional() }),
  _links: z.looseObject({ webui: z.string().optional() }).default({}),
});
const bodySchema = z.looseObject({ body: z.looseObject({ storage: z.looseObject({ value: z.string() }) }) });
const attachedSchema = z.looseObject({ container: z.looseObject({ id: z.coerce.string() }) });
const permissionsSchema = z.array(
  z.looseObject({
    operation: z.looseObject({ targetType: z.string(), operationKey: z.string() }),
    subject: z.looseObject({ type: z.string(), name: z.string().optional(), userKey: z.string().optional() }),
  }),
);
const groupSchema = z.looseObject({ name: z.string() });
const memberSchema = z.looseObject({ userKey: z.string() });
const activeUserSchema = z.looseObject({
  userKey: z.string(),
  displayName: z.string().default(""),
  email: z.string().nullish(),
});

const ids: SubjectIds = {
  user: ({ userKey }) => userKey,
  group: ({ name }) => (name === undefined ? undefined : groupIdOf(name)),
};
/** More would make an address that is too long. */
const keysPerRequest = 50;

/**
 * The calls of Confluence Data Center's REST API that the connector makes. The documentation of 9.4 names all of them;
 * 8.3 lists contents by a cursor, 9.1 tells who may view a space and 9.4 who may use Confluence.
 */
export function createConfluenceDataCenter(site: AtlassianSite): ConfluenceApi {
  const { currentAccountType, restrictionOf, countContents, counted } = createVersionOne(site, "", ids);
  const contentPath = (id: string) => `/rest/api/content/${encodeURIComponent(id)}`;
  const groupPath = ({ name }: Group) => `/rest/api/group/${encodeURIComponent(name)}`;

  /** By a cursor, so that what comes and goes meanwhile shifts nothing; the links to the next page forget the type. */
  async function* scan<T>(
    { key }: Space,
    type: ListedContent["type"],
    expand: readonly string[],
    item: z.ZodType<T>,
  ): AsyncIterable<{ results: T[]; base: string }> {
    const schema = z.looseObject({
      results: z.array(item),
      nextCursor: z.string().nullish(),
      _links: z.looseObject({ next: z.string().optional(), base: z.string().optional() }).default({}),
    });
    const query = { spaceKey: key, type, status: "current", expand: expand.join(","), limit: sweepLimit };
    for (let cursor: string | undefined; ;) {
      const page: z.infer<typeof schema> = await site
        .json("/rest/api/content/scan", schema, { query: { ...query, cursor } })
        .catch(orLostPosition(site.service, cursor));
      const { next, base } = page._links;
      yield { results: page.results, base: base ?? site.address };
      if (next === undefined) return;
      const following = page.nextCursor ?? new URL(next, site.address).searchParams.get("cursor");
      if (following === null || following === cursor) return;
      cursor = following;
    }
  }

  async function* spacesOf(keys: readonly string[], status: "current" | undefined): AsyncIterable<Space> {
    for (let at = 0; at === 0 || at < keys.length; at += keysPerRequest) {
      const chosen = keys.slice(at, at + keysPerRequest).map((key) => `spaceKey=${encodeURIComponent(key)}`);
      const path = `/rest/api/space${chosen.length === 0 ? "" : `?${chosen.join("&")}`}`;
      for await (const { item } of counted(path, spaceSchema, status === undefined ? {} : { status })) yield item;
    }
  }

  /** Those who count for the licence: no deactivated, deleted or unlicensed accounts. Read once. */
  let active: Promise<ReadonlyMap<string, Person>> | undefined;
  const activeUsers = () => (active ??= readActiveUsers());
  async function readActiveUsers(): Promise<ReadonlyMap<string, Person>> {
    const people = new Map<string, Person>();
    try {
      for await (const { item } of counted("/rest/api/admin/users/list/active", activeUserSchema)) {
        const { userKey, displayName, email } = item;
        people.set(userKey, { id: userKey, name: displayName, email: emailOf(email) });
      }
    } catch (error) {
      if (!hasStatus(error, 404)) throw error;
      throw new NotTold(
        `Confluence at ${site.tenant} does not tell who may use it.`,
        "Upgrade it to Data Center 9.4 or later; until then its documents are shown to nobody.",
      );
    }
    return people;
  }

  /** Its own members, and those of the groups in it. */
  async function membersOf(group: Group, seen: Set<string>): Promise<string[]> {
    if (seen.has(group.id)) return [];
    seen.add(group.id);
    const keys: string[] = [];
    try {
      for await (const { item } of counted(`${groupPath(group)}/member`, memberSchema)) keys.push(item.userKey);
      for await (const { item } of counted(`${groupPath(group)}/groupmember`, groupSchema)) {
        keys.push(...(await membersOf({ id: groupIdOf(item.name), name: item.name }, seen)));
      }
    } catch (error) {
      // It went away meanwhile, or this version knows no groups in groups.
      if (!hasStatus(error, 404)) throw error;
    }
    return keys;
  }

  return {
    currentAccountType,
    restrictionOf,
    countContents,
    listSpaces: (keys) => spacesOf(keys, keys.length === 0 ? "current" : undefined),

    async isPublic({ key }) {
      const path = `/rest/api/space/${encodeURIComponent(key)}`;
      return (await site.askAsStranger(path, z.looseObject({ key: z.literal(key) }))) !== null;
    },

    async readersOf({ key }) {
      const path = `/rest/api/space/${encodeURIComponent(key)}/permissions`;
      const permissions = await site.json(path, permissionsSchema).catch((error: unknown) => {
        if (hasStatus(error, 404)) {
          throw new NotTold(
            `Confluence at ${site.tenant} does not tell who may view a space.`,
            "Upgrade it to Data Center 9.1 or later; until then its documents are shown to nobody.",
          );
        }
        // Who is no administrator is answered 500 (CONFSERVER-99908).
        if (!hasStatus(error, 403, 500)) throw error;
        throw new NotTold(
          `Confluence does not tell the account who may view ${key}.`,
          "Make it an administrator of Confluence, or of the space.",
        );
      });
      const reading = permissions
        .filter(({ operation }) => operation.targetType === "space" && operation.operationKey === "read")
        .map(({ subject }) => subject);
      return {
        users: reading.flatMap((subject) => (subject.type === "user" ? (ids.user(subject) ?? []) : [])),
        groups: reading.flatMap((subject) => (subject.type === "group" ? (ids.group(subject) ?? []) : [])),
      };
    },

    async *listContents(space, type) {
      for await (const { results, base } of scan(space, type, ["version", "ancestors"], listedSchema)) {
        for (const content of results) {
          if (content.type !== type) continue;
          const { id, title, version, ancestors, _links } = content;
          const parent = type === "page" ? ancestors.at(-1) : undefined;
          yield {
            id,
            type,
            title,
            parent: parent === undefined ? null : { id: parent.id, type: "page" },
            version: version.number,
            modifiedAt: version.when ?? null,
            uri: base + (_links.webui ?? `/pages/viewpage.action?pageId=${id}`),
          };
        }
      }
    },

    async *sweep(space, withAttachments) {
      for (const type of ["page", "blogpost"] as const) {
        for await (const { results, base } of scan(space, type, sweptParts(withAttachments), sweptSchema)) {
          for (const swept of results) yield toSweptContent(swept, base, ids);
        }
      }
    },

    async parentOf({ id }) {
      const { ancestors } = await site.json(`${contentPath(id)}?expand=ancestors`, placeSchema);
      const parent = ancestors.at(-1);
      return parent === undefined ? null : { id: parent.id, type: "page" };
    },

    async storageOf({ id }) {
      const { body } = await site.json(`${contentPath(id)}?expand=body.storage`, bodySchema);
      return body.storage.value;
    },

    async attachmentsOf({ id }) {
      const attachments = new Map<string, ListedAttachment>();
      const path = `${contentPath(id)}/child/attachment`;
      for await (const { item, base } of counted(path, attachmentSchema, { expand: "version" })) {
        attachments.set(item.id, toListedAttachment(item, base));
      }
      return [...attachments.values()];
    },

    downloadAttachment(containerId, { title, downloadPath }) {
      const named = `/download/attachments/${containerId}/${encodeURIComponent(title)}`;
      return site.download(downloadPath?.startsWith("/") ? downloadPath : named, title);
    },

    async *listGroups() {
      for await (const { item } of counted("/rest/api/group", groupSchema)) {
        yield { id: groupIdOf(item.name), name: item.name };
      }
    },

    async *listMembers(group) {
      const people = await activeUsers();
      for (const key of new Set(await membersOf(group, new Set()))) {
        const person = people.get(key);
        if (person !== undefined) yield person;
      }
    },

    readEntrants: async () => new Set((await activeUsers()).keys()),

    secondLook: {
      currentSpaces: (keys) => spacesOf(keys, "current"),
      async containerOf(attachmentId) {
        try {
          const { container } = await site.json(`${contentPath(attachmentId)}?expand=container`, attachedSchema);
          return container.id;
        } catch (error) {
          if (hasStatus(error, 403, 404)) return null;
          throw error;
        }
      },
    },
  };
}
