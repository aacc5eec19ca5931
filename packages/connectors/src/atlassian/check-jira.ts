import type { CapabilityCheck, CheckResult, ConnectContext } from "../connector.ts";
import { failedCheck } from "../failure.ts";
import { addToPreview, describePreview, joinNames, type Preview } from "../preview.ts";
import { isAboutWhatWasAsked } from "./atlassian-site.ts";
import { checkEmails, checkGroups } from "./check-people.ts";
import type { AtlassianSecrets, JiraConfig } from "./config.ts";
import { unknownLevel, type JiraApi, type Project } from "./jira-api.ts";
import { readProjectAudience } from "./jira-audience.ts";
import { listJiraGroups } from "./jira-directory.ts";
import { chooseProjects, noSuchProject, withJira, type OpenedJira } from "./open-jira.ts";

const checkedIssues = 100;

export async function checkJira(
  config: JiraConfig,
  secrets: AtlassianSecrets,
  context: ConnectContext,
): Promise<CheckResult> {
  try {
    for await (const result of withJira({ config, secrets, context }, (opened) => look(config, opened))) return result;
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
  for await (const { key } of api.listIssues(`project = ${first.id} ORDER BY created ASC`)) {
    addToPreview(preview, key);
    if (preview.count < checkedIssues) continue;
    preview.complete = false;
    break;
  }
  const names = joinNames(found.slice(0, 3).map(({ key }) => key));
  const place = found.length === 1 ? `Project ${names}` : `${found.length} projects, such as ${names},`;
  const groups = await checkGroups(listJiraGroups(api, tenant), toListPeople);
  yield {
    checks: [
      { capability: "read", status: "ok", message: `${place} can be listed.` },
      ...missing.map((key): CapabilityCheck => {
        const { message, action } = noSuchProject([key]);
        return { capability: "read", status: "warning", message: `${message} ${action}` };
      }),
      {
        capability: "changes",
        status: "ok",
        message:
          "Changes are found by their date and deletions by the ids; permissions are read again with every sync.",
      },
      await checkPermissions(api, first, tenant),
      groups.check,
      checkEmails(groups.accounts),
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

const toListPeople =
  "Give the account the global permissions Browse users and groups and Administer Jira; a token with scopes needs read:jira-user and read:group:jira.";

async function checkPermissions(api: JiraApi, project: Project, tenant: string): Promise<CapabilityCheck> {
  const capability = "permissions";
  try {
    const audience = await readProjectAudience(api, project, tenant);
    for (const securityId of audience.hasLevels ? [null, unknownLevel] : [null]) {
      audience.of({ securityId, reporterId: null, assigneeId: null });
    }
    await api.listApplicationRoles();
    return { capability, status: "ok", message: "Permission schemes and issue security levels can be read." };
  } catch (error) {
    if (!isAboutWhatWasAsked(error)) throw error;
    return {
      capability,
      status: "missing",
      message: `Who may browse ${project.key} cannot be read, so nobody would see its issues. Give the account the global permission Administer Jira; a token with scopes needs read:jira-work, read:jira-user and manage:jira-configuration.`,
    };
  }
}
