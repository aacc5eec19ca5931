import { anyone, type Principal } from "@anneal/core/access/acl";
import { isAnnealError, type AnnealError } from "@anneal/core/errors";
import { isAboutWhatWasAsked, NotTold } from "./atlassian-site.ts";
import { intersectLevels, uniteAudiences, type Audience } from "./audience.ts";
import { unknownLevel, unknownRole, type Holder, type ListedIssue, type Project } from "./jira-answers.ts";
import type { JiraApi } from "./jira-api.ts";

export type IssueFacts = Pick<ListedIssue, "securityId" | "reporterId" | "assigneeId"> & {
  restrictedTo: readonly string[] | null;
};

/** One that is open to all who may browse its project. */
export const openIssue: IssueFacts = { securityId: null, restrictedTo: null, reporterId: null, assigneeId: null };

/** Who may see a project's issues. */
export type ProjectAudience = {
  /** Some issues' audience depends on who reported them or has them assigned, not on their level alone. */
  dynamic: boolean;
  /** The project has security levels, or which it has cannot be read. */
  hasLevels: boolean;
  securityIds: string[];
  /** The roles that issues may be restricted to; none in a project that is not team-managed. */
  roleIds: string[];
  /** Of the groups that are named, but for applications' users. */
  groupIds: string[];
  /** A project without levels, or without restrictions of its issues, may leave these fields out of its answers. */
  factsOf(issue: ListedIssue): IssueFacts;
  /**
   * Those who may browse the project and, where the issue has a security level, are in it and, where it is restricted to
   * roles, have one of them.
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

  const actorsOf = async (roleId: string): Promise<Principal[]> => {
    const { users, groups } = await api.roleActorsOf(project, roleId);
    return [...users.map(user), ...groups.map(group)];
  };
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
      case "projectRole":
        return actorsOf(id);
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
  const roles = await orRefusal(() => readRoles(api, project, actorsOf));
  const actors = isAnnealError(roles) ? [] : [...roles.values()].flat();
  const applicationPrefix = applicationUsers(tenant, "").id;
  const hasLevels = isAnnealError(levels) || levels.size > 0;

  return {
    dynamic: rules.some((rule) => rule.reporter || rule.assignee),
    hasLevels,
    securityIds: isAnnealError(levels) ? [] : [...levels.keys()],
    roleIds: isAnnealError(roles) ? [] : [...roles.keys()],
    groupIds: [...rules.flatMap(({ principals }) => principals), ...actors]
      .filter(({ kind, id }) => kind === "group" && !id.startsWith(applicationPrefix))
      .map(({ id }) => id),
    factsOf({ securityId, restrictedTo, reporterId, assigneeId }) {
      const untold = project.restrictsIssues ? [unknownRole] : null;
      return {
        securityId: securityId === unknownLevel && !hasLevels ? null : securityId,
        restrictedTo: restrictedTo === "untold" ? untold : restrictedTo,
        reporterId,
        assigneeId,
      };
    },
    of({ securityId, restrictedTo, reporterId, assigneeId }) {
      const resolve = (rule: Rule): Principal[] => [
        ...rule.principals,
        ...(rule.reporter && reporterId !== null ? [user(reporterId)] : []),
        ...(rule.assignee && assigneeId !== null ? [user(assigneeId)] : []),
      ];
      if (isAnnealError(browse)) throw browse;
      const conditions = [resolve(browse)];
      if (securityId !== null) {
        if (isAnnealError(levels)) throw levels;
        const level = levels.get(securityId);
        conditions.push(level === undefined ? [] : resolve(level));
      }
      if (restrictedTo === null) return intersectLevels(conditions, identity);
      if (isAnnealError(roles)) throw roles;
      if (restrictedTo.includes(unknownRole)) throw roleNotTold();
      // Each role apart: so the groups that the directory must know are one a role, whichever roles an issue combines.
      return uniteAudiences(restrictedTo.map((id) => intersectLevels([...conditions, roles.get(id) ?? []], identity)));
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

async function readRoles(
  api: JiraApi,
  project: Project,
  actorsOf: (roleId: string) => Promise<Principal[]>,
): Promise<Map<string, Principal[]>> {
  const ids = project.restrictsIssues ? await api.listRoles(project) : [];
  return new Map(await Promise.all(ids.map(async (id) => [id, await actorsOf(id)] as const)));
}

function roleNotTold(): NotTold {
  return new NotTold(
    "Jira does not say in a known way to which roles they are restricted.",
    "Look at their restriction in Jira (the lock of the issue), and remove it from those that others should find.",
  );
}

async function orRefusal<T>(read: () => Promise<T>): Promise<T | AnnealError> {
  try {
    return await read();
  } catch (error) {
    if (isAboutWhatWasAsked(error)) return error;
    throw error;
  }
}
