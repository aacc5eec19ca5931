import type { FieldCondition } from "@anneal/core/connect/asked-field";
import { z } from "zod";
import { choice } from "../choice.ts";
import type { SettingLack } from "../connector.ts";

const permissions = choice({ off: "Not read", posix: "Owner, group and rights of each file" });
const hiddenAccessLists = choice({ possible: "There may be some", none: "There are none" });
const readsPermissions: FieldCondition = { permissions: ["posix"] };

/**
 * Shared by the kinds whose files have POSIX owners and rights.
 * @param hiddenLists which access lists this kind cannot see, and what either choice makes of that
 */
export function posixPermissionsShape(hiddenLists: string) {
  return {
    permissions: permissions.default("off").meta({
      title: "File permissions",
      description:
        "Where they are not read, everyone in the source's default audience reads every document. Otherwise only those do whom owner, group and rights of a file and of the folders above it admit.",
    }),
    hiddenAccessLists: hiddenAccessLists.default("possible").meta({
      title: "Access lists that do not show",
      description: hiddenLists,
      when: readsPermissions,
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
        when: readsPermissions,
      }),
    firstPersonId: z.number().int().min(1).default(1000).meta({
      title: "First id of a person",
      description:
        "Accounts with a lower id are the system's (root, mail, backup): they are no person's, and what only they may read nobody sees. 1000 is what most systems give to their first person; UID_MIN in /etc/login.defs there says it.",
      when: readsPermissions,
    }),
    passwdPath: z
      .string()
      .startsWith("/", "must be an absolute path, for example /etc/passwd")
      .default("/etc/passwd")
      .meta({
        title: "List of accounts",
        description:
          "Names the accounts that own the files, in the form of /etc/passwd. It is read where the files are.",
        when: readsPermissions,
      }),
    groupPath: z
      .string()
      .startsWith("/", "must be an absolute path, for example /etc/group")
      .default("/etc/group")
      .meta({
        title: "List of groups",
        description:
          "Says who is in the groups of the files, in the form of /etc/group. It is read where the files are. Where groups or their members come from a network directory (LDAP, NIS), name a copy that has them. Nobody sees a file whose rights refuse a group that it does not list, or an account that the list of accounts does not; nor one whose rights refuse any group of /etc/group, unless /etc/nsswitch.conf there says that groups are of files alone.",
        when: readsPermissions,
      }),
  };
}

/** As `SourceFacts.findLack`. */
export const posixLack = ({ permissions, userEmailDomain }: PosixPermissionsConfig): SettingLack | null =>
  permissions === "off" || userEmailDomain !== null
    ? null
    : {
        field: "userEmailDomain",
        message: "Without it no account is a person, and nobody would see a document.",
      };

/** As `SourceFacts.readersByWord`. */
export const posixReadersByWord = ({ permissions, hiddenAccessLists: lists }: PosixPermissionsConfig): boolean =>
  permissions === "posix" && lists === "none";

/** As `SourceFacts.peopleRule`. */
export const posixPeopleRule = ({ userEmailDomain, firstPersonId, passwdPath, groupPath }: PosixPermissionsConfig) => [
  userEmailDomain,
  firstPersonId,
  passwdPath,
  groupPath,
];

export type PosixPermissionsConfig = {
  permissions: z.infer<typeof permissions>;
  hiddenAccessLists: z.infer<typeof hiddenAccessLists>;
  userEmailDomain: string | null;
  firstPersonId: number;
  passwdPath: string;
  groupPath: string;
};
