import { z } from "zod";
import { hasStatus, isAboutWhatWasAsked, NotTold, type AtlassianSite } from "./atlassian-site.ts";
import {
  listedFieldNames,
  listedIssueSchema,
  projectSchema,
  toListedIssue,
  toProject,
  type Holder,
  type ListedIssue,
} from "./jira-answers.ts";
import type { JiraApi } from "./jira-api.ts";
import { createJiraCalls, pageLimit, type HolderAnswer } from "./jira-calls.ts";
import { emailOf, groupIdOf } from "./people.ts";
import { wikiMarkupToHtml } from "./wiki-markup-to-html.ts";

const roleSchema = z.looseObject({ actors: z.array(z.looseObject({ type: z.string(), name: z.string() })) });
const userSchema = z.looseObject({ key: z.string() });
const memberSchema = z.looseObject({
  key: z.string(),
  displayName: z.string().default(""),
  emailAddress: z.string().nullish(),
  active: z.boolean().default(true),
});
const applicationRoleSchema = z.looseObject({ key: z.string(), groups: z.array(z.string()).default([]) });

/** Jira gives at most so many issues a page (`jira.search.views.default.max`), however few of their fields. */
const idLimit = 1000;
const groupPrefix = groupIdOf("");

/** `expand=all` names a user by key as well: a name that stands alone may have been another user's before. */
function toHolder({ type, parameter, user, group }: HolderAnswer): Holder {
  if (type === "user") return { type, id: user?.key ?? "" };
  const name = group?.name ?? parameter ?? "";
  if (type === "group") return { type, id: name === "" ? "" : groupIdOf(name) };
  return { type, id: parameter ?? "" };
}

/** The calls of Jira Data Center's REST API, version 2, that the connector makes. */
export function createJiraDataCenter(site: AtlassianSite): JiraApi {
  const calls = createJiraCalls(site, 2);
  const { root, projectPath, counted } = calls;

  /** By a count: an issue that goes meanwhile shifts the rest. What is passed over is asked for by id, or comes next time. */
  async function* search<T>(jql: string, fields: string[], maxResults: number, item: z.ZodType<T>): AsyncIterable<T> {
    const schema = z.looseObject({ issues: z.array(item), total: z.number() });
    for (let startAt = 0; ;) {
      const body = { jql, fields, maxResults, startAt };
      const { issues, total } = await site.json(`${root}/search`, schema, { method: "POST", body });
      yield* issues;
      startAt += issues.length;
      if (issues.length === 0 || startAt >= total) return;
    }
  }

  /** Roles name their actors by user name, which the rest of the permissions does not. */
  const keys = new Map<string, Promise<string | null>>();
  function keyOf(username: string): Promise<string | null> {
    let key = keys.get(username);
    if (key === undefined) {
      key = site.json(`${root}/user`, userSchema, { query: { username } }).then(
        (user) => user.key,
        (error: unknown) => {
          if (hasStatus(error, 404)) return null;
          throw error;
        },
      );
      keys.set(username, key);
    }
    return key;
  }

  async function fetchIssue(id: string): Promise<ListedIssue | "gone" | "unknown"> {
    const fields = [...listedFieldNames, "project", "archiveddate"].join(",");
    try {
      const issue = await site.json(`${root}/issue/${id}?fields=${fields}`, listedIssueSchema);
      // Who may see an archived one is another permission than to browse the project, and no search has it.
      return issue.fields.archiveddate ? "gone" : toListedIssue(issue, "key");
    } catch (error) {
      // What the account may not see any more is not read.
      if (hasStatus(error, 403, 404)) return "gone";
      if (isAboutWhatWasAsked(error)) return "unknown";
      throw error;
    }
  }

  return {
    ...calls,
    browseHoldersOf: async (project) => (await calls.browseHoldersOf(project)).map(toHolder),

    async *listProjects(wanted) {
      const projects = await site.json(`${root}/project?expand=lead`, z.array(projectSchema));
      for (const project of projects) {
        if (wanted.length === 0 || wanted.includes(project.key)) yield toProject(project, "key");
      }
    },

    async roleActorsOf(project, roleId) {
      const { actors } = await site.json(`${projectPath(project)}/role/${encodeURIComponent(roleId)}`, roleSchema);
      const named = (type: string) => actors.filter((actor) => actor.type === type).map(({ name }) => name);
      const users = await Promise.all(named("atlassian-user-role-actor").map(keyOf));
      return {
        users: users.filter((key) => key !== null),
        groups: named("atlassian-group-role-actor").map(groupIdOf),
      };
    },

    async levelsOf(project) {
      try {
        await site.json(`${projectPath(project)}/issuesecuritylevelscheme`, z.looseObject({ id: z.coerce.string() }));
      } catch (error) {
        if (hasStatus(error, 404)) return new Map();
        throw error;
      }
      throw new NotTold(
        "Jira Data Center's REST API does not say who is in an issue security level.",
        "Issues that have a level are shown to nobody; remove it from those that others should find.",
      );
    },

    async *listIssues(jql) {
      for await (const issue of search(jql, listedFieldNames, pageLimit, listedIssueSchema)) {
        yield toListedIssue(issue, "key");
      }
    },
    async fetchIssues(ids) {
      const issues: ListedIssue[] = [];
      const unknownIds: string[] = [];
      const fetched = await Promise.all(ids.map(async (id) => [id, await fetchIssue(id)] as const));
      for (const [id, issue] of fetched) {
        if (issue === "unknown") unknownIds.push(id);
        else if (issue !== "gone") issues.push(issue);
      }
      return { issues, unknownIds };
    },
    listIssueIds: (jql) => search(jql, ["id"], idLimit, z.looseObject({ id: z.string() })),
    async countIssues(jql) {
      const body = { jql, fields: ["id"], maxResults: 0 };
      const { total } = await site.json(`${root}/search`, z.looseObject({ total: z.number() }), {
        method: "POST",
        body,
      });
      return total;
    },
    toHtml: (body) => (typeof body === "string" ? wikiMarkupToHtml(body) : ""),

    async *listGroups(named) {
      for (const id of named) {
        if (id.startsWith(groupPrefix)) yield { id, name: id.slice(groupPrefix.length) };
      }
    },
    async *listMembers({ name }) {
      try {
        // Those of the groups in it are among them.
        for await (const member of counted("/group/member", memberSchema, { groupname: name })) {
          if (!member.active) continue;
          yield { id: member.key, name: member.displayName, email: emailOf(member.emailAddress) };
        }
      } catch (error) {
        // Schemes keep the name of a group that is gone.
        if (!hasStatus(error, 404)) throw error;
      }
    },
    async listApplicationRoles() {
      const roles = await site.json(`${root}/applicationrole`, z.array(applicationRoleSchema));
      return roles.map(({ key, groups }) => ({ key, groups: groups.map(groupIdOf) }));
    },
  };
}
