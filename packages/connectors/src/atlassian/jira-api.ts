import { z } from "zod";
import type { AtlassianSite } from "./atlassian-site.ts";

const userSchema = z.looseObject({ accountId: z.string() });
const projectSchema = z.looseObject({
  id: z.string(),
  key: z.string(),
  name: z.string().default(""),
  lead: userSchema.nullish(),
});
export type Project = { id: string; key: string; name: string; leadId: string | null };

/** Who is granted something: a group, a user, a role of the project, the reporter, … `value` holds an id. */
const holderSchema = z.looseObject({
  type: z.string(),
  parameter: z.string().nullish(),
  value: z.string().nullish(),
});
export type Holder = z.infer<typeof holderSchema>;

const schemeSchema = z.looseObject({
  permissions: z.array(z.looseObject({ permission: z.string(), holder: holderSchema })),
});
const roleSchema = z.looseObject({
  actors: z.array(
    z.looseObject({
      actorUser: z.looseObject({ accountId: z.string().optional() }).nullish(),
      actorGroup: z.looseObject({ groupId: z.string().optional() }).nullish(),
    }),
  ),
});
const securitySchema = z.looseObject({
  id: z.coerce.string(),
  levels: z.array(z.looseObject({ id: z.coerce.string() })).default([]),
});
const levelMemberSchema = z.looseObject({ issueSecurityLevelId: z.coerce.string(), holder: holderSchema });

const listedIssueSchema = z.looseObject({
  id: z.string(),
  key: z.string().default(""),
  fields: z
    .looseObject({
      summary: z.string().nullish(),
      updated: z.string().optional(),
      security: z.looseObject({ id: z.coerce.string() }).nullish(),
      reporter: userSchema.nullish(),
      assignee: userSchema.nullish(),
      project: z.looseObject({ id: z.coerce.string() }).nullish(),
    })
    .default({}),
});
const fetchedSchema = z.looseObject({
  issues: z.array(listedIssueSchema).default([]),
  issueErrors: z.array(z.looseObject({ id: z.coerce.string() })).default([]),
});
/** An answer without the field does not say that an issue has no security level. */
export const unknownLevel = "?";

export type ListedIssue = {
  id: string;
  key: string;
  summary: string;
  updated: string;
  securityId: string | null;
  reporterId: string | null;
  assigneeId: string | null;
  /** null where it was not asked for. */
  projectId: string | null;
};

function toListedIssue({ id, key, fields }: z.infer<typeof listedIssueSchema>): ListedIssue {
  return {
    id,
    key,
    summary: fields.summary ?? "",
    updated: fields.updated ?? "",
    securityId: fields.security === undefined ? unknownLevel : (fields.security?.id ?? null),
    reporterId: fields.reporter?.accountId ?? null,
    assigneeId: fields.assignee?.accountId ?? null,
    projectId: fields.project?.id ?? null,
  };
}

const named = z.looseObject({ name: z.string().default("") }).nullish();
const issueSchema = z.looseObject({
  key: z.string(),
  fields: z.looseObject({
    summary: z.string().nullish(),
    description: z.unknown().optional(),
    issuetype: named,
    status: named,
  }),
});
export type Issue = z.infer<typeof issueSchema>;

const commentSchema = z.looseObject({
  created: z.string().default(""),
  author: z.looseObject({ displayName: z.string().default("") }).nullish(),
  body: z.unknown().optional(),
  visibility: z.unknown().optional(),
  jsdPublic: z.boolean().optional(),
});
export type Comment = z.infer<typeof commentSchema>;

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

/** What a listing needs to know of an issue; its text is read when it changed. */
const listedFields = ["summary", "updated", "security", "reporter", "assignee"];
const pageLimit = 100;
/** Jira's limit. */
const keysPerRequest = 50;
/** Jira gives more issues a page when only their ids are asked for, up to this many. */
const idLimit = 5000;

export type JiraApi = ReturnType<typeof createJiraApi>;

