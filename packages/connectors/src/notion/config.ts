import { z } from "zod";
import type { SourceFacts } from "../connector.ts";
import { privateHostsField } from "../private-hosts-field.ts";

export const notionConfigSchema = z.object({
  lookBackHours: z.number().int().min(1).max(720).default(24).meta({
    title: "Hours to look back",
    description:
      "A sync looks at what was edited since the last one and this much before it, because Notion's search shows changes late. Unchanged pages are not read again.",
  }),
  completeEvery: z.number().int().min(1).max(1000).default(5).meta({
    title: "Complete listing every … syncs",
    description:
      "Pages that were deleted, and old pages that were newly shared with the integration, are found by listing everything, which this many syncs do once. It costs a request per hundred pages and reads only what changed.",
  }),
  apiUrl: z
    .url({ protocol: /^https?$/ })
    .default("https://api.notion.com/v1/")
    .meta({ title: "API address", description: "Another one only for a proxy of Notion's API.", administrator: true }),
  allowPrivateHosts: privateHostsField("Only for a proxy of the API in one's own network."),
});
export type NotionConfig = z.infer<typeof notionConfigSchema>;

export const notionSecretSchema = z.object({
  token: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]+$/, "A token has no spaces")
    .meta({
      title: "Integration token",
      description:
        "The secret of an internal integration (ntn_… or secret_…) with the capability Read content. It reads only pages to which it was added under Connections.",
    }),
});
export type NotionSecrets = z.infer<typeof notionSecretSchema>;

export const notionFacts: SourceFacts = {
  changeModel: "watermark",
  // A page keeps its id wherever it is moved to, so there is nothing to report.
  capabilities: { permissions: false, deletions: true, moves: false },
};
