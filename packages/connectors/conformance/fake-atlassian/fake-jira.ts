import { notFound, startFakeSite, type Answer, type Asked, type FakeSite } from "./fake-site.ts";

/**
 * Jira Cloud, as far as the connector asks it, written from "The Jira Cloud platform REST API" v3 (Issue search, Issues,
 * Issue comments, Projects, Project permission schemes, Project roles, Issue security level, Groups, Application roles,
 * Myself, Server info). Pages are small; issues page by a token, the rest by a count.
 */
export type FakeHolder = { type: string; value?: string; parameter?: string };
export type FakeComment = { text: string; visibility?: { type: string; value: string }; jsdPublic?: boolean };
export type FakeIssue = {
  id: string;
  key: string;
  projectId: string;
  summary: string;
  description: string;
  updatedMs: number;
  securityId: string | null;
  reporterId: string;
  assigneeId: string | null;
  comments: FakeComment[];
  broken: boolean;
};
export type FakeProject = {
  id: string;
  key: string;
  browse: FakeHolder[];
  /** By id: actors' ids. */
  roles: Map<string, { users: string[]; groups: string[] }>;
  levels: Map<string, FakeHolder[]>;
};

export type FakeJira = {
  site: FakeSite;
  /** Groups that give access to Jira itself. */
  applicationGroups: Set<string>;
  addProject(key: string, project: Partial<FakeProject>): FakeProject;
  removeProject(project: FakeProject): () => void;
  /** Every call that needs the global permission Administer Jira is refused, or just the members of security levels. */
  refuse: "nothing" | "administration" | "levels";
  add(project: FakeProject, issue: Partial<FakeIssue> & Pick<FakeIssue, "summary">): FakeIssue;
  edit(issue: FakeIssue, change: Partial<FakeIssue>): void;
  remove(issue: FakeIssue): void;
  issues: Map<string, FakeIssue>;
  /** Issues that the search has lost sight of. */
  unindexed: Set<string>;
  mayView(accountId: string | null, issue: FakeIssue): boolean;
  close(): Promise<void>;
};

const largestPage = 3;
const refused: Answer = { status: 403, body: { errorMessages: ["You do not have permission"] } };

