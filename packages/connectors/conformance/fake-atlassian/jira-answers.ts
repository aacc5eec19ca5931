import type { FakeIssue, JiraState } from "./fake-jira.ts";
import type { Answer, Asked } from "./fake-site.ts";

/** What Jira answers alike in both deployments. */

export const refused: Answer = { status: 403, body: { errorMessages: ["You do not have permission"] } };
const largestPage = 3;

export function countedPage({ query }: Asked, all: readonly unknown[], field = "values"): Answer {
  const startAt = Number(query.get("startAt") ?? 0);
  const values = all.slice(startAt, startAt + Math.min(Number(query.get("maxResults") ?? 50), largestPage));
  const end = field === "values" ? { isLast: startAt + values.length >= all.length } : {};
  return { body: { startAt, maxResults: largestPage, total: all.length, ...end, [field]: values } };
}

/**
 * Just the queries that the connector makes.
 *
 * @returns the page that begins at `start`, and how many there are; null for another query
 */
export function searchIssues(
  state: JiraState,
  { body, accountId }: Asked,
  start: number,
): { page: FakeIssue[]; total: number } | null {
  const jql = String(body.jql).replace(" ORDER BY created ASC", "");
  const [, one, several, condition] = /^project (?:= (\d+)|in \(([\d, ]+)\))(?: AND (.+))?$/.exec(jql) ?? [];
  const projectIds = (one ?? several)?.split(", ");
  if (projectIds === undefined) return null;
  const minutes = /^updated >= "-(\d+)m"$/.exec(condition ?? "")?.[1];
  if (condition !== undefined && minutes === undefined && condition !== "level is not EMPTY") return null;
  const sinceMs = minutes === undefined ? 0 : Date.now() + state.aheadMs - Number(minutes) * 60_000;
  const found = state.site.lists.of(`${accountId} ${jql}`, () =>
    [...state.issues.values()].filter(
      (issue) =>
        projectIds.includes(issue.projectId) &&
        !state.unindexed.has(issue.id) &&
        !issue.isArchived &&
        issue.updatedMs >= sinceMs &&
        (condition !== "level is not EMPTY" || issue.securityId !== null) &&
        state.mayView(accountId, issue),
    ),
  );
  return { page: found.slice(start, start + state.site.pageSize), total: found.length };
}

export function badQuery({ body }: Asked): Answer {
  return { status: 400, body: { errorMessages: [`Error in JQL: ${String(body.jql)}`] } };
}

/** @param showUser how the deployment names a person */
export function showListedIssue(issue: FakeIssue, showUser: (id: string) => unknown) {
  const { id, key, projectId, summary, updatedMs, securityId, reporterId, assigneeId } = issue;
  return {
    id,
    key,
    fields: {
      summary,
      project: { id: projectId },
      updated: new Date(updatedMs).toISOString().replace("Z", "+0000"),
      security: securityId === null ? null : { id: securityId },
      reporter: showUser(reporterId),
      assignee: assigneeId === null ? null : showUser(assigneeId),
    },
  };
}
