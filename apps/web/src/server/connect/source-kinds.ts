import type { z } from "zod";
import {
  atlassianSecretSchema,
  confluenceConfigSchema,
  confluenceFacts,
  jiraConfigSchema,
  jiraFacts,
} from "@anneal/connectors/atlassian/config";
import { azureBlobConfigSchema, azureBlobFacts, azureBlobSecretSchema } from "@anneal/connectors/azure-blob/config";
import { fileConfigSchema, fileFacts, fileSecretSchema } from "@anneal/connectors/file/config";
import {
  gcsConfigSchema,
  gcsFacts,
  gcsSecretSchema,
  gdriveConfigSchema,
  gdriveFacts,
  gdriveSecretSchema,
} from "@anneal/connectors/google/config";
import { imapConfigSchema, imapFacts, imapSecretSchema } from "@anneal/connectors/imap/config";
import { delegatedPermission, delegatedResource, entraConfigOf } from "@anneal/connectors/imap/exchange-online";
import type { ConnectContext, SourceFacts } from "@anneal/connectors/connector";
import type { DeviceSignIn } from "@anneal/connectors/device-sign-in";
import {
  microsoftSecretSchema,
  onedriveConfigSchema,
  onedriveFacts,
  sharepointConfigSchema,
  sharepointFacts,
  teamsConfigSchema,
  teamsFacts,
  type TenantConfig,
} from "@anneal/connectors/microsoft/config";
import { onedriveScopes, sharepointScopes, teamsScopes } from "@anneal/connectors/microsoft/delegated-scopes";
import { createMicrosoftSignIn } from "@anneal/connectors/microsoft/device-sign-in";
import { mongodbConfigSchema, mongodbFacts, mongodbSecretSchema } from "@anneal/connectors/mongodb/config";
import { mssqlConfigSchema, mssqlSecretSchema } from "@anneal/connectors/mssql/config";
import { mysqlConfigSchema, mysqlSecretSchema } from "@anneal/connectors/mysql/config";
import { notionConfigSchema, notionFacts, notionSecretSchema } from "@anneal/connectors/notion/config";
import { postgresConfigSchema, postgresSecretSchema } from "@anneal/connectors/postgres/config";
import { graphqlConfigSchema, itemFacts, restConfigSchema, restSecretSchema } from "@anneal/connectors/rest/config";
import { s3ConfigSchema, s3Facts, s3SecretSchema } from "@anneal/connectors/s3/config";
import { sftpConfigSchema, sftpFacts, sftpSecretSchema } from "@anneal/connectors/sftp/config";
import { slackConfigSchema, slackFacts, slackSecretSchema } from "@anneal/connectors/slack/config";
import { smbConfigSchema, smbFacts, smbSecretSchema } from "@anneal/connectors/smb/config";
import { sqlFacts } from "@anneal/connectors/sql/config";
import { webConfigSchema, webFacts, webSecretSchema } from "@anneal/connectors/web/config";
import { AnnealError } from "@anneal/core/errors";
import {
  apiAccount,
  apiSecretsGoTo,
  atlassianSecretsGoTo,
  mailSecretsGoTo,
  microsoftSecretsGoTo,
  originOf,
} from "#server/connect/secrets-recipients.ts";

/**
 * What the portal knows of each connector: its name, what it asks for and how it is recognised. Reading a source is the
 * worker's; only the schemas are shared, and the form is drawn from them.
 */
export type SourceKind = {
  title: string;
  description: string;
  facts: SourceFacts;
  configSchema: z.ZodType<Record<string, unknown>>;
  secretSchema: z.ZodType<Record<string, unknown>>;
  /** It reads the worker's own machine: more than a data scientist may reach on their own. */
  administratorOnly: boolean;
  /** One line that tells two sources of a kind apart. */
  locate(config: Record<string, unknown>): string;
  /**
   * As whom the place is read, where that says what is found there; null: as whoever the credentials are for, so that others
   * may lead to another account. Left out: everybody finds the same documents there.
   */
  account?(config: Record<string, unknown>): string | null;
  /** Who gets to see the credentials; they are not sent to another one without being entered again. */
  secretsGoTo(config: Record<string, unknown>): string;
  /** Where `field` is `value`, a person signs in with a code instead of entering credentials. */
  signIn?: SignInOffer & {
    open(config: Record<string, unknown>, context: Pick<ConnectContext, "signal" | "limits">): DeviceSignIn;
  };
};

