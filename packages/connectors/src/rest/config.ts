import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { choice } from "../choice.ts";
import type { SourceFacts } from "../connector.ts";
import { privateHostsField } from "../private-hosts-field.ts";
import { rulesForAll, type ReaderRules } from "../reader-rules.ts";
import { parsePath } from "./path.ts";
import { parseTemplate } from "./template.ts";

/** What was typed is refused where it was typed, in the words of whoever reads it. */
function readBy(parse: (text: string) => unknown) {
  return z
    .string()
    .max(4000)
    .superRefine((text, check) => {
      try {
        parse(text);
      } catch (error) {
        if (!(error instanceof AnnealError)) throw error;
        check.addIssue({ code: "custom", message: `${error.message} ${error.action}` });
      }
    });
}

const path = readBy(parsePath);
const template = readBy(parseTemplate);
const optionalPath = path.nullable().default(null);
const optionalTemplate = template.nullable().default(null);
const optionalName = z.string().min(1).nullable().default(null);
const assignments = z.array(z.string().regex(/^[^=\s][^=]*=/, "Write it as name=value.")).default([]);

const address = z
  .url({ protocol: /^https?$/ })
  .refine((url) => !/^[^/]*\/\/[^/]*@|[?#]/.test(url), "Without a user, a password, a ? or a #: these have fields.");

const mappingShape = {
  id: path
    .refine((text) => text.trim() !== "", "It must name a field.")
    .meta({
      title: "Id",
      description: "The field that names one item for ever. Fields are paths such as id, data.items or edges[*].node.",
      examples: ["id"],
    }),
  title: optionalTemplate.meta({ title: "Title", description: "Text with fields in braces: {name} ({owner.name})." }),
  updatedAt: optionalPath.meta({
    title: "Updated at",
    description: "The field with the time of the last change: ISO 8601, or seconds or milliseconds since 1970.",
  }),
  uri: optionalTemplate.meta({
    title: "Link",
    description: "What a citation opens: {html_url}, or https://wiki.example/page/{id}.",
  }),
  content: z.array(template).default([]).meta({
    title: "Content",
    description: "Text with fields in braces, a paragraph on each line. Empty: the item as JSON.",
  }),
  contentField: optionalPath.meta({
    title: "Content field",
    description: "Where the text stands in what the second request answers.",
  }),
  contentType: optionalName.meta({
    title: "Content type",
    description: "Such as text/html. Empty: text/markdown for a template, else by the id's ending or the bytes.",
  }),
};

const totalField = optionalPath.meta({
  title: "Number of items",
  description: "The field of the answer with how many there are in all: it tells how long a first sync takes.",
});

const changesShape = (where: string) => ({
  since: optionalName.meta({
    title: "Changed-since",
    description: `${where} that takes the newest “updated at” read so far, so that only later changes are listed.`,
  }),
  completeEveryHours: z.number().min(0).max(8760).default(24).meta({
    title: "Hours between complete listings",
    description: "With changed-since, deleted items are only found by these. 0: always.",
  }),
});

const permissionShape = {
  allow: optionalPath.meta({
    title: "Readers",
    description:
      "The field with who may read: e-mail addresses and names of groups that the service vouches for. An item without it is shown to nobody. Empty: the source's default audience for all.",
  }),
  deny: optionalPath.meta({ title: "Denied readers", description: "As above; they win over readers." }),
  anyone: optionalName.meta({ title: "Everyone", description: "The value among the readers that means everyone." }),
};

const groupFieldsShape = {
  groupItems: path.default("").meta({ title: "Groups in the answer", description: "The field with their list." }),
  groupId: path.default("id").meta({ title: "Group name", description: "As it stands among an item's readers." }),
  groupMembers: path.default("members").meta({
    title: "Group members",
    description: "All of them: e-mail addresses and names of groups, such as members[*].email.",
  }),
};

const signInShape = {
  signIn: choice({
    none: "None",
    basic: "User and password (Basic)",
    bearer: "Token (Bearer)",
    header: "Key in a header",
    parameter: "Key in a parameter",
    oauth2: "Client credentials (OAuth 2.0)",
  })
    .default("none")
    .meta({ title: "Sign-in" }),
  user: optionalName.meta({ title: "User or client ID" }),
  keyName: z
    .string()
    .regex(/^[\w.-]+$/, "Letters, digits, dots and hyphens.")
    .default("X-API-Key")
    .meta({ title: "Name of the key's header or parameter" }),
  tokenUrl: address.nullable().default(null).meta({ title: "Token address", description: "For client credentials." }),
  scope: z
    .string()
    .default("")
    .meta({ title: "Scope", description: "For client credentials, as the service writes it." }),
  allowPrivateHosts: privateHostsField("For services in one's own network."),
};

export const restConfigSchema = z
  .object({
    url: address.meta({
      title: "Address",
      description: "Where the API begins, such as https://desk.example/api/v2.",
      examples: ["https://desk.example/api/v2"],
    }),
    list: z
      .string()
      .default("")
      .meta({
        title: "List",
        description: "The path that lists the items: articles.",
        examples: ["articles"],
      }),
    parameters: assignments.meta({ title: "Parameters", description: "Sent with the list: name=value." }),
    items: path.default("").meta({
      title: "Items in the answer",
      description: "The field with the list of items. Empty: the answer is the list.",
    }),
    pagination: choice({
      none: "None: one answer has all",
      page: "By the page's number",
      offset: "By the number of items before it",
      cursor: "By a cursor that the answer names",
      link: "By the Link header",
      next: "By an address that the answer names",
    })
      .default("none")
      .meta({ title: "Pagination" }),
    pageParameter: optionalName.meta({
      title: "Page parameter",
      description: "Takes the page's number, the offset or the cursor. Empty: page, offset or cursor.",
    }),
    firstPage: z.number().int().min(0).max(1).default(1).meta({ title: "Number of the first page" }),
    next: optionalPath.meta({
      title: "Next page in the answer",
      description: "The field with the cursor or the next address, such as meta.next_cursor. Nothing there: the end.",
    }),
    total: totalField,
    ...mappingShape,
    contentPath: optionalTemplate.meta({
      title: "Second request",
      description: "The path of an item's content: articles/{id}/body, or {download_url}.",
    }),
    ...changesShape("The parameter"),
    ...permissionShape,
    groups: optionalName.meta({ title: "Groups", description: "The path that lists all groups with their members." }),
    ...groupFieldsShape,
    ...signInShape,
  })
  .superRefine((config, { addIssue }) => {
    const refuse = (name: string, message: string) => addIssue({ code: "custom", path: [name], message });
    const { pagination } = config;
    if ((pagination === "cursor" || pagination === "next") && config.next === null) {
      refuse("next", "Name the field with the next page.");
    }
    refuseIncomplete(config, config.contentPath !== null, refuse);
  });
export type RestConfig = z.infer<typeof restConfigSchema>;

export const graphqlConfigSchema = z
  .object({
    url: address.meta({
      title: "Address",
      description: "The endpoint, such as https://desk.example/graphql.",
      examples: ["https://desk.example/graphql"],
    }),
    query: z
      .array(z.string())
      .min(1)
      .meta({
        title: "Query",
        description: "The query that lists the items.",
        examples: [["{ articles { nodes { id title body } } }"]],
      }),
    variables: assignments.meta({
      title: "Variables",
      description: "name=value, the value as JSON or text: first=50.",
    }),
    items: path.meta({
      title: "Items in the answer",
      description: "The list within data: articles.nodes, or articles.edges[*].node.",
      examples: ["articles.nodes"],
    }),
    pageInfo: optionalPath.meta({
      title: "Page info",
      description: "The field within data with hasNextPage and endCursor: articles.pageInfo. Empty: one page is all.",
    }),
    total: totalField,
    cursorVariable: z.string().min(1).default("after").meta({ title: "Cursor variable" }),
    ...mappingShape,
    contentQuery: z.array(z.string()).default([]).meta({
      title: "Second query",
      description: "Asks for one item's content, which it names by the variable $id.",
    }),
    ...changesShape("The variable"),
    ...permissionShape,
    groupsQuery: z.array(z.string()).default([]).meta({
      title: "Groups query",
      description: "Lists all groups with their members.",
    }),
    groupsPageInfo: optionalPath.meta({ title: "Page info of groups" }),
    ...groupFieldsShape,
    ...signInShape,
  })
  .superRefine((config, { addIssue }) => {
    const refuse = (name: string, message: string) => addIssue({ code: "custom", path: [name], message });
    const second = config.contentQuery.length > 0;
    if (second && config.contentField === null) refuse("contentField", "Name the field with the text.");
    refuseIncomplete(config, second, refuse);
  });
export type GraphqlConfig = z.infer<typeof graphqlConfigSchema>;

/** What both kinds say of an item, its readers and the way in. */
export type ItemConfig = z.infer<
  z.ZodObject<
    typeof mappingShape &
      ReturnType<typeof changesShape> &
      typeof permissionShape &
      typeof groupFieldsShape &
      typeof signInShape & { url: typeof address; total: typeof totalField }
  >
>;

function refuseIncomplete(config: ItemConfig, second: boolean, refuse: (name: string, message: string) => void): void {
  if (second && config.updatedAt === null) {
    refuse("updatedAt", "With a second request it is needed: it tells when to read an item again.");
  }
  if (second && config.content.length > 0) refuse("content", "Use either a template or a second request.");
  if (config.since !== null && config.updatedAt === null) refuse("updatedAt", "Changed-since needs it.");
  if (config.deny !== null && config.allow === null) refuse("allow", "Name the readers, of whom some are denied.");
  if (config.signIn === "basic" && config.user === null) refuse("user", "Enter the user.");
  if (config.signIn === "oauth2" && config.user === null) refuse("user", "Enter the client ID.");
  if (config.signIn === "oauth2" && config.tokenUrl === null) refuse("tokenUrl", "Enter where tokens are given.");
}

export const restSecretSchema = z.object({
  password: z.string().min(1).optional().meta({ title: "Password", description: "For basic." }),
  token: z
    .string()
    .min(1)
    .optional()
    .meta({ title: "Token or key", description: "What the service knows the reader by." }),
  clientSecret: z.string().min(1).optional().meta({ title: "Client secret", description: "For oauth2." }),
});
export type RestSecrets = z.infer<typeof restSecretSchema>;

export const itemFacts: SourceFacts = {
  // With a changed-since parameter only the complete listings are that, and syncs between them read what is newer.
  changeModel: "fingerprint",
  capabilities: { permissions: true, deletions: true, moves: false },
  readerRules: ruleOfItems,
  uncounted: "A first sync tells how much there is only where the settings name the field that says so.",
};

/** Names of people and groups mean others where their members are told in another way. */
export function ruleOfItems(config: ItemConfig & Partial<RestConfig> & Partial<GraphqlConfig>): ReaderRules {
  const { allow, deny, anyone, groups, groupsQuery, groupItems, groupId, groupMembers } = config;
  const rule = [allow, deny, anyone, groups, groupsQuery, groupItems, groupId, groupMembers];
  return rulesForAll(allow === null ? null : rule);
}
