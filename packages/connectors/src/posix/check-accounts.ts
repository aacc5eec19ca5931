import { aclFingerprint, principalKey, type Acl } from "@anneal/core/access/acl";
import type { CapabilityCheck } from "@anneal/core/connect/capability-check";
import { isPerson, nameServicesPath, posixDirectory, type PosixAccounts } from "./accounts.ts";
import type { PosixPrincipals } from "./audience.ts";
import type { PosixPermissionsConfig } from "./config.ts";

/**
 * What the lists that name people and groups make of a source's permissions.
 * @param acls of the first files
 */
export function checkAccounts(
  accounts: PosixAccounts,
  config: PosixPermissionsConfig,
  principals: PosixPrincipals,
  acls: readonly Acl[],
): CapabilityCheck {
  const capability = "permissions";
  const { passwdPath, groupPath, userEmailDomain, firstPersonId } = config;
  const uids = new Set(accounts.accounts.map(({ uid }) => uid));
  const people = [...uids].filter((uid) => isPerson(uid, config)).length;
  const groups = countOf(accounts.groups.length, "group");
  const count = `"${passwdPath}" lists ${wordAccounts(accounts.accounts.length, people)}, and "${groupPath}" ${groups}`;
  if (people === 0) {
    return {
      capability,
      status: "warning",
      message: `${count}. Ids below ${firstPersonId} are the system's own accounts and admit nobody, so nobody would see a document.`,
      action:
        "Name lists that have your people's accounts: where these come from a network directory, a copy as `getent passwd` prints it. If people's ids begin lower there (UID_MIN in /etc/login.defs), enter that as “First id of a person”.",
    };
  }
  if (userEmailDomain === null) {
    const lack = "no e-mail domain is entered that says who they are here: nobody would see a document";
    return { capability, status: "warning", message: `${count}, but ${lack}.` };
  }
  const admitsPeople = createAdmitsPeople(accounts, config, principals);
  const total = acls.length;
  const closed = acls.filter((acl) => !admitsPeople(acl)).length;
  if (total > 0 && closed === total) {
    return {
      capability,
      status: "warning",
      message: `${count}. ${total === 1 ? "The first file is not" : `None of the first ${total} files is`} for any of these people: owners, groups and rights admit only the system's own accounts (ids below ${firstPersonId}), or nobody.`,
      action:
        "Give people, or a group that they are in, the right to read the files and to pass through every folder above them; or name lists that have the owners and groups of these files.",
    };
  }
  const untold = "Accounts and groups of a network directory are not among them: they are let in nowhere";
  const refused = accounts.areGroupsWhole
    ? ", and nobody sees a file whose rights refuse one of them."
    : `. Nor are members that it may add to these groups (${nameServicesPath} does not say that groups are of files alone): nobody sees a file whose rights refuse a group, until a copy of the list that has all members is named.`;
  const some =
    closed === 0
      ? ""
      : ` ${closed} of the first ${total} files ${closed === 1 ? "is" : "are"} for none of these people.`;
  return { capability, status: "ok", message: `${count}. ${untold}${refused}${some}` };
}

function countOf(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

function wordAccounts(count: number, people: number): string {
  if (count === 1) return `1 account, which is ${people === 1 ? "a person's" : "no person's"}`;
  const which =
    people === 0 ? "none of which is a person" : `${people} of which ${people === 1 ? "is a person" : "are people"}`;
  return `${count} accounts, ${which}`;
}

/** Whether one of the people at least may read what has an ACL. */
function createAdmitsPeople(
  accounts: PosixAccounts,
  config: PosixPermissionsConfig,
  principals: PosixPrincipals,
): (acl: Acl) => boolean {
  const entries = [...posixDirectory(accounts, principals, config)];
  const people = new Set(
    entries.flatMap((entry) =>
      entry.type === "user" && entry.emails.length > 0 ? [principalKey(entry.principal)] : [],
    ),
  );
  const members = new Map<string, string[]>([...people].map((key) => [key, [key]]));
  for (const entry of entries) {
    if (entry.type !== "group") continue;
    const keys = entry.members.map(principalKey).filter((key) => people.has(key));
    members.set(principalKey(entry.principal), keys);
  }
  const membersOf = (list: Acl["allow"]) => list.flatMap((principal) => members.get(principalKey(principal)) ?? []);
  // Many files have the same readers.
  const known = new Map<string, boolean>();
  return (acl) => {
    const key = aclFingerprint(acl);
    const before = known.get(key);
    if (before !== undefined) return before;
    const denied = new Set(membersOf(acl.deny));
    const admits = membersOf(acl.allow).some((person) => !denied.has(person));
    known.set(key, admits);
    return admits;
  };
}
