import { defineConnector } from "../connector.ts";
import { keepPartsInJournal } from "../parts-in-journal.ts";
import {
  gdriveConfigSchema,
  gdriveFacts,
  gdriveSecretSchema,
  type GdriveConfig,
  type GdriveSecrets,
} from "./config.ts";
import { checkDrive } from "./drive-check.ts";
import { readDriveDirectory } from "./drive-directory.ts";
import { readDrive } from "./read-drive.ts";

/** A document's ref is its Drive id, which a rename and a move keep: `moved` then names the same ref twice. */
export const gdriveConnector = defineConnector<GdriveConfig, GdriveSecrets>({
  kind: "gdrive",
  title: "Google Drive",
  ...gdriveFacts,
  directory: "vendor",
  configSchema: gdriveConfigSchema,
  secretSchema: gdriveSecretSchema,

  check: checkDrive,
  read: keepPartsInJournal(["positions"], readDrive),
  readDirectory: readDriveDirectory,
});
