import { z } from "zod";
import { choice } from "../choice.ts";
import type { SourceFacts } from "../connector.ts";
import { pathFilterShape } from "../path-filter.ts";
import { privateHostsField } from "../private-hosts-field.ts";

/** A delta link is kept for each drive, and the cursor must stay small. */
const maxUsers = 50;

const address = z.url({ protocol: /^https?$/ });

const tenantShape = {
  tenantId: z.guid().meta({
    title: "Directory (tenant) ID",
    description: "On the overview page of the app registration in Microsoft Entra.",
    examples: ["00000000-0000-4000-8000-000000000000"],
  }),
  clientId: z.guid().meta({ title: "Application (client) ID", examples: ["00000000-0000-4000-8000-000000000000"] }),
  permission: choice({ application: "The app's own (application)", delegated: "One account's (delegated)" })
    .default("application")
    .meta({
      title: "Permission",
      description:
        "The app's own is what an administrator granted to it for the whole tenant, with its secret or certificate; one account's is what that may read, which signs in with a code.",
    }),
};

const sharingShape = {
  linkSharing: choice({ everyone: "Everyone in this workspace", nobody: "Nobody" }).default("everyone").meta({
    title: "Shared by link",
    description: "Who here finds a document that is open to all who have its link; those named on it always do.",
  }),
};
export type LinkSharing = z.infer<z.ZodObject<typeof sharingShape>>;

const cloudShape = {
  authorityUrl: address.default("https://login.microsoftonline.com").meta({
    title: "Sign-in address",
    description: "Another one for a national cloud, such as https://login.microsoftonline.us.",
    administrator: true,
  }),
  graphUrl: address.default("https://graph.microsoft.com/v1.0").meta({
    title: "Graph address",
    description: "Another one for a national cloud, such as https://graph.microsoft.us/v1.0.",
    administrator: true,
  }),
  allowPrivateHosts: privateHostsField(
    "Microsoft's services have public addresses; only a proxy of one's own needs this.",
  ),
};

export const sharepointConfigSchema = z.object({
  ...tenantShape,
  siteUrl: z.url({ protocol: /^https$/ }).meta({
    title: "Site",
    description: "The site's address, such as https://contoso.sharepoint.com/sites/Finance.",
    examples: ["https://contoso.sharepoint.com/sites/Finance"],
  }),
  libraries: z.array(z.string().min(1)).default([]).meta({
    title: "Document libraries",
    description: "Names or drive ids; none means all of the site's.",
  }),
  ...sharingShape,
  ...pathFilterShape,
  ...cloudShape,
});
export type SharepointConfig = z.infer<typeof sharepointConfigSchema>;

export const onedriveConfigSchema = z.object({
  ...tenantShape,
  users: z
    .array(z.string().min(1))
    .min(1)
    .max(maxUsers)
    .meta({
      title: "Users",
      description: "Whose OneDrive is read: user principal names or object ids.",
      examples: [["ann@contoso.com"]],
    }),
  ...sharingShape,
  ...pathFilterShape,
  ...cloudShape,
});
export type OnedriveConfig = z.infer<typeof onedriveConfigSchema>;

export const teamsConfigSchema = z
  .object({
    ...tenantShape,
    teams: z
      .array(z.guid())
      .min(1)
      .meta({
        title: "Teams",
        description: "Ids of the teams, which are those of their Microsoft 365 groups.",
        examples: [["00000000-0000-4000-8000-000000000000"]],
      }),
    channels: z.array(z.string().min(1)).default([]).meta({
      title: "Channels",
      description: "Names; none means all of each team's.",
    }),
    messages: z.boolean().default(true).meta({
      title: "Messages",
      description: "Each thread is a document. Delegated permission for it needs an administrator's consent.",
    }),
    completeEveryHours: z
      .number()
      .min(0)
      .max(8760)
      .default(24)
      .meta({
        title: "Hours between complete listings",
        description:
          "In between, each sync asks Microsoft which messages have changed. That may leave out new replies, and leaves out what is older than eight months: a complete listing of each channel finds it. 0: at each sync.",
        when: { messages: ["true"] },
      }),
    files: z.boolean().default(true).meta({
      title: "Files",
      description: "What lies in the channels' folders, with the permissions that SharePoint has for it.",
    }),
    ...sharingShape,
    ...cloudShape,
  })
  .refine(({ messages, files }) => messages || files, {
    error: "Choose messages, files or both.",
    path: ["messages"],
  });
export type TeamsConfig = z.infer<typeof teamsConfigSchema>;

/** Of an app registration, whatever its tokens are for. */
export type EntraConfig = Pick<
  SharepointConfig,
  "tenantId" | "clientId" | "permission" | "authorityUrl" | "allowPrivateHosts"
>;

export type TenantConfig = EntraConfig & Pick<SharepointConfig, "graphUrl">;

/** Marked `signIn`: not for a person to type, but what a sign-in brings. */
export const signedInShape = {
  refreshToken: z.string().min(1).optional().meta({ title: "Sign-in", signIn: true }),
  account: z.string().min(1).optional().meta({ title: "Account", signIn: true }),
  accountId: z.string().min(1).optional().meta({ title: "Account ID", signIn: true }),
};

export const microsoftSecretSchema = z
  .object({
    clientSecret: z
      .string()
      .min(1)
      .optional()
      .meta({
        title: "Client secret",
        description: "The secret's value, not its id.",
        examples: ["…"],
      }),
    certificate: z.string().min(1).optional().meta({
      title: "Certificate",
      description:
        "Instead of a secret: PEM with the private key and the certificate. SharePoint tells who is in a site's groups (Owners, Members, Visitors) only to an application with a certificate.",
    }),
    ...signedInShape,
  })
  .refine(
    ({ clientSecret, certificate, refreshToken }) =>
      [clientSecret, certificate, refreshToken].some((given) => given !== undefined),
    { error: "Enter a client secret or a certificate, or sign in." },
  );
export type MicrosoftSecrets = z.infer<typeof microsoftSecretSchema>;

export const sharepointFacts: SourceFacts = {
  changeModel: "delta",
  // An item keeps its id wherever it goes: it is moved from its ref to the same one, and not read again.
  capabilities: { permissions: true, deletions: true, moves: true },
};

export const onedriveFacts: SourceFacts = {
  changeModel: "delta",
  // An item keeps its id wherever it goes: it is moved from its ref to the same one, and not read again.
  capabilities: { permissions: true, deletions: true, moves: true },
};

export const teamsFacts: SourceFacts = {
  // The feeds of files leave nothing out; those of messages may.
  changeModel: "delta-and-listing",
  // A message stays where it was written. Files may move, and keep their refs.
  capabilities: { permissions: true, deletions: true, moves: false },
};
