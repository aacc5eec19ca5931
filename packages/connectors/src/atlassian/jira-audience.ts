import { anyone, type Principal } from "@anneal/core/access/acl";
import { isAnnealError, type AnnealError } from "@anneal/core/errors";
import { isAboutWhatWasAsked } from "./atlassian-site.ts";
import { intersectLevels, type Audience } from "./audience.ts";
import type { Holder, ListedIssue, Project } from "./jira-answers.ts";
import type { JiraApi } from "./jira-api.ts";

export type IssueFacts = Pick<ListedIssue, "securityId" | "reporterId" | "assigneeId">;

/** Who may see a project's issues. */
export type ProjectAudience = {
  /** Some issues' audience depends on who reported them or has them assigned, not on their level alone. */
  dynamic: boolean;
  /** The project has security levels, or which it has cannot be read. */
  hasLevels: boolean;
  securityIds: string[];
  /** Of the groups that are named, but for applications' users. */
  groupIds: string[];
  /**
   * Those who may browse the project and, where the issue has a security level, are in it.
   * @throws RemoteError or NotTold when one of these cannot be read: then nobody is known to
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

  const principalsOf = async ({ type, id }: Holder): Promise<Principal[]> => {
    switch (type) {
      case "anyone":
        return [(await api.isPublic(project)) ? anyone : applicationUsers(tenant, "")];
      case "applicationRole":
        return [applicationUsers(tenant, id)];
      case "group":
        return id === "" ? [] : [group(id)];
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
  const rules = [browse, ...(isAnnealError(levels) ? [] : levels.values())].filter(
    (rule): rule is Rule => !isAnnealError(rule),
  );
  const applicationPrefix = applicationUsers(tenant, "").id;

  return {
    dynamic: rules.some((rule) => rule.reporter || rule.assignee),
    hasLevels: isAnnealError(levels) || levels.size > 0,
    securityIds: isAnnealError(levels) ? [] : [...levels.keys()],
    groupIds: rules
      .flatMap(({ principals }) => principals)
      .filter(({ kind, id }) => kind === "group" && !id.startsWith(applicationPrefix))
      .map(({ id }) => id),
    of({ securityId, reporterId, assigneeId }) {
      const resolve = (rule: Rule): Principal[] => [
        ...rule.principals,
        ...(rule.reporter && reporterId !== null ? [user(reporterId)] : []),
        ...(rule.assignee && assigneeId !== null ? [user(assigneeId)] : []),
      ];
      if (isAnnealError(browse)) throw browse;
      if (securityId === null) return intersectLevels([resolve(browse)], identity);
      if (isAnnealError(levels)) throw levels;
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
  const levels = await api.levelsOf(project);
  return new Map(await Promise.all([...levels].map(async ([id, held]) => [id, await ruleOf(held)] as const)));
}

async function orRefusal<T>(read: () => Promise<T>): Promise<T | AnnealError> {
  try {
    return await read();
  } catch (error) {
    if (isAboutWhatWasAsked(error)) return error;
    throw error;
  }
}
