import type { Principal } from "@anneal/core/access/acl";
import { defineConnector } from "../connector.ts";
import { noneIfClosed } from "../hiding.ts";
import { keepPartsInJournal } from "../parts-in-journal.ts";
import { listChannelDrives } from "./channel-files.ts";
import { checkTeams } from "./check-teams.ts";
import {
  microsoftSecretSchema,
  teamsConfigSchema,
  teamsFacts,
  type MicrosoftSecrets,
  type TeamsConfig,
} from "./config.ts";
import { createGraph } from "./graph-client.ts";
import { listChannels } from "./list-channels.ts";
import { readChannelMembers } from "./channel-members.ts";
import { readTenantDirectory } from "./read-directory.ts";
import { readTeams } from "./read-teams.ts";
import { createSiteClient, mayReadSiteGroups, readSiteGroups } from "./site-groups.ts";
import { teamsPlaces } from "./teams-cursor.ts";

export const teamsConnector = defineConnector<TeamsConfig, MicrosoftSecrets>({
  kind: "teams",
  title: "Microsoft Teams",
  ...teamsFacts,
  directory: "vendor",
  configSchema: teamsConfigSchema,
  secretSchema: microsoftSecretSchema,

  async check(config, secrets, context) {
    const graph = createGraph(config, secrets, context);
    try {
      return await checkTeams(graph, config, secrets, context);
    } finally {
      await graph.close();
    }
  },

  read: keepPartsInJournal(teamsPlaces, async function* (request) {
    const graph = createGraph(request.config, request.secrets, request.context);
    try {
      yield* readTeams(request, graph);
    } finally {
      await graph.close();
    }
  }),

  async *readDirectory({ config, secrets, context }) {
    const graph = createGraph(config, secrets, context);
    try {
      const usersByName = new Map<string, Principal>();
      yield* readTenantDirectory(graph, usersByName);
      const listing = await listChannels(graph, config).catch(noneIfClosed);
      if (listing === null) return;
      const { channels, failures } = listing;
      for (const { error } of failures) yield { type: "failure", error };
      if (config.messages) yield* readChannelMembers(graph, channels);
      if (!config.files || !mayReadSiteGroups(config, secrets)) return;
      const files = await listChannelDrives(graph, listing, {});
      for (const { error } of files.failures) yield { type: "failure", error };
      for (const { collectionId, url } of files.sites) {
        const client = createSiteClient(config, secrets, url, context);
        try {
          yield* readSiteGroups(client, graph, collectionId, usersByName);
        } finally {
          await client.close();
        }
      }
    } finally {
      await graph.close();
    }
  },
});
