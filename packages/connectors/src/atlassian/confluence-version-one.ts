import { z } from "zod";
import { orLostPosition } from "../remote/lost-position.ts";
import type { AtlassianSite } from "./atlassian-site.ts";
import { isWhole, namedIn, restrictionSchema, type Restriction, type SubjectIds } from "./confluence-answers.ts";

const linksSchema = z
  .looseObject({ next: z.string().optional(), base: z.string().optional(), context: z.string().optional() })
  .default({});

const countSchema = z.looseObject({ totalSize: z.number() });

export const sweepLimit = 100;
const listLimit = 200;
/** More would make an address that is too long. */
const keysPerCount = 50;

/** What a sweep asks for beside a content's id. */
export function sweptParts(withAttachments: boolean): string[] {
  return [
    "restrictions.read.restrictions.user",
    "restrictions.read.restrictions.group",
    ...(withAttachments ? ["children.attachment.version", "children.attachment.extensions"] : []),
  ];
}

/**
 * What version 1 of Confluence's REST API has in both deployments.
 *
 * @param context what its paths begin with, below the site's root: "/wiki" in the cloud
 */
export function createVersionOne(site: AtlassianSite, context: "" | "/wiki", ids: SubjectIds) {
  return {
    async currentAccountType(): Promise<string> {
      const { type } = await site.json(`${context}/rest/api/user/current`, z.looseObject({ type: z.string() }));
      return type;
    },

    /** Pages that name the next one, version 2's too; version 1 leaves the context out of the names. */
    async *pages<T>(path: string, item: z.ZodType<T>): AsyncIterable<{ results: T[]; base: string }> {
      const schema = z.looseObject({ results: z.array(item), _links: linksSchema });
      for (let next: string | undefined = path; next !== undefined;) {
        const isFirst: boolean = next === path;
        const page: z.infer<typeof schema> = await site
          .json(next, schema)
          .catch(orLostPosition(site.service, isFirst ? undefined : next));
        const { next: link, base } = page._links;
        yield { results: page.results, base: base ?? `${site.address}${context}` };
        next = link === undefined || link.startsWith(`${context}/`) ? link : context + link;
      }
    },

    /** Pages that are counted, until one is empty; what the account may not see can leave less on one than there is. */
    async *counted<T>(
      path: string,
      item: z.ZodType<T>,
      query: Record<string, string> = {},
    ): AsyncIterable<{ item: T; base: string }> {
      const schema = z.looseObject({ results: z.array(item), _links: linksSchema });
      for (let start = 0; ;) {
        const { results, _links } = await site.json(path, schema, { query: { ...query, start, limit: listLimit } });
        const { next, base = `${site.address}${context}` } = _links;
        for (const one of results) yield { item: one, base };
        const named = next === undefined ? null : new URL(next, site.address).searchParams.get("start");
        const following = Math.max(start + results.length, Number(named) || 0);
        if (following === start) return;
        start = following;
      }
    },

    /** How many of these there are in the spaces, as far as the search knows them. */
    async countContents(keys: readonly string[], types: readonly string[]): Promise<number> {
      let count = 0;
      for (let at = 0; at < keys.length; at += keysPerCount) {
        const chosen = keys.slice(at, at + keysPerCount).map((key) => JSON.stringify(key));
        const cql = `space in (${chosen.join(", ")}) and type in (${types.join(", ")})`;
        const query = { cql, excerpt: "none", limit: 1 };
        count += (await site.json(`${context}/rest/api/search`, countSchema, { query })).totalSize;
      }
      return count;
    },

    async restrictionOf(id: string): Promise<Restriction> {
      const whole: Restriction = { restricted: false, users: [], groups: [] };
      for (let start = 0; ;) {
        const path = `${context}/rest/api/content/${encodeURIComponent(id)}/restriction/byOperation/read`;
        const { restrictions } = await site.json(path, restrictionSchema, { query: { start, limit: listLimit } });
        const part = namedIn(restrictions, ids);
        whole.restricted ||= part.restricted;
        whole.users.push(...part.users);
        whole.groups.push(...part.groups);
        const { user, group } = restrictions;
        if (isWhole(user) && isWhole(group)) return whole;
        // Accounts and groups page together.
        start += Math.max(user.results.length, group.results.length);
      }
    },
  };
}
