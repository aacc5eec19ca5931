import { z } from "zod";
import type { SourceFacts } from "../connector.ts";
import { privateHostsField } from "../private-hosts-field.ts";

export const slackConfigSchema = z.object({
  channels: z.array(z.string().min(1)).default([]).meta({
    title: "Channels",
    description:
      "Names or ids of channels that the app was invited to. Empty: all of those. Direct messages are never read.",
  }),
  includePrivate: z.boolean().default(true).meta({
    title: "Private channels",
    description: "Needs the scopes groups:read and groups:history; only a channel's members see its messages.",
  }),
  since: z.iso.date().nullable().default(null).meta({
    title: "Since",
    description: "Messages before this day (UTC) are left out.",
  }),
  rereadDays: z.number().int().min(1).max(365).default(3).meta({
    title: "Days to read again",
    description:
      "Slack tells a bot of no edit and no deletion. Each sync therefore reads the last days again, threads included, and finds what changed in them.",
  }),
  completeEvery: z.number().int().min(1).max(10_000).default(50).meta({
    title: "Complete listing every … syncs",
    description:
      "Edits, deletions and new replies in what is older than those days are found by reading everything again, which this many syncs do once. A large workspace takes hours for it: Slack allows about 50 threads a minute.",
  }),
  apiUrl: z
    .url({ protocol: /^https?$/ })
    .default("https://slack.com/api/")
    .meta({
      title: "API address",
      description: "Another one only for GovSlack: https://slack-gov.com/api/.",
      administrator: true,
    }),
  allowPrivateHosts: privateHostsField("Only for a proxy of the API in one's own network."),
});
export type SlackConfig = z.infer<typeof slackConfigSchema>;

export const slackSecretSchema = z.object({
  botToken: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]+$/, "A token has no spaces")
    .meta({
      title: "Bot token",
      description:
        "The Bot User OAuth Token (xoxb-…) of an app with the scopes channels:read, channels:history, groups:read, groups:history, users:read and users:read.email.",
    }),
});
export type SlackSecrets = z.infer<typeof slackSecretSchema>;

export const slackFacts: SourceFacts = {
  changeModel: "watermark",
  // A message stays where it was posted.
  capabilities: { permissions: true, deletions: true, moves: false },
};
