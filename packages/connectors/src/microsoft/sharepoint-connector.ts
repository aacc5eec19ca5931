import type { Principal } from "@anneal/core/access/acl";
import { defineConnector, type CapabilityCheck, type ConnectContext } from "../connector.ts";
import { reportOf } from "../failure.ts";
import {
  microsoftSecretSchema,
  sharepointConfigSchema,
  type MicrosoftSecrets,
  type SharepointConfig,
} from "./config.ts";
import { checkDriveSource, readDriveSource } from "./drive-source.ts";
import { createGraph, type Graph } from "./graph-client.ts";
import { findSite, listSiteDrives } from "./list-drives.ts";
import { readTenantDirectory } from "./read-directory.ts";
import { createSiteClient, listSiteGroups, readSiteGroups } from "./site-groups.ts";

export const sharepointConnector = defineConnector<SharepointConfig, MicrosoftSecrets>({
  kind: "sharepoint",
  title: "SharePoint",
  changeModel: "delta",
  // An item keeps its id wherever it goes: it is moved from its ref to the same one, and not read again.
  capabilities: { permissions: true, deletions: true, moves: true },
  directory: "vendor",
  configSchema: sharepointConfigSchema,
  secretSchema: microsoftSecretSchema,

  check: (config, secrets, context) =>
    checkDriveSource(config, secrets, context, listSiteDrives, async (graph) => [
      await checkSiteGroups(graph, config, secrets, context),
    ]),
  read: (request) => readDriveSource(request, [request.config.siteUrl, request.config.libraries], listSiteDrives),

  async *readDirectory({ config, secrets, context }) {
    const graph = createGraph(config, secrets, context);
    try {
      const usersByName = new Map<string, Principal>();
      yield* readTenantDirectory(graph, usersByName);
      if (secrets.certificate === undefined) return;
      const site = await findSite(graph, config.siteUrl);
      const client = createSiteClient(config, secrets, site.webUrl, context);
      try {
        yield* readSiteGroups(client, graph, site.collectionId, usersByName);
      } finally {
        await client.close();
      }
    } finally {
      await graph.close();
    }
  },
});

/** Most documents of a site are granted to its groups; without them only what names people or Entra groups is seen. */
async function checkSiteGroups(
  graph: Graph,
  config: SharepointConfig,
  secrets: MicrosoftSecrets,
  context: ConnectContext,
): Promise<CapabilityCheck> {
  const capability = "site groups";
  if (secrets.certificate === undefined) {
    return {
      capability,
      status: "warning",
      message:
        "Who is in the site's own groups (Owners, Members, Visitors) is unknown: what is shared with them alone is shown to nobody. Enter a certificate in place of the secret, and grant the application permission Sites.FullControl.All on SharePoint.",
    };
  }
  const site = await findSite(graph, config.siteUrl);
  const client = createSiteClient(config, secrets, site.webUrl, context);
  try {
    const groups = await listSiteGroups(client);
    return { capability, status: "ok", message: `The members of the site's ${groups.length} groups can be read.` };
  } catch (error) {
    return {
      capability,
      status: "warning",
      message: `${reportOf(error).message} Until then what is shared with the site's own groups is shown to nobody: grant the application permission Sites.FullControl.All on SharePoint (not on Microsoft Graph), with admin consent.`,
    };
  } finally {
    await client.close();
  }
}
