import type { Principal } from "@anneal/core/access/acl";
import { defineConnector } from "../connector.ts";
import { noneIfClosed } from "../hiding.ts";
import { keepPartsInJournal } from "../parts-in-journal.ts";
import { checkSiteGroups } from "./check-site-groups.ts";
import {
  microsoftSecretSchema,
  sharepointConfigSchema,
  sharepointFacts,
  type MicrosoftSecrets,
  type SharepointConfig,
} from "./config.ts";
import { drivePlaces } from "./drive-cursor.ts";
import { checkDriveSource, readDriveSource } from "./drive-source.ts";
import { createGraph } from "./graph-client.ts";
import { findSite, listSiteDrives } from "./list-drives.ts";
import { readTenantDirectory } from "./read-directory.ts";
import { createSiteClient, mayReadSiteGroups, readSiteGroups } from "./site-groups.ts";

export const sharepointConnector = defineConnector<SharepointConfig, MicrosoftSecrets>({
  kind: "sharepoint",
  title: "SharePoint",
  ...sharepointFacts,
  directory: "vendor",
  configSchema: sharepointConfigSchema,
  secretSchema: microsoftSecretSchema,

  check: (config, secrets, context) =>
    checkDriveSource(config, secrets, context, listSiteDrives, async (graph) => [
      await checkSiteGroups(config, secrets, context, async () => (await findSite(graph, config.siteUrl)).webUrl),
    ]),
  read: keepPartsInJournal(drivePlaces, (request) =>
    readDriveSource(request, [request.config.siteUrl, request.config.libraries], listSiteDrives),
  ),

  async *readDirectory({ config, secrets, context }) {
    const graph = createGraph(config, secrets, context);
    try {
      const usersByName = new Map<string, Principal>();
      yield* readTenantDirectory(graph, usersByName);
      if (!mayReadSiteGroups(config, secrets)) return;
      const site = await findSite(graph, config.siteUrl).catch(noneIfClosed);
      if (site === null) return;
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
