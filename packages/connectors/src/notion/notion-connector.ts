import { defineConnector } from "../connector.ts";
import { checkNotion } from "./check-notion.ts";
import { notionConfigSchema, notionSecretSchema, type NotionConfig, type NotionSecrets } from "./config.ts";
import { readNotion } from "./read-notion.ts";

export const notionConnector = defineConnector<NotionConfig, NotionSecrets>({
  kind: "notion",
  title: "Notion",
  changeModel: "watermark",
  // A page keeps its id wherever it is moved to, so there is nothing to report.
  capabilities: { permissions: false, deletions: true, moves: false },
  configSchema: notionConfigSchema,
  secretSchema: notionSecretSchema,

  check: checkNotion,
  read: readNotion,
});
