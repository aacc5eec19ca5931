import { anyone, type Principal } from "@anneal/core/access/acl";
import { RemoteError } from "../remote/remote-client.ts";
import { isAboutWhatWasAsked } from "./atlassian-site.ts";
import { intersectLevels, type Audience } from "./audience.ts";
import type { Holder, JiraApi, ListedIssue, Project } from "./jira-api.ts";

export type IssueFacts = Pick<ListedIssue, "securityId" | "reporterId" | "assigneeId">;

/** Who may see a project's issues. */
export type ProjectAudience = {
  /** Some issues' audience depends on who reported them or has them assigned, not on their level alone. */
  dynamic: boolean;
  /** The project has security levels, or which it has cannot be read. */
  hasLevels: boolean;
  securityIds: string[];
  /**
   * Those who may browse the project and, where the issue has a security level, are in it.
   * @throws RemoteError when one of these cannot be read: then nobody is known to
   */
  of(issue: IssueFacts): Audience;
};

/** Holders resolved as far as they do not depend on the issue. */
type Rule = { principals: Principal[]; reporter: boolean; assignee: boolean };

/** Everybody with access to an application of the site; "" for any. Its members are the directory's to say. */
export function applicationUsers(tenant: string, application: string): Principal {
  return { source: "jira", tenant, kind: "group", id: `application:${application}` };
}

/** A refusal by Jira is kept and thrown for the issues that it concerns; the project's issues are still read. */
export async function readProjectAudience(api: JiraApi, project: Project, tenant: string): Promise<ProjectAudience> {
  const identity = { source: "jira", tenant };
  const user = (id: string): Principal => ({ ...identity, kind: "user", id });
  const group = (id: string): Principal => ({ ...identity, kind: "group", id });

  const principalsOf = async (holder: Holder): Promise<Principal[]> => {
    const id = holder.value ?? holder.parameter ?? "";
    switch (holder.type) {
      case "anyone":
        return [(await api.isPublic(project)) ? anyone : applicationUsers(tenant, "")];
      case "applicationRole":
        return [applicationUsers(tenant, id)];
      case "group":
        // A group is named by its id; its name alone, which another group may get, does not count.
        return holder.value ? [group(holder.value)] : [];
      case "user":
        return id === "" ? [] : [user(id)];
      case "projectRole": {
        const { users, groups } = await api.roleActorsOf(project, id);
        return [...users.map(user), ...groups.map(group)];
      }
      case "projectLead":
        return project.leadId === null ? [] : [user(project.leadId)];
      default:
        // People and groups in custom fields, customers of the help centre: not known, so they see nothing here.
        return [];
    }
  };
  const ruleOf = async (holders: readonly Holder[]): Promise<Rule> => ({
    principals: (await Promise.all(holders.map(principalsOf))).flat(),
    reporter: holders.some(({ type }) => type === "reporter"),
    assignee: holders.some(({ type }) => type === "assignee"),
  });

  const browse = await orRefusal(async () => ruleOf(await api.browseHoldersOf(project)));
  const levels = await orRefusal(() => readLevels(api, project, ruleOf));
  const rules = [browse, ...(levels instanceof RemoteError ? [] : levels.values())];

  return {
    dynamic: rules.some((rule) => !(rule instanceof RemoteError) && (rule.reporter || rule.assignee)),
    hasLevels: levels instanceof RemoteError || levels.size > 0,
    securityIds: levels instanceof RemoteError ? [] : [...levels.keys()],
    of({ securityId, reporterId, assigneeId }) {
      const resolve = (rule: Rule): Principal[] => [
        ...rule.principals,
        ...(rule.reporter && reporterId !== null ? [user(reporterId)] : []),
        ...(rule.assignee && assigneeId !== null ? [user(assigneeId)] : []),
      ];
      if (browse instanceof RemoteError) throw browse;
      if (securityId === null) return intersectLevels([resolve(browse)], identity);
      if (levels instanceof RemoteError) throw levels;
      const level = levels.get(securityId);
      return intersectLevels([resolve(browse), level === undefined ? [] : resolve(level)], identity);
    },
  };
}

async function readLevels(
  api: JiraApi,
  project: Project,
  ruleOf: (holders: readonly Holder[]) => Promise<Rule>,
): Promise<Map<string, Rule>> {
  const scheme = await api.securitySchemeOf(project).catch((error: unknown) => {
    if (error instanceof RemoteError && error.status === 404) return null;
    throw error;
  });
  if (scheme === null) return new Map();
  const holders = new Map<string, Holder[]>(scheme.levels.map(({ id }) => [id, []]));
  for await (const { issueSecurityLevelId, holder } of api.listLevelMembers(scheme.id)) {
    holders.set(issueSecurityLevelId, [...(holders.get(issueSecurityLevelId) ?? []), holder]);
  }
  return new Map(await Promise.all([...holders].map(async ([id, held]) => [id, await ruleOf(held)] as const)));
}

async function orRefusal<T>(read: () => Promise<T>): Promise<T | RemoteError> {
  try {
    return await read();
  } catch (error) {
    if (isAboutWhatWasAsked(error)) return error;
    throw error;
  }
}