/** The calls of Jira Cloud's REST API, version 3, that the connector makes. */
export function createJiraApi(site: AtlassianSite) {
  /** Pages that are counted (`startAt`), until one says that it is the last or is empty. */
  async function* counted<T>(
    path: string,
    item: z.ZodType<T>,
    query: Record<string, string | number | boolean> = {},
    field = "values",
  ): AsyncIterable<T> {
    const schema = z.looseObject({ isLast: z.boolean().optional(), [field]: z.array(item) });
    for (let startAt = 0; ;) {
      const page: Record<string, unknown> = await site.json(path, schema, {
        query: { ...query, startAt, maxResults: pageLimit },
      });
      const values = page[field] as T[];
      yield* values;
      startAt += values.length;
      if (values.length === 0 || page.isLast === true || startAt === page.total) return;
    }
  }

  async function* search<T>(jql: string, fields: string[], maxResults: number, item: z.ZodType<T>): AsyncIterable<T> {
    const schema = z.looseObject({ issues: z.array(item), nextPageToken: z.string().nullish() });
    for (let nextPageToken: string | undefined; ;) {
      const body = { jql, fields, maxResults, ...(nextPageToken === undefined ? {} : { nextPageToken }) };
      const page: z.infer<typeof schema> = await site.json("/rest/api/3/search/jql", schema, { method: "POST", body });
      yield* page.issues;
      if (!page.nextPageToken) return;
      nextPageToken = page.nextPageToken;
    }
  }

  const projectPath = (project: Project) => `/rest/api/3/project/${encodeURIComponent(project.key)}`;

  return {
    /** Fails for a stranger, whom other calls answer with what is public. */
    async requireAccount(): Promise<void> {
      await site.json("/rest/api/3/myself", userSchema);
    },

    async *listProjects(keys: readonly string[]): AsyncIterable<Project> {
      for (let at = 0; at === 0 || at < keys.length; at += keysPerRequest) {
        const chosen = keys.slice(at, at + keysPerRequest).map((key) => `&keys=${encodeURIComponent(key)}`);
        const path = `/rest/api/3/project/search?expand=lead&orderBy=key${chosen.join("")}`;
        for await (const { id, key, name, lead } of counted(path, projectSchema)) {
          yield { id, key, name, leadId: lead?.accountId ?? null };
        }
      }
    },

    /** Whether people who have not signed in may browse the project: asked as one of them. */
    isPublic: (project: Project) =>
      site.showsStrangers(projectPath(project), z.looseObject({ id: z.literal(project.id) })),

    async browseHoldersOf(project: Project): Promise<Holder[]> {
      const { permissions } = await site.json(`${projectPath(project)}/permissionscheme?expand=all`, schemeSchema);
      return permissions.filter(({ permission }) => permission === "BROWSE_PROJECTS").map(({ holder }) => holder);
    },

    async roleActorsOf(project: Project, roleId: string): Promise<{ users: string[]; groups: string[] }> {
      const { actors } = await site.json(`${projectPath(project)}/role/${encodeURIComponent(roleId)}`, roleSchema);
      return {
        users: actors.flatMap(({ actorUser }) => actorUser?.accountId ?? []),
        groups: actors.flatMap(({ actorGroup }) => actorGroup?.groupId ?? []),
      };
    },

    /** @throws RemoteError 404 where the project has no issue security scheme */
    securitySchemeOf: (project: Project) =>
      site.json(`${projectPath(project)}/issuesecuritylevelscheme`, securitySchema),
    listLevelMembers: (schemeId: string) =>
      counted(`/rest/api/3/issuesecurityschemes/${schemeId}/members`, levelMemberSchema, { expand: "all" }),

    async *listIssues(jql: string): AsyncIterable<ListedIssue> {
      for await (const issue of search(jql, listedFields, pageLimit, listedIssueSchema)) yield toListedIssue(issue);
    },
    /** By id and not through the search, which may lag: what is there, and what may be there but could not be read now. */
    async fetchIssues(ids: readonly string[]): Promise<{ issues: ListedIssue[]; unknownIds: string[] }> {
      const body = { issueIdsOrKeys: ids, fields: [...listedFields, "project"] };
      const answer = await site.json("/rest/api/3/issue/bulkfetch", fetchedSchema, { method: "POST", body });
      return {
        issues: answer.issues.map(toListedIssue),
        unknownIds: answer.issueErrors.map(({ id }) => id),
      };
    },
    listIssueIds: (jql: string) => search(jql, ["id"], idLimit, z.looseObject({ id: z.string() })),

    readIssue: (id: string) =>
      site.json(`/rest/api/3/issue/${id}?fields=summary,description,issuetype,status`, issueSchema),
    listComments: (id: string) =>
      counted(`/rest/api/3/issue/${id}/comment`, commentSchema, { orderBy: "created" }, "comments"),

    listGroups: () => counted("/rest/api/3/group/bulk", groupSchema),
    listMembers: (groupId: string) => counted("/rest/api/3/group/member", memberSchema, { groupId }),
    /** Access to Jira itself, by application: the groups that give it. */
    listApplicationRoles: () => site.json("/rest/api/3/applicationrole", z.array(applicationRoleSchema)),
    async siteAddress(): Promise<string> {
      const { baseUrl } = await site.json("/rest/api/3/serverInfo", z.looseObject({ baseUrl: z.url() }));
      return baseUrl.replace(/\/+$/, "");
    },
  };
}
