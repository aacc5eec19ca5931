import { z } from "zod";
import type { SourceFacts } from "../connector.ts";
import { pathFilterShape } from "../path-filter.ts";
import { privateHostsField } from "../private-hosts-field.ts";

/** The address is stored in clear, and people paste whole SAS addresses into it. */
const withoutSecrets = (address: string) => {
  const { search, username, password } = new URL(address);
  return search === "" && username === "" && password === "";
};

export const azureBlobConfigSchema = z.object({
  accountUrl: z
    .url({ protocol: /^https?$/ })
    .refine(withoutSecrets, "Leave out what follows the question mark, and enter it as the SAS token")
    .nullable()
    .default(null)
    .meta({
      title: "Account address",
      description: "https://account.blob.core.windows.net. Leave it empty when a connection string is entered.",
      examples: ["https://account.blob.core.windows.net"],
    }),
  container: z
    .string()
    .min(1)
    .regex(/^[^/?#]+$/, "A container's name")
    .meta({ title: "Container", examples: ["papers"] }),
  prefix: z.string().default("").meta({ title: "Prefix", description: "Only blobs that begin with this are read." }),
  accountName: z.string().min(1).nullable().default(null).meta({
    title: "Account name",
    description: "Goes with an account key; only needed where the address does not begin with it.",
  }),
  allowPrivateHosts: privateHostsField("For private endpoints and storage of one's own."),
  ...pathFilterShape,
});
export type AzureBlobConfig = z.infer<typeof azureBlobConfigSchema>;

/**
 * One of the three, or none for a container with public access; the worker's own cloud identity is never used. A
 * token that can only read and list is all that is needed: `sp=rl`, and `sr=c` or `srt=co`.
 */
export const azureBlobSecretSchema = z.object({
  sasToken: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: "SAS token",
      description: "With the permissions read and list (rl) on the container.",
      examples: ["sp=rl&sr=c&sig=…"],
    }),
  accountKey: z.string().min(1).optional().meta({
    title: "Account key",
    description: "Opens the whole account; a SAS token is safer.",
  }),
  connectionString: z.string().min(1).optional().meta({
    title: "Connection string",
    description: "Names the account and its key or SAS token at once.",
  }),
});
export type AzureBlobSecrets = z.infer<typeof azureBlobSecretSchema>;

export const azureBlobFacts: SourceFacts = {
  changeModel: "fingerprint",
  // A blob cannot be renamed: what people call a move is a copy and a deletion.
  capabilities: { permissions: false, deletions: true, moves: false },
  differsBy: "another ETag",
};
