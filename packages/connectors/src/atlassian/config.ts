import { z } from "zod";
import { choice } from "../choice.ts";
import type { SourceFacts } from "../connector.ts";
import { privateHostsField } from "../private-hosts-field.ts";

const byServiceAccount = { when: { auth: ["service-account"] } };

const siteShape = {
  deployment: choice({ cloud: "Cloud", "data-center": "Data Center" }).default("cloud").meta({
    title: "Deployment",
    description:
      "Atlassian runs a site of Cloud (atlassian.net), you one of Data Center. The check says so when the address answers as the other one.",
  }),
  url: z.url({ protocol: /^https?$/ }).meta({
    title: "Site address",
    description:
      "Cloud: https://your-site.atlassian.net, or for a service account and a token with scopes https://api.atlassian.com/ex/confluence/<cloud ID> or …/ex/jira/<cloud ID>. Data Center: the base URL with its context path, such as https://wiki.example.com/confluence.",
    examples: ["https://your-site.atlassian.net"],
  }),
  auth: choice({
    "api-token": "E-mail address and API token (Cloud)",
    "service-account": "Service account, OAuth 2.0 (Cloud)",
    bearer: "Token alone",
    basic: "User name and password (Data Center)",
  })
    .default("api-token")
    .meta({
      title: "Signs in with",
      description:
        "The tokens of a service account's OAuth 2.0 credential are renewed. A token alone is a personal access token of Data Center, or a service account's API token of Cloud.",
    }),
  email: z
    .string()
    .default("")
    .meta({
      title: "E-mail address",
      description: "Of the account that the API token belongs to. What an account may not see is not read.",
      examples: ["reader@example.com"],
      when: { auth: ["api-token"] },
    }),
  clientId: z
    .string()
    .default("")
    .meta({
      title: "Client ID",
      description: "Of the service account's OAuth 2.0 credential.",
      ...byServiceAccount,
    }),
  user: z
    .string()
    .default("")
    .meta({
      title: "User name",
      description:
        "For basic. On Data Center permissions and groups are told to administrators only, whichever way the account signs in.",
      when: { auth: ["basic"] },
    }),
  authorityUrl: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null)
    .meta({
      title: "Sign-in address",
      description: "Instead of Atlassian's own, https://auth.atlassian.com: a proxy. It gets the credential.",
      administrator: true,
      ...byServiceAccount,
    }),
};

const allowPrivateHosts = privateHostsField(
  "For Data Center in one's own network; Atlassian's cloud has public addresses.",
);

export const confluenceConfigSchema = z.object({
  ...siteShape,
  hiddenRestrictions: choice({ possible: "There may be some", none: "There are none" })
    .default("possible")
    .meta({
      title: "Restrictions of folders",
      description:
        "Confluence Cloud does not tell other programs to whom a folder, whiteboard, database or embedded link is restricted. Where there may be some, nobody sees the pages that lie in one. Where you say that there are none, the permissions of spaces and pages decide.",
      administrator: true,
      // A restriction is of a folder in a space.
      about: ["spaces"],
      when: { deployment: ["cloud"] },
    }),
  spaces: z.array(z.string().min(1)).default([]).meta({
    title: "Spaces",
    description: "Keys of spaces, such as DOCS. None: every space that the account may view and that is not archived.",
  }),
  blogPosts: z.boolean().default(true).meta({ title: "Blog posts", description: "Read blog posts beside pages." }),
  attachments: z.boolean().default(true).meta({
    title: "Attachments",
    description: "Read attached files of formats that can be parsed, each as a document with its page's audience.",
  }),
  allowPrivateHosts,
});
export type ConfluenceConfig = z.infer<typeof confluenceConfigSchema>;

export const jiraConfigSchema = z.object({
  ...siteShape,
  projects: z.array(z.string().min(1)).default([]).meta({
    title: "Projects",
    description: "Keys of projects, such as SUP. None: every project that the account may browse.",
  }),
  comments: z.boolean().default(true).meta({
    title: "Comments",
    description: "Read comments that everybody who sees the issue may see; restricted and internal ones are left out.",
  }),
  allowPrivateHosts,
});
export type JiraConfig = z.infer<typeof jiraConfigSchema>;

export type Deployment = ConfluenceConfig["deployment"];

export const atlassianSecretSchema = z.object({
  token: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: "Token",
      description:
        "With an e-mail address: an API token (id.atlassian.com, Security, API tokens). Alone: a personal access token (Data Center: Profile, Personal Access Tokens) or an API token of a service account (Cloud). An OAuth 2.0 access token ends after an hour: choose the service account instead.",
      examples: ["…"],
      when: { auth: ["api-token", "bearer"] },
    }),
  clientSecret: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: "Client secret",
      description: "Of the service account's OAuth 2.0 credential.",
      examples: ["…"],
      ...byServiceAccount,
    }),
  password: z
    .string()
    .min(1)
    .optional()
    .meta({ title: "Password", description: "For basic.", when: { auth: ["basic"] } }),
});
export type AtlassianSecrets = z.infer<typeof atlassianSecretSchema>;

export const confluenceFacts: SourceFacts = {
  // The listing that deletions need carries every page's version, so that a watermark would only add its own clock.
  changeModel: "fingerprint",
  capabilities: { permissions: true, deletions: true, moves: false },
  readersByWord: ({ deployment, hiddenRestrictions }: ConfluenceConfig) =>
    deployment === "cloud" && hiddenRestrictions === "none",
};

export const jiraFacts: SourceFacts = {
  changeModel: "watermark",
  capabilities: { permissions: true, deletions: true, moves: false },
};
