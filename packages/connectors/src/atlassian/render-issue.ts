import { adfToHtml } from "./adf-to-html.ts";
import type { Comment, Issue } from "./jira-api.ts";
import { escapeHtml, htmlDocument } from "./storage-to-html.ts";

/** Changes with what `renderIssue` writes: then every issue is read again. */
export const issueRenderingVersion = "j1";

/**
 * A comment for a role or a group, or an internal note of a service project, has a smaller audience than its issue.
 * A document has one audience, so that comment is not part of it.
 */
export function isForEverybody({ visibility, jsdPublic }: Comment): boolean {
  return (visibility === undefined || visibility === null) && jsdPublic !== false;
}

export function renderIssue({ key, fields }: Issue, comments: readonly Comment[]): string {
  const facts = [fields.issuetype?.name, fields.status?.name].filter((fact) => fact !== undefined && fact !== "");
  const parts = [
    facts.length === 0 ? "" : `<p>${escapeHtml(facts.join(", "))}</p>\n`,
    adfToHtml(fields.description),
    comments.length === 0 ? "" : "<h2>Comments</h2>\n",
    ...comments.map(({ author, created, body }) => {
      const by = escapeHtml(`${author?.displayName ?? ""} ${created.slice(0, 10)}`.trim());
      return `<h3>${by}</h3>\n${adfToHtml(body)}`;
    }),
  ];
  return htmlDocument(`${key}: ${fields.summary ?? ""}`, parts.join(""));
}
