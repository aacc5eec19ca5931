import { z } from "zod";
import { choice } from "../choice.ts";
import type { SourceFacts } from "../connector.ts";
import { pathFilterShape } from "../path-filter.ts";
import { privateHostsField } from "../private-hosts-field.ts";

const endpointShape = {
  endpoint: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null)
    .meta({
      title: "Endpoint",
      description: "Instead of Google's own addresses: a proxy or an emulator. It gets the tokens.",
      administrator: true,
    }),
  allowPrivateHosts: privateHostsField("Needed where Google is reached through one's own network."),
};
export type GoogleEndpoint = { endpoint: string | null; allowPrivateHosts: boolean };

export const gdriveConfigSchema = z.object({
  user: z
    .email()
    .nullable()
    .default(null)
    .meta({
      title: "Read as",
      description:
        "Address of the user whose Drive is read, by domain-wide delegation. Empty: the service account itself, which sees what is shared with it.",
      examples: ["archive@example.com"],
    }),
  drives: choice({ "my-drive": "My Drive", "shared-drives": "Shared drives", both: "My Drive and shared drives" })
    .default("both")
    .meta({ title: "Drives" }),
  driveIds: z.array(z.string().min(1)).default([]).meta({
    title: "Shared drives",
    description: "IDs, as in the address of the drive's page. Empty: every shared drive that the user is a member of.",
  }),
  sharedWithMe: z.boolean().default(false).meta({
    title: "Shared with me",
    description: "Also read what others share with the user and is not in their My Drive.",
  }),
  documentsAs: choice({ markdown: "Markdown", docx: "Word (DOCX)" })
    .default("markdown")
    .meta({ title: "Google Docs as" }),
  spreadsheetsAs: choice({ xlsx: "Excel (XLSX)", csv: "CSV" }).default("xlsx").meta({
    title: "Google Sheets as",
    description: "CSV holds the first sheet only.",
  }),
  linkSharing: choice({ everyone: "Everyone in this workspace", nobody: "Nobody" }).default("everyone").meta({
    title: "Shared by link",
    description: "Who here finds a document that is open to all who have its link; those named on it always do.",
  }),
  directoryAdmin: z.email().nullable().default(null).meta({
    title: "Directory administrator",
    description: "Address of an administrator, as whom users and groups are listed. Empty: the user above.",
  }),
  ...endpointShape,
  ...pathFilterShape,
});
export type GdriveConfig = z.infer<typeof gdriveConfigSchema>;

export const gdriveSecretSchema = z.object({
  serviceAccountKey: z
    .string()
    .min(1)
    .meta({
      title: "Service account key",
      description: "The JSON file that Google Cloud creates for a service account.",
      examples: ['{"type": "service_account"}'],
    }),
});
export type GdriveSecrets = z.infer<typeof gdriveSecretSchema>;

export const gcsConfigSchema = z.object({
  bucket: z
    .string()
    .min(1)
    .meta({ title: "Bucket", examples: ["papers"] }),
  prefix: z.string().default("").meta({ title: "Prefix", description: "Only names that begin with this are read." }),
  userProject: z.string().min(1).nullable().default(null).meta({
    title: "Billing project",
    description: "For buckets whose requester pays.",
  }),
  ...endpointShape,
  ...pathFilterShape,
});
export type GcsConfig = z.infer<typeof gcsConfigSchema>;

/** Without a key requests go out unsigned, for public buckets; the worker's own cloud identity is never used. */
export const gcsSecretSchema = z.object({
  serviceAccountKey: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: "Service account key",
      description: "The JSON file that Google Cloud creates for a service account. Empty: only public buckets.",
      examples: ['{"type": "service_account"}'],
    }),
});
export type GcsSecrets = z.infer<typeof gcsSecretSchema>;

export const gdriveFacts: SourceFacts = {
  changeModel: "change-cursor",
  capabilities: { permissions: true, deletions: true, moves: true },
};

export const gcsFacts: SourceFacts = {
  changeModel: "fingerprint",
  // What people call a move is a new object and a deleted one.
  capabilities: { permissions: false, deletions: true, moves: false },
  differsBy: "another generation",
};
