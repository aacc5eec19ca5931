import { z } from "zod";
import type { SourceFacts } from "../connector.ts";
import { pathFilterShape } from "../path-filter.ts";
import { posixLack, posixPeopleRule, posixPermissionsShape, posixReadersByWord } from "../posix/config.ts";
import { rulesForAll } from "../reader-rules.ts";

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
    "On this machine's disks access lists are read with getfacl, which has to be installed. Of a mount (NFSv4, FUSE) it shows modes alone, and on a file with an access list the group's rights read as its mask. So nobody sees what lies on a mount, unless “There are none” is chosen: then you say that no file and no folder there has an access list which getfacl does not show here, as where its server makes none; then owner, group and rights decide. What is mounted over SMB nobody sees either way: add the share as a source of kind SMB.",
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
  readerRules: ({ permissions }: FileConfig) => rulesForAll(permissions === "off" ? null : permissions),
  readersByWord: posixReadersByWord,
  peopleRule: posixPeopleRule,
  findLack: posixLack,
};
