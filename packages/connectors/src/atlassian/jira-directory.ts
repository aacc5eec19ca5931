import type { DirectoryEntry } from "@anneal/core/connect/directory";
import type { DirectoryRequest } from "../connector.ts";
import { isAboutWhatWasAsked } from "./atlassian-site.ts";
import { shownToNobody, type Audience, type Intersection } from "./audience.ts";
import type { AtlassianSecrets, JiraConfig } from "./config.ts";
import { describeDirectory, type Account, type GroupMembers } from "./directory.ts";
import type { JiraApi } from "./jira-api.ts";
import { applicationUsers, readProjectAudience, type IssueFacts } from "./jira-audience.ts";
import { chooseProjects, withJira, type OpenedJira } from "./open-jira.ts";

/** Only accounts that may use Jira are in it: a group may hold others, who see nothing of it. */
export async function* readJiraDirectory(
  request: DirectoryRequest<JiraConfig, AtlassianSecrets>,
): AsyncIterable<DirectoryEntry> {
  yield* withJira(request, async function* ({ api, tenant }) {
    const groups: GroupMembers[] = [];
    for await (const group of listJiraGroups(api, tenant)) groups.push(group);
    const applications = await describeApplications(api, tenant, groups);
    const users = new Set(applications.flatMap(({ members }) => members.map(({ principal }) => principal.id)));
    yield* describeDirectory(
      [...groups, ...applications],
      listIntersections(request, { api, tenant }),
      ({ principal }) => users.has(principal.id),
    );
  });
}

export async function* listJiraGroups(api: JiraApi, tenant: string): AsyncIterable<GroupMembers> {
  const identity = { source: "jira", tenant };
  for await (const { groupId, name } of api.listGroups()) {
    const group: GroupMembers = { principal: { ...identity, kind: "group", id: groupId }, name, members: [] };
    for await (const { accountId, accountType, displayName, emailAddress, active } of api.listMembers(groupId)) {
      // Apps read for themselves, and customers of a help centre need not have confirmed their address.
      if (accountType !== "atlassian" || !active) continue;
      group.members.push({
        principal: { ...identity, kind: "user", id: accountId },
        name: displayName,
        email: emailAddress || null,
      });
    }
    yield group;
  }
}

/** "Any logged in user" and the users of one application, which permission schemes name like groups. */
async function describeApplications(api: JiraApi, tenant: string, groups: GroupMembers[]): Promise<GroupMembers[]> {
  const byId = new Map(groups.map((group) => [group.principal.id, group.members]));
  const all: Account[] = [];
  const applications: GroupMembers[] = [];
  for (const { key, groupDetails } of await api.listApplicationRoles()) {
    const members = groupDetails.flatMap(({ groupId }) => byId.get(groupId) ?? []);
    all.push(...members);
    applications.push({ principal: applicationUsers(tenant, key), name: `Users of ${key}`, members });
  }
  return [...applications, { principal: applicationUsers(tenant, ""), name: "Users of Jira", members: all }];
}

async function* listIntersections(
  { config, context }: DirectoryRequest<JiraConfig, AtlassianSecrets>,
  { api, tenant }: OpenedJira,
): AsyncIterable<Intersection> {
  for (const project of (await chooseProjects(api, config.projects)).found) {
    const audience = await readProjectAudience(api, project, tenant);
    // One that cannot be read is nobody's, and needs no group.
    const intersectionOf = (issue: IssueFacts): Intersection | null => orNobody(() => audience.of(issue)).intersection;
    for (const securityId of audience.securityIds) {
      const intersection = intersectionOf({ securityId, reporterId: null, assigneeId: null });
      if (intersection !== null) yield intersection;
    }
    if (!audience.dynamic || audience.securityIds.length === 0) continue;
    for await (const issue of api.listIssues(`project = ${project.id} AND level is not EMPTY ORDER BY created ASC`)) {
      context.signal.throwIfAborted();
      const intersection = intersectionOf(issue);
      if (intersection !== null) yield intersection;
    }
  }
}

function orNobody(read: () => Audience): Audience {
  try {
    return read();
  } catch (error) {
    if (!isAboutWhatWasAsked(error)) throw error;
    return shownToNobody;
  }
}
