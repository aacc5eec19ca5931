import type { AnyConnector } from "@anneal/connectors/registry";

const loaders: Record<string, () => Promise<object>> = {
  "azure-blob": () => import("@anneal/connectors/azure-blob/azure-blob-connector"),
  confluence: () => import("@anneal/connectors/atlassian/confluence-connector"),
  file: () => import("@anneal/connectors/file/file-connector"),
  gcs: () => import("@anneal/connectors/google/gcs-connector"),
  gdrive: () => import("@anneal/connectors/google/gdrive-connector"),
  graphql: () => import("@anneal/connectors/rest/graphql-connector"),
  imap: () => import("@anneal/connectors/imap/imap-connector"),
  jira: () => import("@anneal/connectors/atlassian/jira-connector"),
  mongodb: () => import("@anneal/connectors/mongodb/mongodb-connector"),
  mssql: () => import("@anneal/connectors/mssql/mssql-connector"),
  mysql: () => import("@anneal/connectors/mysql/mysql-connector"),
  notion: () => import("@anneal/connectors/notion/notion-connector"),
  onedrive: () => import("@anneal/connectors/microsoft/onedrive-connector"),
  postgres: () => import("@anneal/connectors/postgres/postgres-connector"),
  rest: () => import("@anneal/connectors/rest/rest-connector"),
  s3: () => import("@anneal/connectors/s3/s3-connector"),
  sftp: () => import("@anneal/connectors/sftp/sftp-connector"),
  sharepoint: () => import("@anneal/connectors/microsoft/sharepoint-connector"),
  slack: () => import("@anneal/connectors/slack/slack-connector"),
  smb: () => import("@anneal/connectors/smb/smb-connector"),
  teams: () => import("@anneal/connectors/microsoft/teams-connector"),
  web: () => import("@anneal/connectors/web/web-connector"),
};

/** One connector without the libraries of all the others, which the registry loads, so that its memory is its own. */
export async function loadConnector(kind: string): Promise<AnyConnector> {
  const load = loaders[kind];
  if (load === undefined) throw new Error(`There is no connector of kind ${kind}.`);
  const exported = Object.values(await load()) as Partial<AnyConnector>[];
  const connector = exported.find((each): each is AnyConnector => each.kind === kind);
  if (connector === undefined) throw new Error(`The module of ${kind} exports something else.`);
  return connector;
}
