import { z } from "zod";
import { orLostPosition } from "../remote/lost-position.ts";
import { adfToHtml } from "./adf-to-html.ts";
import { hasStatus, type AtlassianSite } from "./atlassian-site.ts";
import {
  listedFieldNames,
  listedIssueSchema,
  projectSchema,
  securityLevelSchema,
  toListedIssue,
  toProject,
  type Holder,
} from "./jira-answers.ts";
import type { JiraApi } from "./jira-api.ts";
import { createJiraCalls, levelMemberSchema, pageLimit, type HolderAnswer } from "./jira-calls.ts";

const roleSchema = z.looseObject({
  actors: z.array(
    z.looseObject({
      actorUser: z.looseObject({ accountId: z.string().optional() }).nullish(),
      actorGroup: z.looseObject({ groupId: z.string().optional() }).nullish(),
    }),
  ),
});
const securitySchema = z.looseObject({ id: z.coerce.string(), levels: z.array(securityLevelSchema).default([]) });
const fetchedSchema = z.looseObject({
  issues: z.array(listedIssueSchema).default([]),
  issueErrors: z.array(z.looseObject({ id: z.coerce.string() })).default([]),
});
const groupSchema = z.looseObject({ groupId: z.string(), name: z.string() });
const memberSchema = z.looseObject({
  accountId: z.string(),
  accountType: z.string().default("atlassian"),
  displayName: z.string().default(""),
  emailAddress: z.string().nullish(),
  active: z.boolean().default(true),
});
const applicationRoleSchema = z.looseObject({
  key: z.string(),
  groupDetails: z.array(z.looseObject({ groupId: z.string() })).default([]),
});

/** Who may see an issue of a team-managed project stands in a field of its own. */
const fieldNames = [...listedFieldNames, "issuerestriction"];
/** Jira's limit. */
const keysPerRequest = 50;
/** Jira gives more issues a page when only their ids are asked for, up to this many. */
const idLimit = 5000;

/** A group is named by its id; its name alone, which another group may get, does not count. */
function toHolder({ type, parameter, value }: HolderAnswer): Holder {
  return { type, id: (type === "group" ? value : (value ?? parameter)) ?? "" };
}

/** The calls of Jira Cloud's REST API, version 3, that the connector makes. */
export function createJiraCloud(site: AtlassianSite): JiraApi {
  const calls = createJiraCalls(site, 3);
  const { root, projectPath, counted } = calls;

  async function* search<T>(jql: string, fields: string[], maxResults: number, item: z.ZodType<T>): AsyncIterable<T> {
    const schema = z.looseObject({ issues: z.array(item), nextPageToken: z.string().nullish() });
    for (let nextPageToken: string | undefined; ;) {
      const body = { jql, fields, maxResults, ...(nextPageToken === undefined ? {} : { nextPageToken }) };
      const page: z.infer<typeof schema> = await site
        .json(`${root}/search/jql`, schema, { method: "POST", body })
        .catch(orLostPosition(site.service, nextPageToken));
      yield* page.issues;
      if (!page.nextPageToken) return;
      nextPageToken = page.nextPageToken;
    }
  }

  return {
    ...calls,
    browseHoldersOf: async (project) => (await calls.browseHoldersOf(project)).map(toHolder),

    async *listProjects(keys) {
      for (let at = 0; at === 0 || at < keys.length; at += keysPerRequest) {
        const chosen = keys.slice(at, at + keysPerRequest).map((key) => `&keys=${encodeURIComponent(key)}`);
        const path = `/project/search?expand=lead&orderBy=key${chosen.join("")}`;
        for await (const project of counted(path, projectSchema)) yield toProject(project, "accountId");
      }
    },

    async roleActorsOf(project, roleId) {
      const { actors } = await site.json(`${projectPath(project)}/role/${encodeURIComponent(roleId)}`, roleSchema);
      return {
        users: actors.flatMap(({ actorUser }) => actorUser?.accountId ?? []),
        groups: actors.flatMap(({ actorGroup }) => actorGroup?.groupId ?? []),
      };
    },

    async levelsOf(project) {
      const path = `${projectPath(project)}/issuesecuritylevelscheme`;
      const scheme = await site.json(path, securitySchema).catch((error: unknown) => {
        if (hasStatus(error, 404)) return null;
        throw error;
      });
      if (scheme === null) return new Map();
      const holders = new Map<string, Holder[]>(scheme.levels.map(({ id }) => [id, []]));
      const members = counted(`/issuesecurityschemes/${scheme.id}/members`, levelMemberSchema, { expand: "all" });
      for await (const { issueSecurityLevelId: id, holder } of members) {
        holders.set(id, [...(holders.get(id) ?? []), toHolder(holder)]);
      }
      return holders;
    },

    async *listIssues(jql) {
      for await (const issue of search(jql, fieldNames, pageLimit, listedIssueSchema)) {
        yield toListedIssue(issue, "accountId");
      }
    },
    async fetchIssues(ids) {
      const body = { issueIdsOrKeys: ids, fields: [...fieldNames, "project"] };
      const answer = await site.json(`${root}/issue/bulkfetch`, fetchedSchema, { method: "POST", body });
      return {
        issues: answer.issues.map((issue) => toListedIssue(issue, "accountId")),
        unknownIds: answer.issueErrors.map(({ id }) => id),
      };
    },
    listIssueIds: (jql) => search(jql, ["id"], idLimit, z.looseObject({ id: z.string() })),
    async countIssues(jql) {
      const path = `${root}/search/approximate-count`;
      const { count } = await site.json(path, z.looseObject({ count: z.number() }), { method: "POST", body: { jql } });
      return count;
    },
    toHtml: (body) => adfToHtml(body),

    async *listGroups() {
      for await (const { groupId, name } of counted("/group/bulk", groupSchema)) yield { id: groupId, name };
    },
    async *listMembers({ id }) {
      const members = counted("/group/member", memberSchema, { groupId: id });
      for await (const { accountId, accountType, displayName, emailAddress, active } of members) {
        // Apps read for themselves, and customers of a help centre need not have confirmed their address.
        if (accountType !== "atlassian" || !active) continue;
        yield { id: accountId, name: displayName, email: emailAddress || null };
      }
    },
    async listApplicationRoles() {
      const roles = await site.json(`${root}/applicationrole`, z.array(applicationRoleSchema));
      return roles.map(({ key, groupDetails }) => ({ key, groups: groupDetails.map(({ groupId }) => groupId) }));
    },
  };
}
