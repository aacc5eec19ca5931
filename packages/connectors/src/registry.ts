import { AnnealError } from "@anneal/core/errors";
import { confluenceConnector } from "./atlassian/confluence-connector.ts";
import { jiraConnector } from "./atlassian/jira-connector.ts";
import { azureBlobConnector } from "./azure-blob/azure-blob-connector.ts";
import type { Connector } from "./connector.ts";
import { fileConnector } from "./file/file-connector.ts";
import { gcsConnector } from "./google/gcs-connector.ts";
import { gdriveConnector } from "./google/gdrive-connector.ts";
import { imapConnector } from "./imap/imap-connector.ts";
import { mongodbConnector } from "./mongodb/mongodb-connector.ts";
import { mssqlConnector } from "./mssql/mssql-connector.ts";
import { mysqlConnector } from "./mysql/mysql-connector.ts";
import { onedriveConnector } from "./microsoft/onedrive-connector.ts";
import { sharepointConnector } from "./microsoft/sharepoint-connector.ts";
import { teamsConnector } from "./microsoft/teams-connector.ts";
import { notionConnector } from "./notion/notion-connector.ts";
import { postgresConnector } from "./postgres/postgres-connector.ts";
import { graphqlConnector } from "./rest/graphql-connector.ts";
import { restConnector } from "./rest/rest-connector.ts";
import { s3Connector } from "./s3/s3-connector.ts";
import { sftpConnector } from "./sftp/sftp-connector.ts";
import { slackConnector } from "./slack/slack-connector.ts";
import { smbConnector } from "./smb/smb-connector.ts";
import { webConnector } from "./web/web-connector.ts";

/** Whoever looks a connector up by its kind parses the values with its own schemas before handing them over. */
export type AnyConnector = Connector<Record<string, unknown>, Record<string, unknown>>;

export const connectors: readonly AnyConnector[] = [
  azureBlobConnector,
  confluenceConnector,
  fileConnector,
  gcsConnector,
  gdriveConnector,
  graphqlConnector,
  imapConnector,
  jiraConnector,
  mongodbConnector,
  mssqlConnector,
  mysqlConnector,
  notionConnector,
  onedriveConnector,
  postgresConnector,
  restConnector,
  s3Connector,
  sharepointConnector,
  sftpConnector,
  slackConnector,
  smbConnector,
  teamsConnector,
  webConnector,
];

export function findConnector(kind: string): AnyConnector | undefined {
  return connectors.find((connector) => connector.kind === kind);
}

/** @throws AnnealError INVALID_INPUT */
export function requireConnector(kind: string): AnyConnector {
  const found = findConnector(kind);
  if (found) return found;
  throw new AnnealError("INVALID_INPUT", `There is no connector of kind ${JSON.stringify(kind)}.`, {
    action: `Use one of: ${connectors.map((connector) => connector.kind).join(", ")}.`,
  });
}
