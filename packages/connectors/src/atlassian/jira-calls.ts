import { z } from "zod";
import type { AtlassianSite } from "./atlassian-site.ts";
import { commentSchema, issueSchema, type Comment, type Issue, type Project } from "./jira-answers.ts";

export const pageLimit = 100;

const holderSchema = z.looseObject({
  type: z.string(),
  parameter: z.string().nullish(),
  value: z.string().nullish(),
  user: z.looseObject({ key: z.string().optional() }).nullish(),
  group: z.looseObject({ name: z.string().optional() }).nullish(),
});
export type HolderAnswer = z.infer<typeof holderSchema>;
const schemeSchema = z.looseObject({
  permissions: z.array(z.looseObject({ permission: z.string(), holder: holderSchema })),
});
export const levelMemberSchema = z.looseObject({ issueSecurityLevelId: z.coerce.string(), holder: holderSchema });

/** What Jira's REST API has in both deployments, but for its version. */
export function createJiraCalls(site: AtlassianSite, version: 2 | 3) {
  const root = `/rest/api/${version}`;
  const projectPath = (project: Project) => `${root}/project/${encodeURIComponent(project.key)}`;

  /** Pages that are counted (`startAt`), until one says that it is the last or is empty. */
  async function* counted<T>(
    path: string,
    item: z.ZodType<T>,
    query: Record<string, string | number | boolean> = {},
    field = "values",
  ): AsyncIterable<T> {
    const schema = z.looseObject({ isLast: z.boolean().optional(), [field]: z.array(item) });
    for (let startAt = 0; ;) {
      const page: Record<string, unknown> = await site.json(root + path, schema, {
        query: { ...query, startAt, maxResults: pageLimit },
      });
      const values = page[field] as T[];
      yield* values;
      startAt += values.length;
      if (values.length === 0 || page.isLast === true || startAt === page.total) return;
    }
  }

  return {
    root,
    projectPath,
    counted,

    /** Fails for a stranger, whom other calls answer with what is public. */
    async requireAccount(): Promise<void> {
      await site.json(`${root}/myself`, z.looseObject({}));
    },
    /** Whether people who have not signed in may browse the project: asked as one of them. */
    async isPublic(project: Project): Promise<boolean> {
      const answered = await site.askAsStranger(projectPath(project), z.looseObject({ id: z.literal(project.id) }));
      return answered !== null;
    },
    async browseHoldersOf(project: Project): Promise<HolderAnswer[]> {
      const { permissions } = await site.json(`${projectPath(project)}/permissionscheme?expand=all`, schemeSchema);
      return permissions.filter(({ permission }) => permission === "BROWSE_PROJECTS").map(({ holder }) => holder);
    },
    /** Told as the addresses that say who has them. */
    async listRoles(project: Project): Promise<string[]> {
      const roles = await site.json(`${projectPath(project)}/role`, z.record(z.string(), z.string()));
      return Object.values(roles).flatMap((address) => /\/role\/(\d+)$/.exec(address)?.[1] ?? []);
    },
    readIssue: (id: string): Promise<Issue> =>
      site.json(`${root}/issue/${id}?fields=summary,description,issuetype,status`, issueSchema),
    listComments(id: string): AsyncIterable<Comment> {
      // Data Center keeps in a property which comments of a service project are internal notes.
      const query = { orderBy: "created", ...(version === 2 ? { expand: "properties" } : {}) };
      return counted(`/issue/${id}/comment`, commentSchema, query, "comments");
    },
    async siteAddress(): Promise<string> {
      const { baseUrl } = await site.json(`${root}/serverInfo`, z.looseObject({ baseUrl: z.url() }));
      return baseUrl.replace(/\/+$/, "");
    },
  };
}
