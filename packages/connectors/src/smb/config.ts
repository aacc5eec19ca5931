import { z } from "zod";
import { choice } from "../choice.ts";
import type { SourceFacts } from "../connector.ts";
import { pathFilterShape } from "../path-filter.ts";
import { privateHostsField } from "../private-hosts-field.ts";
import { rulesForAll } from "../reader-rules.ts";

const sid = z.string().regex(/^S-1(-\d+)+$/, "A security identifier such as S-1-5-21-…-1104");

export const smbConfigSchema = z.object({
  host: z
    .string()
    .min(1)
    .regex(/^[^/\\@\s]+$/, "A host name or an address, without smb:// and share")
    .meta({
      title: "Host",
      examples: ["files.example.com"],
    }),
  port: z.number().int().min(1).max(65_535).default(445).meta({ title: "Port" }),
  share: z
    .string()
    .min(1)
    .regex(/^[^/\\]+$/, "Only the share's name")
    .meta({ title: "Share", examples: ["Departments"] }),
  path: z.string().default("").meta({
    title: "Folder",
    description:
      "A folder in the share, for example Departments/Finance. Empty: the whole share. Files and folders that are hidden or the system's, links, and names that begin with a dot are left out.",
  }),
  user: z
    .string()
    .min(1)
    .meta({
      title: "User",
      description: "DOMAIN\\name, name@domain, or a local name. Give one that can only read, and may read permissions.",
      examples: ["EXAMPLE\\anneal-reader"],
    }),
  encryption: z.boolean().default(true).meta({
    title: "Require encryption",
    description: "SMB 3. Off: what is read is signed, and crosses the network in clear unless the server encrypts.",
  }),
  permissions: choice({ ntfs: "Access lists (NTFS)", off: "Not read" }).default("ntfs").meta({
    title: "File permissions",
    description:
      "By access lists a document is for those alone whom its file's and the share's own admit. Where they are not read, everyone in the source's default audience reads every document.",
  }),
  traverse: choice({ checked: "Counted", bypassed: "Everybody passes" }).default("checked").meta({
    title: "Rights of folders",
    description:
      "Where they are counted, whoever reads a document must also be let through each folder above it (“Traverse folder”, execute), as Samba over POSIX rights demands. Where the server lets everybody pass, a file's own list alone counts. Windows does that by default (the policy “Bypass traverse checking”), and so does Samba with “ignore system acls”.",
  }),
  shareAdmitsEverybody: z.boolean().default(false).meta({
    title: "The share admits everybody",
    description:
      "Its own permissions (“Share Permissions”) name Everyone, and on Samba neither “valid users” nor “hosts allow” limits it. They are not asked for then.",
  }),
  shareAdmits: z.array(sid).default([]).meta({
    title: "Whom the share admits",
    description:
      "SIDs of accounts and groups, where “valid users” of Samba limits the share, which no server tells: nobody else sees its documents. Empty: what the share's own permissions say.",
  }),
  userEmailDomain: z
    .string()
    .regex(/^[^\s@]+\.[^\s@]+$/, "A domain such as example.com")
    .nullable()
    .default(null)
    .meta({
      title: "E-mail domain of the accounts",
      description:
        "The account ann is the person ann@domain. Only where accounts and mailboxes are given out by the same people.",
    }),
  readAccounts: z.boolean().default(true).meta({
    title: "Read accounts and groups",
    description:
      "Over the SAMR protocol. Windows lets administrators do that, and whom the policy “Restrict clients allowed to make remote calls to SAM” names.",
  }),
  accountsHost: z
    .string()
    .regex(/^[^/\\@\s]+$/, "A host name or an address")
    .nullable()
    .default(null)
    .meta({
      title: "Domain controller",
      description:
        "Where the accounts and groups of a domain are read, besides the file server's own. It is signed in to with the same user.",
    }),
  people: z
    .array(z.object({ sid: sid.meta({ title: "SID" }), name: z.string().min(1).meta({ title: "Account name" }) }))
    .default([])
    .meta({ title: "People", description: "Accounts that cannot be read from the server." }),
  groups: z
    .array(
      z.object({
        sid: sid.meta({ title: "SID" }),
        name: z.string().min(1).meta({ title: "Group name" }),
        members: z.array(sid).meta({ title: "Members' SIDs", description: "People or groups." }),
      }),
    )
    .default([])
    .meta({ title: "Groups", description: "Groups that cannot be read from the server." }),
  allowPrivateHosts: privateHostsField("File servers usually stand in one's own network.", true),
  ...pathFilterShape,
});
export type SmbConfig = z.infer<typeof smbConfigSchema>;

export const smbSecretSchema = z.object({
  password: z
    .string()
    .min(1)
    .optional()
    .meta({ title: "Password", examples: ["…"] }),
});
export type SmbSecrets = z.infer<typeof smbSecretSchema>;

export const smbFacts: SourceFacts = {
  changeModel: "fingerprint",
  capabilities: { permissions: true, deletions: true, moves: true },
  differsBy: "another time or size",
  readerRules: ({ permissions }: SmbConfig) => rulesForAll(permissions === "off" ? null : permissions),
  peopleRule: ({ userEmailDomain, readAccounts, people, groups }: SmbConfig) => [
    userEmailDomain,
    readAccounts,
    people,
    groups,
  ],
};
