import type { DirectoryEntry } from "@anneal/core/connect/directory";
import type { DirectoryRequest } from "../connector.ts";
import { isAboutWhatWasAsked } from "./atlassian-site.ts";
import { shownToNobody, type Audience, type Intersection } from "./audience.ts";
import type { AtlassianSecrets, JiraConfig } from "./config.ts";
import { describeDirectory, toGroupMembers, type GroupMembers } from "./directory.ts";
import type { Project } from "./jira-answers.ts";
import type { JiraApi } from "./jira-api.ts";
import { applicationUsers, readProjectAudience, type IssueFacts, type ProjectAudience } from "./jira-audience.ts";
import { findProjects, withJira } from "./open-jira.ts";

type ApplicationRole = { key: string; groups: string[] };
type ProjectWithAudience = { project: Project; audience: ProjectAudience };

/** Only accounts that may use Jira are in it: a group may hold others, who see nothing of it. */
export async function* readJiraDirectory({
  config,
  secrets,
  context,
}: DirectoryRequest<JiraConfig, AtlassianSecrets>): AsyncIterable<DirectoryEntry> {
  yield* withJira({ config, secrets, context }, async function* ({ api, tenant }) {
    const roles = await api.listApplicationRoles();
    const projects: ProjectWithAudience[] = [];
    // That there is none is for the reader of documents to say, who then hides them.
    for (const project of (await findProjects(api, config.projects)).found) {
      projects.push({ project, audience: await readProjectAudience(api, project, tenant) });
    }
    const audiences = projects.map(({ audience }) => audience);
    const groups: GroupMembers[] = [];
    for await (const group of listJiraGroups(api, tenant, roles, audiences)) groups.push(group);
    const applications = describeApplications(roles, tenant, groups);
    const users = new Set(applications.flatMap(({ members }) => members.map(({ principal }) => principal.id)));
    yield* describeDirectory(
      [...groups, ...applications],
      listIntersections(api, projects, context.signal),
      ({ principal }) => users.has(principal.id),
    );
  });
}

export async function* listJiraGroups(
  api: JiraApi,
  tenant: string,
  roles: readonly ApplicationRole[],
  audiences: readonly ProjectAudience[],
): AsyncIterable<GroupMembers> {
  const named = [...roles.flatMap(({ groups }) => groups), ...audiences.flatMap(({ groupIds }) => groupIds)];
  for await (const group of api.listGroups(new Set(named))) {
    yield toGroupMembers({ source: "jira", tenant }, group, api.listMembers(group));
  }
}

/** "Any logged in user" and the users of one application, which permission schemes name like groups. */
function describeApplications(
  roles: readonly ApplicationRole[],
  tenant: string,
  groups: readonly GroupMembers[],
): GroupMembers[] {
  const byId = new Map(groups.map((group) => [group.principal.id, group.members]));
  const applications = roles.map(({ key, groups: ids }): GroupMembers => {
    const members = ids.flatMap((id) => byId.get(id) ?? []);
    return { principal: applicationUsers(tenant, key), name: `Users of ${key}`, members };
  });
  const all = applications.flatMap(({ members }) => members);
  return [...applications, { principal: applicationUsers(tenant, ""), name: "Users of Jira", members: all }];
}

async function* listIntersections(
  api: JiraApi,
  projects: readonly ProjectWithAudience[],
  signal: AbortSignal,
): AsyncIterable<Intersection> {
  for (const { project, audience } of projects) {
    // One that cannot be read is nobody's, and needs no group.
    const intersectionsOf = (issue: IssueFacts): Intersection[] => orNobody(() => audience.of(issue)).intersections;
    for (const securityId of [null, ...audience.securityIds]) {
      for (const restrictedTo of [null, ...audience.roleIds.map((id) => [id])]) {
        yield* intersectionsOf({ securityId, restrictedTo, reporterId: null, assigneeId: null });
      }
    }
    const { dynamic, securityIds, roleIds } = audience;
    if (!dynamic || (securityIds.length === 0 && roleIds.length === 0)) continue;
    // No query finds what is restricted to roles.
    const narrowed = roleIds.length > 0 ? "" : " AND level is not EMPTY";
    for await (const issue of api.listIssues(`project = ${project.id}${narrowed} ORDER BY created ASC`)) {
      signal.throwIfAborted();
      yield* intersectionsOf(audience.factsOf(issue));
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
