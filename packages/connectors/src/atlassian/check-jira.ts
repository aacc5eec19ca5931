import type { CapabilityCheck, CheckResult, ConnectContext } from "../connector.ts";
import { failedCheck } from "../failure.ts";
import { addToPreview, describePreview, joinNames, type Preview } from "../preview.ts";
import { isAboutWhatWasAsked, NotTold } from "./atlassian-site.ts";
import { checkEmails, checkGroups } from "./check-people.ts";
import type { AtlassianSecrets, Deployment, JiraConfig } from "./config.ts";
import { requireDeployment } from "./deployment.ts";
import type { GroupMembers } from "./directory.ts";
import { unknownLevel, type ListedIssue, type Project } from "./jira-answers.ts";
import type { JiraApi } from "./jira-api.ts";
import { openIssue, readProjectAudience, type ProjectAudience } from "./jira-audience.ts";
import { listJiraGroups } from "./jira-directory.ts";
import { chooseProjects, noSuchProject, withJira, type OpenedJira } from "./open-jira.ts";

const checkedIssues = 100;

export async function checkJira(
  config: JiraConfig,
  secrets: AtlassianSecrets,
  context: ConnectContext,
): Promise<CheckResult> {
  try {
    const use = (opened: OpenedJira) => look(config, opened);
    for await (const result of withJira({ config, secrets, context }, use, requireDeployment)) return result;
    throw new Error("a look ends with a result");
  } catch (error) {
    return failedCheck("read", error);
  }
}

async function* look(config: JiraConfig, { api, tenant }: OpenedJira): AsyncIterable<CheckResult> {
  const { found, missing } = await chooseProjects(api, config.projects);
  const [first] = found;
  if (first === undefined) return;
  const preview: Preview = { count: 0, complete: found.length === 1, samples: [] };
  const seen: ListedIssue[] = [];
  for await (const issue of api.listIssues(`project = ${first.id} ORDER BY created ASC`)) {
    addToPreview(preview, issue.key);
    seen.push(issue);
    if (preview.count < checkedIssues) continue;
    preview.complete = false;
    break;
  }
  const names = joinNames(found.slice(0, 3).map(({ key }) => key));
  const place = found.length === 1 ? `Project ${names}` : `${found.length} projects, such as ${names},`;
  const audience = await readProjectAudience(api, first, tenant);
  const groups = await checkGroups(listPeople(api, tenant, audience), toListPeople[config.deployment]);
  yield {
    checks: [
      { capability: "read", status: "ok", message: `${place} can be listed.` },
      ...missing.map((key): CapabilityCheck => {
        const { message, action } = noSuchProject([key]);
        return { capability: "read", status: "warning", message, action };
      }),
      {
        capability: "changes",
        status: "ok",
        message:
          "Changes are found by their date and deletions by the ids; permissions are read again with every sync.",
      },
      await checkPermissions(api, first, audience, seen, toReadPermissions[config.deployment]),
      groups.check,
      checkEmails(groups.accounts, config.deployment),
      {
        capability: "comments",
        status: "ok",
        message: config.comments
          ? "Comments are read with their issue, but for restricted comments and internal notes."
          : "Comments are not read.",
      },
    ],
    summary: `${place} can be read and ${found.length === 1 ? "holds" : "hold"} ${describePreview(preview, "issue")}.`,
    error: null,
  };
}

const toListPeople: Record<Deployment, string> = {
  cloud:
    "Give the account the global permissions Browse users and groups and Administer Jira; a token with scopes needs read:jira-user and read:group:jira.",
  "data-center": "Give the account the global permission Jira Administrators: nobody else is told who is in a group.",
};
const toReadPermissions: Record<Deployment, string> = {
  cloud:
    "Give the account the global permission Administer Jira; a token with scopes needs read:jira-work, read:jira-user and manage:jira-configuration.",
  "data-center": "Give the account the global permission Jira Administrators.",
};

async function* listPeople(api: JiraApi, tenant: string, audience: ProjectAudience): AsyncIterable<GroupMembers> {
  yield* listJiraGroups(api, tenant, await api.listApplicationRoles(), [audience]);
}

async function checkPermissions(
  api: JiraApi,
  project: Project,
  audience: ProjectAudience,
  seen: readonly ListedIssue[],
  toGrant: string,
): Promise<CapabilityCheck> {
  const capability = "permissions";
  try {
    await api.listApplicationRoles();
    audience.of(openIssue);
    if (audience.hasLevels) audience.of({ ...openIssue, securityId: unknownLevel });
    if (project.restrictsIssues) audience.of({ ...openIssue, restrictedTo: audience.roleIds });
    for (const issue of seen) audience.of(audience.factsOf(issue));
    const message = project.restrictsIssues
      ? "Permissions, roles and restrictions of issues can be read."
      : "Permission schemes and issue security levels can be read.";
    return { capability, status: "ok", message };
  } catch (error) {
    if (!isAboutWhatWasAsked(error)) throw error;
    if (error instanceof NotTold) {
      return {
        capability,
        status: "warning",
        message: `Permission schemes can be read, but some issues would be shown to nobody. ${error.message}`,
        action: error.action,
      };
    }
    return {
      capability,
      status: "missing",
      message: `Who may browse ${project.key} cannot be read, so nobody would see its issues.`,
      action: toGrant,
    };
  }
}
