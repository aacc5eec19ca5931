import { defineConnector } from "../connector.ts";
import { checkDrives } from "./check-drives.ts";
import { microsoftSecretSchema, onedriveConfigSchema, type MicrosoftSecrets, type OnedriveConfig } from "./config.ts";
import { digest } from "./drive-cursor.ts";
import { createGraph } from "./graph-client.ts";
import { listUserDrives } from "./list-drives.ts";
import { readTenantDirectory } from "./read-directory.ts";
import { readDrives } from "./read-drives.ts";

export const onedriveConnector = defineConnector<OnedriveConfig, MicrosoftSecrets>({
  kind: "onedrive",
  title: "OneDrive",
  changeModel: "delta",
  // An item keeps its id wherever it goes: it is moved from its ref to the same one, and not read again.
  capabilities: { permissions: true, deletions: true, moves: true },
  directory: "vendor",
  configSchema: onedriveConfigSchema,
  secretSchema: microsoftSecretSchema,

  async check(config, secrets, context) {
    const graph = createGraph(config, secrets, context);
    try {
      return await checkDrives(graph, context, () => listUserDrives(graph, config));
    } finally {
      await graph.close();
    }
  },

  async *read({ config, secrets, cursor, known, context }) {
    const graph = createGraph(config, secrets, context);
    try {
      const { tenantId, graphUrl, users, include, exclude } = config;
      const settings = digest(
        JSON.stringify([tenantId, graphUrl, users, include, exclude]),
        context.limits.documentBytes,
      );
      const listing = await listUserDrives(graph, config);
      yield* readDrives({ graph, known, context, cursor, filter: config, settings, listing });
    } finally {
      await graph.close();
    }
  },

  async *readDirectory({ config, secrets, context }) {
    const graph = createGraph(config, secrets, context);
    try {
      yield* readTenantDirectory(graph);
    } finally {
      await graph.close();
    }
  },
});
