import { z } from "zod";
import type { SourceFacts } from "../connector.ts";
import { pathFilterShape } from "../path-filter.ts";
import { privateHostsField } from "../private-hosts-field.ts";

export const s3ConfigSchema = z.object({
  bucket: z
    .string()
    .min(1)
    .meta({ title: "Bucket", examples: ["papers"] }),
  prefix: z.string().default("").meta({ title: "Prefix", description: "Only keys that begin with this are read." }),
  endpoint: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null)
    .meta({ title: "Endpoint", description: "For storage other than AWS: MinIO, Ceph, R2." }),
  region: z.string().min(1).default("us-east-1").meta({ title: "Region" }),
  pathStyle: z.boolean().default(false).meta({
    title: "Path-style addresses",
    description: "Most storage other than AWS needs this.",
  }),
  allowPrivateHosts: privateHostsField("For storage in one's own network."),
  ...pathFilterShape,
});
export type S3Config = z.infer<typeof s3ConfigSchema>;

/** Without keys requests go out unsigned, for public buckets; the worker's own cloud identity is never used. */
export const s3SecretSchema = z.object({
  accessKeyId: z
    .string()
    .min(1)
    .optional()
    .meta({ title: "Access key ID", examples: ["AKIA…"] }),
  secretAccessKey: z
    .string()
    .min(1)
    .optional()
    .meta({ title: "Secret access key", examples: ["…"] }),
  sessionToken: z.string().min(1).optional().meta({
    title: "Session token",
    description: "Of a temporary key, which ends after hours: for one reading by hand, not for a schedule.",
  }),
});
export type S3Secrets = z.infer<typeof s3SecretSchema>;

export const s3Facts: SourceFacts = {
  changeModel: "fingerprint",
  // A key cannot be renamed in S3: what people call a move is a new object and a deleted one.
  capabilities: { permissions: false, deletions: true, moves: false },
  differsBy: "another ETag",
};
