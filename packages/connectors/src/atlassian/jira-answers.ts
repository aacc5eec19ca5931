import { z } from "zod";

/** What Jira answers, as far as it is used, and what the connector makes of it. */

/** The cloud names people by an account id, Data Center by a key. */
const userSchema = z.looseObject({ accountId: z.string().optional(), key: z.string().optional() });
type UserIdField = "accountId" | "key";

export const projectSchema = z.looseObject({
  id: z.string(),
  key: z.string(),
  name: z.string().default(""),
  lead: userSchema.nullish(),
  /** The cloud's: "next-gen" for a team-managed one, "classic" for any other. */
  style: z.string().optional(),
});
export type Project = {
  id: string;
  key: string;
  name: string;
  leadId: string | null;
  /** Its issues may be restricted to roles one by one, as those of a team-managed project. */
  restrictsIssues: boolean;
};

export function toProject(answer: z.infer<typeof projectSchema>, field: UserIdField): Project {
  const { id, key, name, lead, style } = answer;
  const restrictsIssues = field === "accountId" && style !== "classic";
  return { id, key, name, leadId: lead?.[field] ?? null, restrictsIssues };
}

/**
 * Who is granted something: a group, a user, a role of the project, the reporter, … `id` is the holder's own, or "" where
 * the kind needs none or the one that is meant is not known.
 */
export type Holder = { type: string; id: string };

export const securityLevelSchema = z.looseObject({ id: z.coerce.string() });

const listedFields = z.looseObject({
  summary: z.string().nullish(),
  updated: z.string().optional(),
  security: securityLevelSchema.nullish(),
  /** The cloud's, and in no reference of it: what is not understood must not end the listing. */
  issuerestriction: z.unknown().optional(),
  reporter: userSchema.nullish(),
  assignee: userSchema.nullish(),
  project: z.looseObject({ id: z.coerce.string() }).nullish(),
  /** Data Center's. */
  archiveddate: z.string().nullish(),
});
export const listedIssueSchema = z.looseObject({
  id: z.string(),
  key: z.string().default(""),
  fields: listedFields.default({}),
});
const roleIdSchema = z.string().regex(/^\d+$/);
/** A role is named by `restrictionValue` in answers, by `id` where an issue is restricted. */
const restrictionSchema = z.strictObject({
  projectrole: z
    .array(
      z.union([
        z.looseObject({ restrictionValue: roleIdSchema }).transform(({ restrictionValue }) => restrictionValue),
        z.looseObject({ id: roleIdSchema }).transform(({ id }) => id),
      ]),
    )
    .min(1)
    .optional(),
});
const issueRestrictionSchema = z.looseObject({ issuerestrictions: restrictionSchema });

/** What a listing needs to know of an issue; its text is read when it changed. */
export const listedFieldNames = ["summary", "updated", "security", "reporter", "assignee"];

/** An answer without the field does not say that an issue has no security level. */
export const unknownLevel = "?";
/** Stands for roles that an answer does not name in a way that is understood. */
export const unknownRole = "?";

export type ListedIssue = {
  id: string;
  key: string;
  summary: string;
  updated: string;
  securityId: string | null;
  /** Roles of its project, of which somebody must have one; null: all who may browse. "untold": without the field. */
  restrictedTo: readonly string[] | null | "untold";
  reporterId: string | null;
  assigneeId: string | null;
  /** null where it was not asked for. */
  projectId: string | null;
};

export function toListedIssue(issue: z.infer<typeof listedIssueSchema>, field: UserIdField): ListedIssue {
  const { id, key, fields } = issue;
  return {
    id,
    key,
    summary: fields.summary ?? "",
    updated: fields.updated ?? "",
    securityId: fields.security === undefined ? unknownLevel : (fields.security?.id ?? null),
    restrictedTo: fields.issuerestriction === undefined ? "untold" : toRoles(fields.issuerestriction),
    reporterId: fields.reporter?.[field] ?? null,
    assigneeId: fields.assignee?.[field] ?? null,
    projectId: fields.project?.id ?? null,
  };
}

function toRoles(restriction: unknown): string[] | null {
  if (restriction === null) return null;
  const { success, data } = issueRestrictionSchema.safeParse(restriction);
  return success ? (data.issuerestrictions.projectrole?.sort() ?? null) : [unknownRole];
}

const named = z.looseObject({ name: z.string().default("") }).nullish();
/** Its description is a document of Atlassian's format in the cloud, wiki markup on Data Center. */
export const issueSchema = z.looseObject({
  key: z.string(),
  fields: z.looseObject({
    summary: z.string().nullish(),
    description: z.unknown().optional(),
    issuetype: named,
    status: named,
  }),
});
export type Issue = z.infer<typeof issueSchema>;

export const commentSchema = z.looseObject({
  created: z.string().default(""),
  author: z.looseObject({ displayName: z.string().default("") }).nullish(),
  body: z.unknown().optional(),
  visibility: z.unknown().optional(),
  jsdPublic: z.boolean().optional(),
  properties: z.array(z.looseObject({ key: z.string(), value: z.unknown() })).optional(),
});
export type Comment = z.infer<typeof commentSchema>;
