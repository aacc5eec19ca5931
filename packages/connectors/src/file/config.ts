import { z } from "zod";
import type { SourceFacts } from "../connector.ts";
import { pathFilterShape } from "../path-filter.ts";
import { posixPermissionsShape } from "../posix/config.ts";

export const fileConfigSchema = z.object({
  path: z
    .string()
    .min(1)
    .startsWith("/", "must be an absolute path, for example /srv/documents")
    .meta({
      title: "Folder",
      description:
        "An absolute path on the machine that runs the worker, mounts included. Files and folders whose names begin with a dot are left out.",
      examples: ["/srv/documents"],
    }),
  ...posixPermissionsShape(
    "Access lists are read with getfacl, which has to be installed. Access lists of NFSv4 and of SMB mounts do not show: leave this off for those.",
  ),
  ...pathFilterShape,
});
export type FileConfig = z.infer<typeof fileConfigSchema>;

export const fileSecretSchema = z.object({});
export type FileSecrets = z.infer<typeof fileSecretSchema>;

export const fileFacts: SourceFacts = {
  changeModel: "fingerprint",
  capabilities: { permissions: true, deletions: true, moves: true },
  differsBy: "another time or size",
  bringsReaders: ({ permissions }: FileConfig) => permissions !== "off",
};
