import type { AtlassianSite } from "./atlassian-site.ts";
import type { Comment, Holder, Issue, ListedIssue, Project } from "./jira-answers.ts";
import { createJiraCloud } from "./jira-cloud.ts";
import { createJiraDataCenter } from "./jira-data-center.ts";
import type { Group, Person } from "./people.ts";

/** What the connector asks of a Jira site, whichever deployment answers. Ids are the deployment's own. */
export type JiraApi = {
  /** Fails for a stranger, whom other calls answer with what is public. */
  requireAccount(): Promise<void>;
  /** @param keys none: every project that the account may browse */
  listProjects(keys: readonly string[]): AsyncIterable<Project>;
  /** Whether people who have not signed in may browse the project: asked as one of them. */
  isPublic(project: Project): Promise<boolean>;
  /** Whom the project's permission scheme lets browse it. */
  browseHoldersOf(project: Project): Promise<Holder[]>;
  /** The project's roles, by id. */
  listRoles(project: Project): Promise<string[]>;
  roleActorsOf(project: Project, roleId: string): Promise<{ users: string[]; groups: string[] }>;
  /**
   * The issue security levels of the project, by id; none where it has no scheme.
   * @throws NotTold where the site does not say who is in them
   */
  levelsOf(project: Project): Promise<ReadonlyMap<string, Holder[]>>;
  listIssues(jql: string): AsyncIterable<ListedIssue>;
  /** By id and not through the search, which may lag: what is there, and what may be there but could not be read now. */
  fetchIssues(ids: readonly string[]): Promise<{ issues: ListedIssue[]; unknownIds: string[] }>;
  listIssueIds(jql: string): AsyncIterable<{ id: string }>;
  /** About so many. */
  countIssues(jql: string): Promise<number>;
  readIssue(id: string): Promise<Issue>;
  listComments(id: string): AsyncIterable<Comment>;
  /** A description or a comment as HTML. */
  toHtml(body: unknown): string;
  /** The site's groups; where they cannot be listed, those that are named, by id. */
  listGroups(named: ReadonlySet<string>): AsyncIterable<Group>;
  /** Members who are people and can sign in. */
  listMembers(group: Group): AsyncIterable<Person>;
  /** Access to Jira itself, by application: the groups that give it, by id. */
  listApplicationRoles(): Promise<{ key: string; groups: string[] }[]>;
  siteAddress(): Promise<string>;
};

export function createJiraApi(site: AtlassianSite): JiraApi {
  return site.deployment === "cloud" ? createJiraCloud(site) : createJiraDataCenter(site);
}
