import type { Comment, Issue } from "./jira-answers.ts";
import { escapeHtml, htmlDocument } from "./storage-to-html.ts";

/** Changes with what `renderIssue` writes: then every issue is read again. */
export const issueRenderingVersion = "j1";

/** Where a service project keeps whether a comment is an internal note, if not in a field of its own. */
const publicProperty = "sd.public.comment";

/**
 * A comment for a role or a group, or an internal note of a service project, has a smaller audience than its issue.
 * A document has one audience, so that comment is not part of it.
 */
export function isForEverybody({ visibility, jsdPublic, properties = [] }: Comment): boolean {
  const isNote = properties.some(({ key, value }) => {
    const internal = typeof value === "object" && value !== null && "internal" in value ? value.internal : false;
    return key === publicProperty && internal !== false && internal !== "false";
  });
  return (visibility === undefined || visibility === null) && jsdPublic !== false && !isNote;
}

/** @param toHtml makes HTML of a description or a comment, in the form that the deployment keeps them in */
export function renderIssue(
  { key, fields }: Issue,
  comments: readonly Comment[],
  toHtml: (body: unknown) => string,
): string {
  const facts = [fields.issuetype?.name, fields.status?.name].filter((fact) => fact !== undefined && fact !== "");
  const parts = [
    facts.length === 0 ? "" : `<p>${escapeHtml(facts.join(", "))}</p>\n`,
    toHtml(fields.description),
    comments.length === 0 ? "" : "<h2>Comments</h2>\n",
    ...comments.map(({ author, created, body }) => {
      const by = escapeHtml(`${author?.displayName ?? ""} ${created.slice(0, 10)}`.trim());
      return `<h3>${by}</h3>\n${toHtml(body)}`;
    }),
  ];
  return htmlDocument(`${key}: ${fields.summary ?? ""}`, parts.join(""));
}