export async function startFakeJira(): Promise<FakeJira> {
  const projects = new Map<string, FakeProject>();
  const issues = new Map<string, FakeIssue>();
  const applicationGroups = new Set<string>();
  let nextId = 10_000;
  let lastMs = 0;
  const site = await startFakeSite((asked) => answer(asked));

  /** No two changes at one moment, however fast a test is. */
  const now = () => (lastMs = Math.max(Date.now(), lastMs + 1));
  const holds = (accountId: string | null, project: FakeProject, issue: FakeIssue | null, holders: FakeHolder[]) =>
    holders.some(({ type, value = "" }) => {
      if (type === "anyone") return true;
      if (accountId === null) return false;
      const role = project.roles.get(value);
      switch (type) {
        case "applicationRole":
          return site.isIn(accountId, applicationGroups);
        case "group":
          return site.isIn(accountId, [value]);
        case "user":
          return accountId === value;
        case "projectRole":
          return role !== undefined && (role.users.includes(accountId) || site.isIn(accountId, role.groups));
        case "reporter":
          return issue === null || issue.reporterId === accountId;
        case "assignee":
          return issue === null || issue.assigneeId === accountId;
        default:
          return false;
      }
    });
  const isLicensed = (accountId: string | null) => accountId === null || site.isIn(accountId, applicationGroups);
  const mayBrowse = (accountId: string | null, project: FakeProject) =>
    isLicensed(accountId) && holds(accountId, project, null, project.browse);
  const mayView = (accountId: string | null, issue: FakeIssue): boolean => {
    const project = projects.get(issue.projectId);
    if (project === undefined || !isLicensed(accountId) || !holds(accountId, project, issue, project.browse))
      return false;
    return issue.securityId === null || holds(accountId, project, issue, project.levels.get(issue.securityId) ?? []);
  };
  const counted = (asked: Asked, all: unknown[], field = "values"): Answer => {
    const startAt = Number(asked.query.get("startAt") ?? 0);
    const values = all.slice(startAt, startAt + Math.min(Number(asked.query.get("maxResults") ?? 50), largestPage));
    const end = field === "values" ? { isLast: startAt + values.length >= all.length } : {};
    return { body: { startAt, maxResults: largestPage, total: all.length, ...end, [field]: values } };
  };

  function answer(asked: Asked): Answer {
    const { path, query, accountId } = asked;
    const match = (pattern: RegExp) => pattern.exec(path);
    if (path === "/rest/api/3/myself") return accountId === null ? { status: 401 } : { body: { accountId } };
    if (path === "/rest/api/3/serverInfo") return { body: { baseUrl: site.url } };
    if (path === "/rest/api/3/search/jql") return search(asked);
    if (path === "/rest/api/3/issue/bulkfetch") return fetchIssues(asked);
    if (path === "/rest/api/3/project/search") {
      const keys = query.getAll("keys");
      const seen = [...projects.values()].filter(
        (project) => (keys.length === 0 || keys.includes(project.key)) && mayBrowse(accountId, project),
      );
      return counted(
        asked,
        seen.map(({ id, key }) => ({ id, key, name: key, lead: { accountId: site.bot.accountId } })),
      );
    }
    const [, key, rest] = match(/^\/rest\/api\/3\/project\/([A-Z]+)(?:\/(.*))?$/) ?? [];
    if (key !== undefined) {
      const project = [...projects.values()].find((one) => one.key === key && mayBrowse(accountId, one));
      return project === undefined ? notFound : aboutProject(project, rest ?? "");
    }
    const [, schemeId] = match(/^\/rest\/api\/3\/issuesecurityschemes\/(\d+)\/members$/) ?? [];
    if (schemeId !== undefined) {
      if (fake.refuse !== "nothing") return refused;
      const levels = [...(projects.get(schemeId)?.levels ?? [])];
      const members = levels.flatMap(([id, holders]) =>
        holders.map((holder, index) => ({ id: index, issueSecurityLevelId: Number(id), holder })),
      );
      return counted(asked, members);
    }
    const [, issueId, part] = match(/^\/rest\/api\/3\/issue\/(\d+)(\/comment)?$/) ?? [];
    if (issueId !== undefined) {
      const issue = issues.get(issueId);
      if (issue === undefined || !mayView(accountId, issue)) return notFound;
      if (issue.broken) return { status: 500, body: { errorMessages: ["Internal server error"] } };
      if (part !== undefined) return counted(asked, issue.comments.map(showComment), "comments");
      const { summary, description } = issue;
      const fields = { summary, description: adf(description), issuetype: { name: "Task" }, status: { name: "Open" } };
      return { body: { id: issue.id, key: issue.key, fields } };
    }
    if (path === "/rest/api/3/group/bulk") {
      return counted(
        asked,
        [...site.groups.values()].map(({ id, name }) => ({ groupId: id, name })),
      );
    }
    if (path === "/rest/api/3/group/member") {
      const members = [...(site.groups.get(query.get("groupId") ?? "")?.members ?? [])];
      return counted(asked, members.flatMap((id) => site.accounts.get(id) ?? []).map(showMember));
    }
    if (path === "/rest/api/3/applicationrole") {
      if (fake.refuse === "administration") return refused;
      const groupDetails = [...applicationGroups].map((groupId) => ({ groupId, name: groupId }));
      return { body: [{ key: "jira-software", name: "Jira", groupDetails }] };
    }
    return notFound;
  }

  function aboutProject(project: FakeProject, rest: string): Answer {
    if (rest === "") return { body: { id: project.id, key: project.key } };
    if (rest === "permissionscheme") {
      if (fake.refuse === "administration") return refused;
      const permissions = project.browse.map((holder) => ({ permission: "BROWSE_PROJECTS", holder }));
      const others = [{ permission: "CREATE_ISSUES", holder: { type: "anyone" } }];
      return { body: { id: 1, permissions: [...permissions, ...others] } };
    }
    if (rest === "issuesecuritylevelscheme") {
      const levels = [...project.levels.keys()].map((id) => ({ id, name: id }));
      return levels.length === 0 ? notFound : { body: { id: Number(project.id), levels } };
    }
    const role = project.roles.get(/^role\/(\w+)$/.exec(rest)?.[1] ?? "");
    if (role === undefined) return notFound;
    const users = role.users.map((accountId) => ({ type: "atlassian-user-role-actor", actorUser: { accountId } }));
    const groups = role.groups.map((groupId) => ({ type: "atlassian-group-role-actor", actorGroup: { groupId } }));
    return { body: { actors: [...users, ...groups] } };
  }

  /** What is not there, or may not be seen, is left out without a word. */
  function fetchIssues({ body, accountId }: Asked): Answer {
    const ids = body.issueIdsOrKeys as string[];
    if (ids.length > 100) return { status: 400, body: { errorMessages: ["Too many issues"] } };
    const found = ids.flatMap((id) => issues.get(id) ?? []).filter((issue) => mayView(accountId, issue));
    return { body: { issues: found.map(showListed), issueErrors: [] } };
  }

  /** Just the queries that the connector makes. */
  function search({ body, accountId }: Asked): Answer {
    const jql = String(body.jql).replace(" ORDER BY created ASC", "");
    const [, projectId, condition] = /^project = (\d+)(?: AND (.+))?$/.exec(jql) ?? [];
    if (projectId === undefined) return { status: 400, body: { errorMessages: [`Error in JQL: ${jql}`] } };
    const minutes = /^updated >= "-(\d+)m"$/.exec(condition ?? "")?.[1];
    if (condition !== undefined && minutes === undefined && condition !== "level is not EMPTY") {
      return { status: 400, body: { errorMessages: [`Error in JQL: ${jql}`] } };
    }
    const sinceMs = minutes === undefined ? 0 : Date.now() - Number(minutes) * 60_000;
    const found = [...issues.values()].filter(
      (issue) =>
        issue.projectId === projectId &&
        !fake.unindexed.has(issue.id) &&
        issue.updatedMs >= sinceMs &&
        (condition !== "level is not EMPTY" || issue.securityId !== null) &&
        mayView(accountId, issue),
    );
    const start = Number(body.nextPageToken ?? 0);
    const page = found.slice(start, start + largestPage);
    const more = start + page.length < found.length;
    const idsOnly = JSON.stringify(body.fields) === '["id"]';
    return {
      body: {
        isLast: !more,
        ...(more ? { nextPageToken: String(start + page.length) } : {}),
        issues: page.map((issue) => (idsOnly ? { id: issue.id } : showListed(issue))),
      },
    };
  }

  const fake: FakeJira = {
    site,
    applicationGroups,
    refuse: "nothing",
    issues,
    unindexed: new Set(),
    mayView,
    addProject(key, project) {
      const added: FakeProject = {
        id: String(nextId++),
        key,
        browse: [],
        roles: new Map(),
        levels: new Map(),
        ...project,
      };
      projects.set(added.id, added);
      return added;
    },
    removeProject(project) {
      projects.delete(project.id);
      return () => void projects.set(project.id, project);
    },
    add(project, issue) {
      const id = String(nextId++);
      const added: FakeIssue = {
        id,
        key: `${project.key}-${id}`,
        projectId: project.id,
        description: "",
        updatedMs: now(),
        securityId: null,
        reporterId: site.bot.accountId,
        assigneeId: null,
        comments: [],
        broken: false,
        ...issue,
      };
      issues.set(id, added);
      return added;
    },
    edit(issue, change) {
      Object.assign(issue, { updatedMs: now() }, change);
    },
    remove(issue) {
      issues.delete(issue.id);
    },
    close: () => site.close(),
  };
  return fake;
}

function showListed({ id, key, projectId, summary, updatedMs, securityId, reporterId, assigneeId }: FakeIssue) {
  return {
    id,
    key,
    fields: {
      summary,
      project: { id: projectId },
      updated: new Date(updatedMs).toISOString().replace("Z", "+0000"),
      security: securityId === null ? null : { id: securityId },
      reporter: { accountId: reporterId },
      assignee: assigneeId === null ? null : { accountId: assigneeId },
    },
  };
}

function showComment({ text, ...rest }: FakeComment) {
  return { author: { displayName: "Somebody" }, created: "2026-01-05T10:00:00.000+0000", body: adf(text), ...rest };
}

function showMember({
  accountId,
  displayName,
  email,
  active,
  type,
}: {
  accountId: string;
  displayName: string;
  email: string | null;
  active: boolean;
  type: string;
}) {
  return { accountId, displayName, emailAddress: email, active, accountType: type };
}

function adf(text: string) {
  return { type: "doc", version: 1, content: [{ type: "paragraph", content: [{ type: "text", text }] }] };
}
