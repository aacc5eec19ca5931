import type { FakeComment, FakeHolder, FakeProject, JiraState } from "./fake-jira.ts";
import { notFound, type Answer, type Asked } from "./fake-site.ts";
import { badQuery, countedPage, refused, searchIssues, showListedIssue } from "./jira-answers.ts";

/**
 * Jira Data Center 10, as far as the connector asks it, written from its REST API reference, version 2
 * (api/2/applicationrole, group, issue, myself, permissionscheme, project, role, search, serverInfo, user). Pages are small
 * and counted; projects come all at once, roles name their actors by user name, and nothing says who is in a security
 * level.
 */
export function answerJiraDataCenter(state: JiraState, asked: Asked): Answer {
  const { site, projects, issues } = state;
  const { path, query, accountId } = asked;
  const match = (pattern: RegExp) => pattern.exec(path);
  if (path === "/rest/api/2/serverInfo") {
    return { body: { baseUrl: site.url, version: "10.3.2", deploymentType: "Server" } };
  }
  if (path === "/rest/api/2/project") {
    const lead = showUser(state, site.bot.accountId);
    const seen = [...projects.values()].filter((project) => state.mayBrowse(accountId, project));
    return { body: seen.map(({ id, key }) => ({ id, key, name: key, lead })) };
  }
  const [, key, rest] = match(/^\/rest\/api\/2\/project\/([A-Z]+)(?:\/(.*))?$/) ?? [];
  if (key !== undefined) {
    const project = [...projects.values()].find((one) => one.key === key && state.mayBrowse(accountId, one));
    return project === undefined ? notFound : aboutProject(state, project, rest ?? "");
  }
  if (accountId === null) return { status: 401, body: { errorMessages: ["You are not authenticated."] } };
  if (path === "/rest/api/2/myself") return { body: showUser(state, accountId) };
  if (path === "/rest/api/2/search") return search(state, asked);
  const [, issueId, part] = match(/^\/rest\/api\/2\/issue\/(\d+)(\/comment)?$/) ?? [];
  if (issueId !== undefined) {
    const issue = issues.get(issueId);
    if (issue === undefined) return notFound;
    if (!state.mayView(accountId, issue)) return { status: 403, body: { errorMessages: ["No permission"] } };
    const wanted = query.get("fields") ?? "";
    if (issue.broken && (part !== undefined || wanted.includes("description"))) return { status: 500 };
    if (part !== undefined) {
      const withProperties = query.get("expand") === "properties";
      return countedPage(
        asked,
        issue.comments.map((comment) => showComment(comment, withProperties)),
        "comments",
      );
    }
    const { fields } = showListedIssue(issue, (id) => showUser(state, id));
    const { description } = issue;
    const text = { description, issuetype: { name: "Task" }, status: { name: "Open" } };
    const archive = issue.isArchived ? { archiveddate: "2026-01-05T10:00:00.000+0000" } : {};
    return { body: { id: issue.id, key: issue.key, fields: { ...fields, ...text, ...archive } } };
  }
  if (path === "/rest/api/2/user") {
    const account = [...site.accounts.values()].find(({ username }) => username === query.get("username"));
    return account === undefined ? notFound : { body: showUser(state, account.accountId) };
  }
  if (state.refuse === "administration") return refused;
  if (path === "/rest/api/2/group/member") {
    const group = query.get("groupname") ?? "";
    if (!site.groups.has(group)) return notFound;
    // Members of the groups in it too, and nobody who was deactivated.
    const members = [...site.accounts.values()].filter((one) => one.active && site.isIn(one.accountId, [group]));
    return countedPage(
      asked,
      members.map((member) => ({
        ...showUser(state, member.accountId),
        emailAddress: member.email ?? "hidden",
        active: true,
      })),
    );
  }
  if (path === "/rest/api/2/applicationrole") {
    return { body: [{ key: "jira-software", name: "Jira Software", groups: [...state.applicationGroups] }] };
  }
  return notFound;
}

function aboutProject(state: JiraState, project: FakeProject, rest: string): Answer {
  const { site } = state;
  if (rest === "") return { body: { id: project.id, key: project.key } };
  if (rest === "permissionscheme") {
    if (state.refuse === "administration" || state.refuse === "schemes") return refused;
    const permissions = project.browse.map((holder) => ({
      permission: "BROWSE_PROJECTS",
      holder: showHolder(state, holder),
    }));
    const others = [{ permission: "CREATE_ISSUES", holder: { type: "anyone" } }];
    return { body: { id: 1, permissions: [...permissions, ...others] } };
  }
  if (rest === "issuesecuritylevelscheme") {
    const levels = [...project.levels.keys()].map((id) => ({ id, name: id }));
    return levels.length === 0 ? notFound : { body: { id: Number(project.id), levels } };
  }
  const role = project.roles.get(/^role\/(\w+)$/.exec(rest)?.[1] ?? "");
  if (role === undefined) return notFound;
  const users = role.users.map((id) => ({
    type: "atlassian-user-role-actor",
    name: site.accounts.get(id)?.username ?? "deleted",
  }));
  const groups = role.groups.map((name) => ({ type: "atlassian-group-role-actor", name }));
  return { body: { actors: [...users, ...groups] } };
}

function search(state: JiraState, asked: Asked): Answer {
  const startAt = Number(asked.body.startAt ?? 0);
  const found = searchIssues(state, asked, startAt);
  if (found === null) return badQuery(asked);
  const issues = found.page.map((issue) => showListedIssue(issue, (id) => showUser(state, id)));
  const idsOnly = JSON.stringify(asked.body.fields) === '["id"]';
  return {
    body: {
      startAt,
      maxResults: found.page.length,
      total: found.total,
      issues: idsOnly ? issues.map(({ id, key }) => ({ id, key })) : issues,
    },
  };
}

function showUser({ site }: JiraState, id: string) {
  const account = site.accounts.get(id);
  return { key: id, name: account?.username ?? id, displayName: account?.displayName ?? id };
}

/** As `expand=all` shows it. */
function showHolder(state: JiraState, { type, id }: FakeHolder) {
  if (id === undefined) return { type };
  if (type === "group") return { type, parameter: id, group: { name: id } };
  if (type === "user") return { type, parameter: id, user: showUser(state, id) };
  return { type, parameter: id };
}

/** Whether a comment is an internal note stands in a property of it. */
function showComment({ text, isPublic, visibility }: FakeComment, withProperties: boolean) {
  const properties = isPublic === undefined ? [] : [{ key: "sd.public.comment", value: { internal: !isPublic } }];
  return {
    author: { displayName: "Somebody" },
    created: "2026-01-05T10:00:00.000+0000",
    body: text,
    ...(visibility === undefined ? {} : { visibility }),
    ...(withProperties ? { properties } : {}),
  };
}
