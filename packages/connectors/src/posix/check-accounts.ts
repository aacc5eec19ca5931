import type { CapabilityCheck } from "@anneal/core/connect/capability-check";
import { nameServicesPath, type PosixAccounts } from "./accounts.ts";
import type { PosixPermissionsConfig } from "./config.ts";

/** What the lists that name people and groups make of a source's permissions. */
export function checkAccounts(
  { accounts, groups, areGroupsWhole }: PosixAccounts,
  { passwdPath, groupPath, userEmailDomain }: PosixPermissionsConfig,
): CapabilityCheck {
  const capability = "permissions";
  const count = `"${passwdPath}" lists ${accounts.length} accounts and "${groupPath}" ${groups.length} groups`;
  if (userEmailDomain === null) {
    const lack = "no e-mail domain is entered that makes them people: nobody would see a document";
    return { capability, status: "warning", message: `${count}, but ${lack}.` };
  }
  const untold = "Accounts and groups of a network directory are not among them: they are let in nowhere";
  const refused = areGroupsWhole
    ? ", and nobody sees a file whose rights refuse one of them."
    : `. Nor are members that it may add to these groups (${nameServicesPath} does not say that groups are of files alone): nobody sees a file whose rights refuse a group, until a copy of the list that has all members is named.`;
  return { capability, status: "ok", message: `${count}. ${untold}${refused}` };
}
