import { defineConnector } from "../connector.ts";
import { checkSlack } from "./check-slack.ts";
import { slackConfigSchema, slackFacts, slackSecretSchema, type SlackConfig, type SlackSecrets } from "./config.ts";
import { readSlackDirectory } from "./directory.ts";
import { readSlack } from "./read-slack.ts";

export const slackConnector = defineConnector<SlackConfig, SlackSecrets>({
  kind: "slack",
  title: "Slack",
  ...slackFacts,
  directory: "vendor",
  configSchema: slackConfigSchema,
  secretSchema: slackSecretSchema,

  check: checkSlack,
  read: readSlack,
  readDirectory: readSlackDirectory,
});
