import type { FakeComment, FakeHolder, FakeIssue, FakeProject, JiraState } from "./fake-jira.ts";
import { notFound, type Answer, type Asked } from "./fake-site.ts";
import { badQuery, countedPage, refused, searchIssues, showListedIssue } from "./jira-answers.ts";

/**
 * Jira Cloud, as far as the connector asks it, written from "The Jira Cloud platform REST API" v3 (Issue search, Issues,
 * Issue comments, Projects, Project permission schemes, Project roles, Issue security level, Groups, Application roles,
 * Myself, Server info). Pages are small; issues page by a token, the rest by a count.
 */
export function answerJiraCloud(state: JiraState, asked: Asked): Answer {
  const { site, projects, issues } = state;
  const { path, query, accountId } = asked;
  const match = (pattern: RegExp) => pattern.exec(path);
  if (path === "/rest/api/2/serverInfo") return { body: { deploymentType: "Cloud", version: "1001.0.0" } };
  if (path === "/rest/api/3/myself") return accountId === null ? { status: 401 } : { body: { accountId } };
  if (path === "/rest/api/3/serverInfo") return { body: { baseUrl: site.url } };
  if (path === "/rest/api/3/search/jql") return search(state, asked);
  if (path === "/rest/api/3/search/approximate-count") {
    const found = searchIssues(state, asked, 0);
    return found === null ? badQuery(asked) : { body: { count: found.total } };
  }
  if (path === "/rest/api/3/issue/bulkfetch") return fetchIssues(state, asked);
  if (path === "/rest/api/3/project/search") {
    const keys = query.getAll("keys");
    const seen = [...projects.values()].filter(
      (project) => (keys.length === 0 || keys.includes(project.key)) && state.mayBrowse(accountId, project),
    );
    return countedPage(
      asked,
      seen.map(({ id, key, isTeamManaged }) => ({
        id,
        key,
        name: key,
        lead: { accountId: site.bot.accountId },
        style: isTeamManaged ? "next-gen" : "classic",
      })),
    );
  }
  const [, key, rest] = match(/^\/rest\/api\/3\/project\/([A-Z]+)(?:\/(.*))?$/) ?? [];
  if (key !== undefined) {
    const project = [...projects.values()].find((one) => one.key === key && state.mayBrowse(accountId, one));
    return project === undefined ? notFound : aboutProject(state, project, rest ?? "");
  }
  const [, schemeId] = match(/^\/rest\/api\/3\/issuesecurityschemes\/(\d+)\/members$/) ?? [];
  if (schemeId !== undefined) {
    if (state.refuse === "administration" || state.refuse === "levels") return refused;
    const levels = [...(projects.get(schemeId)?.levels ?? [])];
    const members = levels.flatMap(([id, holders]) =>
      holders.map((holder, index) => ({
        id: index,
        issueSecurityLevelId: Number(id),
        holder: showHolder(state, holder),
      })),
    );
    return countedPage(asked, members);
  }
  const [, issueId, part] = match(/^\/rest\/api\/3\/issue\/(\d+)(\/comment)?$/) ?? [];
  if (issueId !== undefined) {
    const issue = issues.get(issueId);
    if (issue === undefined || !state.mayView(accountId, issue)) return notFound;
    if (issue.broken) return { status: 500, body: { errorMessages: ["Internal server error"] } };
    if (part !== undefined) return countedPage(asked, issue.comments.map(showComment), "comments");
    const { summary, description } = issue;
    const fields = { summary, description: adf(description), issuetype: { name: "Task" }, status: { name: "Open" } };
    return { body: { id: issue.id, key: issue.key, fields } };
  }
  if (path === "/rest/api/3/group/bulk") {
    return countedPage(
      asked,
      [...site.groups.values()].map(({ id, name }) => ({ groupId: id, name })),
    );
  }
  if (path === "/rest/api/3/group/member") {
    const members = [...(site.groups.get(query.get("groupId") ?? "")?.members ?? [])];
    return countedPage(
      asked,
      members
        .flatMap((id) => site.accounts.get(id) ?? [])
        .map(({ accountId: id, displayName, email, active, type }) => ({
          accountId: id,
          displayName,
          emailAddress: email,
          active,
          accountType: type,
        })),
    );
  }
  if (path === "/rest/api/3/applicationrole") {
    if (state.refuse === "administration") return refused;
    const groupDetails = [...state.applicationGroups].map((groupId) => ({ groupId, name: groupId }));
    return { body: [{ key: "jira-software", name: "Jira", groupDetails }] };
  }
  return notFound;
}

