import { defineConnector } from "../connector.ts";
import { checkNotion } from "./check-notion.ts";
import {
  notionConfigSchema,
  notionFacts,
  notionSecretSchema,
  type NotionConfig,
  type NotionSecrets,
} from "./config.ts";
import { readNotion } from "./read-notion.ts";

export const notionConnector = defineConnector<NotionConfig, NotionSecrets>({
  kind: "notion",
  title: "Notion",
  ...notionFacts,
  configSchema: notionConfigSchema,
  secretSchema: notionSecretSchema,

  check: checkNotion,
  read: readNotion,
});
