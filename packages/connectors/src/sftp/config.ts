import { z } from "zod";
import type { SourceFacts } from "../connector.ts";
import { pathFilterShape } from "../path-filter.ts";
import { posixLack, posixPeopleRule, posixPermissionsShape, posixReadersByWord } from "../posix/config.ts";
import { privateHostsField } from "../private-hosts-field.ts";
import { rulesForAll } from "../reader-rules.ts";

export const sftpConfigSchema = z.object({
  host: z
    .string()
    .min(1)
    .regex(/^[^/@\s]+$/, "A host name or an address, without sftp:// and user")
    .meta({
      title: "Host",
      examples: ["files.example.com"],
    }),
  port: z.number().int().min(1).max(65_535).default(22).meta({ title: "Port" }),
  user: z
    .string()
    .min(1)
    .meta({ title: "User", description: "Give one that can only read.", examples: ["anneal-reader"] }),
  path: z
    .string()
    .min(1)
    .default(".")
    .meta({
      title: "Folder",
      description:
        'As the server shows it, for example /srv/documents. "." is the folder that the user starts in. Files and folders whose names begin with a dot are left out.',
      examples: ["/srv/documents"],
    }),
  hostKeys: z
    .array(z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, "must look like SHA256:… with 43 characters after the colon"))
    .default([])
    .meta({
      title: "Host key fingerprints",
      description:
        "What `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints on the server. Left empty, a check shows what the server presents and goes no further. A server with another key is refused.",
    }),
  ...posixPermissionsShape(
    "SFTP shows modes alone, and on a file with an access list (setfacl) the group's rights read as its mask, and whom the list refuses does not show. So nobody sees any of the documents, unless “There are none” is chosen: then you say that no file has one, nor any folder on the way to it (on the server, `getfacl -R -s -p /srv/documents` prints nothing); then owner, group and rights decide.",
  ),
  allowPrivateHosts: privateHostsField("File servers usually stand in one's own network.", true),
  ...pathFilterShape,
});
export type SftpConfig = z.infer<typeof sftpConfigSchema>;

/** One of the two is needed; with both, the key is tried first. */
export const sftpSecretSchema = z.object({
  password: z.string().min(1).optional().meta({ title: "Password" }),
  privateKey: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: "Private key",
      description: "OpenSSH or PEM, as in a file.",
      examples: ["-----BEGIN OPENSSH PRIVATE KEY-----\n…"],
    }),
  passphrase: z.string().min(1).optional().meta({ title: "Passphrase of the private key" }),
});
export type SftpSecrets = z.infer<typeof sftpSecretSchema>;

export const sftpFacts: SourceFacts = {
  changeModel: "fingerprint",
  // Size and time are no identity: two files that agree in both need not be one that was moved.
  capabilities: { permissions: true, deletions: true, moves: false },
  differsBy: "another time or size",
  readerRules: ({ permissions }: SftpConfig) => rulesForAll(permissions === "off" ? null : permissions),
  readersByWord: posixReadersByWord,
  peopleRule: posixPeopleRule,
  findLack: posixLack,
};
