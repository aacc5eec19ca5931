import { defineConnector } from "../connector.ts";
import { keepPartsInJournal } from "../parts-in-journal.ts";
import {
  microsoftSecretSchema,
  onedriveConfigSchema,
  onedriveFacts,
  type MicrosoftSecrets,
  type OnedriveConfig,
} from "./config.ts";
import { drivePlaces } from "./drive-cursor.ts";
import { checkDriveSource, readDriveSource } from "./drive-source.ts";
import { createGraph } from "./graph-client.ts";
import { listUserDrives } from "./list-drives.ts";
import { readTenantDirectory } from "./read-directory.ts";

export const onedriveConnector = defineConnector<OnedriveConfig, MicrosoftSecrets>({
  kind: "onedrive",
  title: "OneDrive",
  ...onedriveFacts,
  directory: "vendor",
  configSchema: onedriveConfigSchema,
  secretSchema: microsoftSecretSchema,

  check: (config, secrets, context) => checkDriveSource(config, secrets, context, listUserDrives),
  read: keepPartsInJournal(drivePlaces, (request) => readDriveSource(request, [request.config.users], listUserDrives)),

  async *readDirectory({ config, secrets, context }) {
    const graph = createGraph(config, secrets, context);
    try {
      yield* readTenantDirectory(graph);
    } finally {
      await graph.close();
    }
  },
});
