import { z } from "zod";

const siteShape = {
  url: z.url({ protocol: /^https?$/ }).meta({
    title: "Site address",
    description:
      "https://your-site.atlassian.net; for a token with scopes, https://api.atlassian.com/ex/confluence/<cloud ID> or …/ex/jira/<cloud ID>.",
  }),
  auth: z.enum(["api-token", "bearer"]).default("api-token").meta({
    title: "Signs in with",
    description: "api-token: an e-mail address and an API token; bearer: an access token alone (OAuth 2.0).",
  }),
  email: z.string().default("").meta({
    title: "E-mail address",
    description: "Of the account that the API token belongs to. What it may not see is not read.",
  }),
};

const allowPrivateHosts = z.boolean().default(false).meta({
  title: "Allow private hosts",
  description: "Atlassian's cloud has public addresses. Metadata services stay refused.",
  administrator: true,
});

export const confluenceConfigSchema = z.object({
  ...siteShape,
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

export const atlassianSecretSchema = z.object({
  token: z.string().min(1).meta({
    title: "Token",
    description: "An API token (id.atlassian.com, Security, API tokens), or the access token for bearer.",
  }),
});
export type AtlassianSecrets = z.infer<typeof atlassianSecretSchema>;