function aboutProject(state: JiraState, project: FakeProject, rest: string): Answer {
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
  if (rest.startsWith("role") && state.refuse === "roles") return refused;
  if (rest === "role") {
    const root = `${state.site.url}/rest/api/3/project/${project.id}/role`;
    return { body: Object.fromEntries([...project.roles.keys()].map((id) => [`Role ${id}`, `${root}/${id}`])) };
  }
  const role = project.roles.get(/^role\/(\w+)$/.exec(rest)?.[1] ?? "");
  if (role === undefined) return notFound;
  const users = role.users.map((accountId) => ({ type: "atlassian-user-role-actor", actorUser: { accountId } }));
  const groups = role.groups.map((groupId) => ({ type: "atlassian-group-role-actor", actorGroup: { groupId } }));
  return { body: { actors: [...users, ...groups] } };
}

/** What is not there, or may not be seen, is left out without a word. */
function fetchIssues(state: JiraState, { body, accountId }: Asked): Answer {
  const ids = body.issueIdsOrKeys as string[];
  if (ids.length > 100) return { status: 400, body: { errorMessages: ["Too many issues"] } };
  const found = ids.flatMap((id) => state.issues.get(id) ?? []).filter((issue) => state.mayView(accountId, issue));
  return { body: { issues: found.map(showListed), issueErrors: [] } };
}

function search(state: JiraState, asked: Asked): Answer {
  const start = Number(asked.body.nextPageToken ?? 0);
  const found = searchIssues(state, asked, start);
  if (found === null) return badQuery(asked);
  const end = start + found.page.length;
  const more = end < found.total;
  const idsOnly = JSON.stringify(asked.body.fields) === '["id"]';
  return {
    body: {
      isLast: !more,
      ...(more ? { nextPageToken: String(end) } : {}),
      issues: found.page.map((issue) => (idsOnly ? { id: issue.id } : showListed(issue))),
    },
  };
}

/** Answers name the roles of a restriction by `restrictionValue`; the field is there without a restriction too. */
function showListed(issue: FakeIssue) {
  const { fields, ...listed } = showListedIssue(issue, (accountId) => ({ accountId }));
  const projectrole = issue.restrictedTo.map((restrictionValue) => ({ restrictionValue }));
  const issuerestrictions = projectrole.length === 0 ? {} : { projectrole };
  return { ...listed, fields: { ...fields, issuerestriction: { issuerestrictions, shouldDisplay: true } } };
}

/** A group is named by its id, and by its name in the parameter that there was before. */
function showHolder({ site }: JiraState, { type, id }: FakeHolder) {
  if (id === undefined) return { type };
  return { type, value: id, parameter: type === "group" ? (site.groups.get(id)?.name ?? id) : id };
}

function showComment({ text, isPublic, visibility }: FakeComment) {
  return {
    author: { displayName: "Somebody" },
    created: "2026-01-05T10:00:00.000+0000",
    body: adf(text),
    ...(visibility === undefined ? {} : { visibility }),
    ...(isPublic === undefined ? {} : { jsdPublic: isPublic }),
  };
}

function adf(text: string) {
  return { type: "doc", version: 1, content: [{ type: "paragraph", content: [{ type: "text", text }] }] };
}