/** `with` is what people call the account: "Microsoft". */
export type SignInOffer = { field: string; value: string; with: string };

export const sourceKinds: Record<string, SourceKind> = {
  file: {
    title: "Folder",
    description: "Files on the worker's machine, mounted shares included.",
    facts: fileFacts,
    configSchema: fileConfigSchema,
    secretSchema: fileSecretSchema,
    administratorOnly: true,
    locate: ({ path }) => String(path),
    secretsGoTo: () => "",
  },
  smb: {
    title: "Windows share",
    description: "Files of a Windows or Samba server, with whom their access lists admit.",
    facts: smbFacts,
    configSchema: smbConfigSchema,
    secretSchema: smbSecretSchema,
    administratorOnly: false,
    locate: ({ host, share, path }) =>
      `\\\\${[host, share, ...String(path ?? "").split("/")].filter((part) => part !== "").join("\\")}`,
    // A server may have a folder of each user's own under one name.
    account: ({ user }) => String(user),
    // A domain controller is signed in to as well.
    secretsGoTo: ({ host, port, accountsHost }) =>
      [`${String(host)}:${String(port ?? 445)}`, ...(accountsHost ? [String(accountsHost)] : [])].join(" and "),
  },
  sftp: {
    title: "SFTP server",
    description: "Files over SSH, with the owners and rights of a Unix server where you want them.",
    facts: sftpFacts,
    configSchema: sftpConfigSchema,
    secretSchema: sftpSecretSchema,
    administratorOnly: false,
    locate: ({ host, port, path }) => `sftp://${String(host)}:${String(port ?? 22)} ${String(path ?? ".")}`,
    // Each begins in a folder of their own, and may be kept in it.
    account: ({ user }) => String(user),
    secretsGoTo: ({ host, port }) => `${String(host)}:${String(port ?? 22)}`,
  },
  s3: {
    title: "S3 bucket",
    description: "Objects in S3, MinIO, Ceph, R2 or any storage that speaks its protocol.",
    facts: s3Facts,
    configSchema: s3ConfigSchema,
    secretSchema: s3SecretSchema,
    administratorOnly: false,
    locate: ({ bucket, prefix }) => `s3://${String(bucket)}/${String(prefix ?? "")}`,
    secretsGoTo: ({ endpoint }) => String(endpoint ?? "Amazon S3"),
  },
  postgres: {
    title: "PostgreSQL",
    description: "Rows of tables or queries, each a document. It only reads.",
    facts: sqlFacts,
    configSchema: postgresConfigSchema,
    secretSchema: postgresSecretSchema,
    administratorOnly: false,
    secretsGoTo: ({ host, port }) => `${String(host)}:${String(port ?? 5432)}`,
    locate: ({ host, port, database }) => `${String(host)}:${String(port ?? 5432)}/${String(database)}`,
  },
  mysql: {
    title: "MySQL or MariaDB",
    description: "Rows of tables or queries, each a document. It only reads.",
    facts: sqlFacts,
    configSchema: mysqlConfigSchema,
    secretSchema: mysqlSecretSchema,
    administratorOnly: false,
    secretsGoTo: ({ host, port }) => `${String(host)}:${String(port ?? 3306)}`,
    locate: ({ host, port, database }) => `${String(host)}:${String(port ?? 3306)}/${String(database)}`,
  },
  mssql: {
    title: "SQL Server",
    description: "Rows of tables or queries, each a document. It only reads.",
    facts: sqlFacts,
    configSchema: mssqlConfigSchema,
    secretSchema: mssqlSecretSchema,
    administratorOnly: false,
    secretsGoTo: ({ host, port }) => `${String(host)}:${String(port ?? 1433)}`,
    locate: ({ host, port, database }) => `${String(host)}:${String(port ?? 1433)}/${String(database)}`,
  },
  mongodb: {
    title: "MongoDB",
    description: "Documents of collections. It only reads.",
    facts: mongodbFacts,
    configSchema: mongodbConfigSchema,
    secretSchema: mongodbSecretSchema,
    administratorOnly: false,
    secretsGoTo: ({ host, port }) => `${String(host)}:${String(port ?? 27_017)}`,
    locate: ({ host, port, database }) => `${String(host)}:${String(port ?? 27_017)}/${String(database)}`,
  },
  "azure-blob": {
    title: "Azure Blob container",
    description: "Blobs in a container of an Azure storage account.",
    facts: azureBlobFacts,
    configSchema: azureBlobConfigSchema,
    secretSchema: azureBlobSecretSchema,
    administratorOnly: false,
    locate: ({ accountUrl, container, prefix }) =>
      [String(accountUrl ?? "").replace(/\/+$/, ""), String(container), String(prefix ?? "")]
        .filter((step) => step !== "")
        .join("/"),
    account: ({ accountUrl }) => (accountUrl ? String(accountUrl) : null),
    secretsGoTo: ({ accountUrl }) => String(accountUrl ?? "the account of the connection string"),
  },
  gdrive: {
    title: "Google Drive",
    description: "Documents of My Drive and of shared drives, with their permissions.",
    facts: gdriveFacts,
    configSchema: gdriveConfigSchema,
    secretSchema: gdriveSecretSchema,
    administratorOnly: false,
    locate: ({ user, drives, driveIds }) =>
      [
        String(user ?? "the service account"),
        String(drives ?? "both"),
        ...(Array.isArray(driveIds) ? driveIds.map(String) : []),
      ].join(", "),
    account: ({ user }) => (user ? String(user) : null),
    // A service account that acts for people acts for any of the domain.
    secretsGoTo: ({ user, endpoint }) => `${String(user ?? "the service account")} at ${String(endpoint ?? "Google")}`,
  },
  gcs: {
    title: "Google Cloud Storage",
    description: "Objects in a bucket of Google Cloud.",
    facts: gcsFacts,
    configSchema: gcsConfigSchema,
    secretSchema: gcsSecretSchema,
    administratorOnly: false,
    locate: ({ bucket, prefix }) => `gs://${String(bucket)}/${String(prefix ?? "")}`,
    secretsGoTo: ({ endpoint }) => String(endpoint ?? "Google"),
  },
  imap: {
    title: "E-mail (IMAP)",
    description: "Messages of a mailbox, attachments included. Nothing is marked as read.",
    facts: imapFacts,
    configSchema: imapConfigSchema,
    secretSchema: imapSecretSchema,
    administratorOnly: false,
    locate: ({ host, user }) => `${String(user)} on ${String(host)}`,
    secretsGoTo: mailSecretsGoTo,
    signIn: {
      field: "authentication",
      value: "microsoft-delegated",
      with: "Microsoft",
      open(entered, context) {
        const config = imapConfigSchema.parse(entered);
        return createMicrosoftSignIn(entraConfigOf(config), delegatedResource(config), [delegatedPermission], context);
      },
    },
  },
  sharepoint: {
    title: "SharePoint",
    description: "Documents of a site's libraries, with their permissions.",
    facts: sharepointFacts,
    configSchema: sharepointConfigSchema,
    secretSchema: microsoftSecretSchema,
    administratorOnly: false,
    locate: ({ siteUrl, libraries }) => [siteUrl, ...(Array.isArray(libraries) ? libraries : [])].map(String).join(" "),
    secretsGoTo: microsoftSecretsGoTo,
    signIn: microsoftSignIn(sharepointConfigSchema, () => sharepointScopes),
  },
  onedrive: {
    title: "OneDrive",
    description: "Documents of one user's OneDrive, or of several users', with their permissions.",
    facts: onedriveFacts,
    configSchema: onedriveConfigSchema,
    secretSchema: microsoftSecretSchema,
    administratorOnly: false,
    locate: ({ users }) => (Array.isArray(users) ? users : []).map(String).join(", "),
    secretsGoTo: microsoftSecretsGoTo,
    signIn: microsoftSignIn(onedriveConfigSchema, () => onedriveScopes),
  },
  teams: {
    title: "Microsoft Teams",
    description: "Threads of a team's channels, for those who are in them, and the channels' files.",
    facts: teamsFacts,
    configSchema: teamsConfigSchema,
    secretSchema: microsoftSecretSchema,
    administratorOnly: false,
    locate: ({ teams }) => (Array.isArray(teams) ? teams : []).map(String).join(", "),
    secretsGoTo: microsoftSecretsGoTo,
    signIn: microsoftSignIn(teamsConfigSchema, teamsScopes),
  },
  slack: {
    title: "Slack",
    description: "Threads and days of the channels that an app was invited to, for those who are in them.",
    facts: slackFacts,
    configSchema: slackConfigSchema,
    secretSchema: slackSecretSchema,
    administratorOnly: false,
    locate: ({ channels }) =>
      Array.isArray(channels) && channels.length > 0
        ? channels.map((channel) => `#${String(channel).replace(/^#/, "")}`).join(", ")
        : "every channel of the app",
    account: () => null,
    secretsGoTo: ({ apiUrl }) => String(apiUrl ?? "Slack"),
  },
  notion: {
    title: "Notion",
    description: "Pages and database rows that are shared with an integration. Notion tells no permissions.",
    facts: notionFacts,
    configSchema: notionConfigSchema,
    secretSchema: notionSecretSchema,
    administratorOnly: false,
    locate: () => "pages shared with the integration",
    account: () => null,
    secretsGoTo: ({ apiUrl }) => String(apiUrl ?? "Notion"),
  },
  rest: {
    title: "REST API",
    description: "Items of any service that lists them as JSON, described by paths and fields.",
    facts: itemFacts,
    configSchema: restConfigSchema,
    secretSchema: restSecretSchema,
    administratorOnly: false,
    locate: ({ url, list }) => [String(url).replace(/\/+$/, ""), String(list ?? "")].filter(Boolean).join("/"),
    account: apiAccount,
    secretsGoTo: apiSecretsGoTo,
  },
  graphql: {
    title: "GraphQL API",
    description: "Items of any GraphQL service, described by a query and fields.",
    facts: itemFacts,
    configSchema: graphqlConfigSchema,
    secretSchema: restSecretSchema,
    administratorOnly: false,
    locate: ({ url, items }) => `${String(url)} (${String(items)})`,
    account: apiAccount,
    secretsGoTo: apiSecretsGoTo,
  },
  confluence: {
    title: "Confluence",
    description:
      "Pages, blog posts and attachments of Confluence Cloud or Data Center, with the permissions of spaces and pages.",
    facts: confluenceFacts,
    configSchema: confluenceConfigSchema,
    secretSchema: atlassianSecretSchema,
    administratorOnly: false,
    locate: ({ url, spaces }) => locateAtlassian(url, spaces),
    secretsGoTo: atlassianSecretsGoTo,
  },
  jira: {
    title: "Jira",
    description: "Issues of Jira Cloud or Data Center with their comments and permissions.",
    facts: jiraFacts,
    configSchema: jiraConfigSchema,
    secretSchema: atlassianSecretSchema,
    administratorOnly: false,
    locate: ({ url, projects }) => locateAtlassian(url, projects),
    secretsGoTo: atlassianSecretsGoTo,
  },
  web: {
    title: "Website",
    description: "Pages of one or several hosts, as their robots.txt allows; behind a login too.",
    facts: webFacts,
    configSchema: webConfigSchema,
    secretSchema: webSecretSchema,
    administratorOnly: false,
    locate: ({ url }) => String(url),
    secretsGoTo: ({ url, seeds }) => {
      const addresses: unknown[] = [url, ...(Array.isArray(seeds) ? (seeds as unknown[]) : [])];
      return [...new Set(addresses.map(originOf))].sort().join(", ");
    },
  },
};

function microsoftSignIn<Config extends TenantConfig>(
  schema: z.ZodType<Config>,
  scopesOf: (config: Config) => readonly string[],
): NonNullable<SourceKind["signIn"]> {
  return {
    field: "permission",
    value: "delegated",
    with: "Microsoft",
    open(entered, context) {
      const config = schema.parse(entered);
      return createMicrosoftSignIn(config, new URL(config.graphUrl).origin, scopesOf(config), context);
    },
  };
}

/** The site, and which of its spaces or projects when they were chosen. */
function locateAtlassian(url: unknown, keys: unknown): string {
  const chosen = Array.isArray(keys) && keys.length > 0 ? ` (${keys.join(", ")})` : "";
  return String(url) + chosen;
}

/** @throws AnnealError NOT_FOUND for a kind that this release does not know. */
export function requireSourceKind(kind: string): SourceKind {
  const found = sourceKinds[kind];
  if (found) return found;
  throw new AnnealError("NOT_FOUND", `There is no source of kind “${kind}”.`, {
    action: `Use one of: ${Object.keys(sourceKinds).join(", ")}.`,
  });
}
