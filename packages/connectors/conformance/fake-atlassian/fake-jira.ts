import { startFakeSite, type FakeDeployment, type FakeSite } from "./fake-site.ts";
import { answerJiraCloud } from "./jira-cloud-routes.ts";
import { answerJiraDataCenter } from "./jira-data-center-routes.ts";

/** `id` is the group's, the user's, the role's, … as the deployment has it. */
export type FakeHolder = { type: string; id?: string };
export type FakeComment = {
  text: string;
  visibility?: { type: string; value: string };
  /** An internal note of a service project, or a reply to its customers. */
  isPublic?: boolean;
};
export type FakeIssue = {
  id: string;
  key: string;
  projectId: string;
  summary: string;
  description: string;
  updatedMs: number;
  securityId: string | null;
  /** The cloud's: roles of a team-managed project. */
  restrictedTo: string[];
  reporterId: string;
  assigneeId: string | null;
  comments: FakeComment[];
  broken: boolean;
  /** Data Center's: in no search, and shown to who knows where it is. */
  isArchived: boolean;
};
export type FakeProject = {
  id: string;
  key: string;
  /** The cloud's. */
  isTeamManaged: boolean;
  browse: FakeHolder[];
  /** By id: actors' ids. */
  roles: Map<string, { users: string[]; groups: string[] }>;
  levels: Map<string, FakeHolder[]>;
};

/** What the routes of both deployments answer from. */
export type JiraState = {
  site: FakeSite;
  /** Ids of groups that give access to Jira itself. */
  applicationGroups: Set<string>;
  projects: Map<string, FakeProject>;
  issues: Map<string, FakeIssue>;
  /** Issues that the search has lost sight of. */
  unindexed: Set<string>;
  /** What is refused: all that needs to administer Jira, just permission schemes, the members of security levels, or the project's roles. */
  refuse: "nothing" | "administration" | "schemes" | "levels" | "roles";
  /** How far its clock is ahead of ours. */
  aheadMs: number;
  mayBrowse(accountId: string | null, project: FakeProject): boolean;
  mayView(accountId: string | null, issue: FakeIssue): boolean;
};

export type FakeJira = JiraState & {
  addProject(key: string, project: Partial<FakeProject>): FakeProject;
  removeProject(project: FakeProject): () => void;
  add(project: FakeProject, issue: Partial<FakeIssue> & Pick<FakeIssue, "summary">): FakeIssue;
  edit(issue: FakeIssue, change: Partial<FakeIssue>): void;
  remove(issue: FakeIssue): void;
  close(): Promise<void>;
};

/** A Jira site that keeps what is put into it; an account is shown only what it may view. */
export async function startFakeJira(deployment: FakeDeployment = "cloud"): Promise<FakeJira> {
  const projects = new Map<string, FakeProject>();
  const issues = new Map<string, FakeIssue>();
  const applicationGroups = new Set<string>();
  let nextId = 10_000;
  let lastMs = 0;
  const answer = deployment === "cloud" ? answerJiraCloud : answerJiraDataCenter;
  const site = await startFakeSite(deployment, "/jira", (asked) => answer(fake, asked));

  /** By its own clock; no two changes at one moment, however fast a test is. */
  const now = () => {
    const clockMs = Date.now() + fake.aheadMs;
    const wasSetBack = clockMs < lastMs - 60_000;
    lastMs = wasSetBack ? clockMs : Math.max(clockMs, lastMs + 1);
    return lastMs;
  };
  const holds = (accountId: string | null, project: FakeProject, issue: FakeIssue | null, holders: FakeHolder[]) =>
    holders.some(({ type, id = "" }) => {
      if (type === "anyone") return true;
      if (accountId === null) return false;
      const role = project.roles.get(id);
      switch (type) {
        case "applicationRole":
          return site.isIn(accountId, applicationGroups);
        case "group":
          return site.isIn(accountId, [id]);
        case "user":
          return accountId === id;
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

  const fake: FakeJira = {
    site,
    applicationGroups,
    projects,
    issues,
    unindexed: new Set(),
    refuse: "nothing",
    aheadMs: 0,
    mayBrowse: (accountId, project) => isLicensed(accountId) && holds(accountId, project, null, project.browse),
    mayView(accountId, issue) {
      const project = projects.get(issue.projectId);
      if (project === undefined || !isLicensed(accountId) || !holds(accountId, project, issue, project.browse))
        return false;
      const roles = issue.restrictedTo.map((id): FakeHolder => ({ type: "projectRole", id }));
      if (roles.length > 0 && !holds(accountId, project, issue, roles)) return false;
      return issue.securityId === null || holds(accountId, project, issue, project.levels.get(issue.securityId) ?? []);
    },
    addProject(key, project) {
      const added: FakeProject = {
        id: String(nextId++),
        key,
        isTeamManaged: false,
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
        restrictedTo: [],
        reporterId: site.bot.accountId,
        assigneeId: null,
        comments: [],
        broken: false,
        isArchived: false,
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
