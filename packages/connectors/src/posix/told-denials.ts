import { nobody, principalKey } from "@anneal/core/access/acl";
import type { SourceAcl } from "@anneal/core/access/acl-origins";
import { rememberByRecord } from "../remember-by-record.ts";
import type { PosixAccounts } from "./accounts.ts";
import type { PosixPrincipals } from "./audience.ts";
import { hasName } from "./unnamed-ids.ts";

/**
 * Shows to nobody what refuses a group or an account that the lists do not have: who is in it is not told, and it would deny
 * nobody. So does what refuses an id that stands for whoever has no name, listed or not, and any group where a directory may
 * add members to those that the list has.
 */
export function keepToldDenials(
  { accounts, groups, areGroupsWhole }: PosixAccounts,
  principals: PosixPrincipals,
): (acl: SourceAcl) => SourceAcl {
  const users = accounts.filter(({ uid }) => hasName(uid)).map(({ uid }) => principals.user(uid));
  // Not those that only stand beside accounts as their first group: that does not tell who else is in them.
  const listed = groups.filter(({ gid }) => hasName(gid)).map(({ gid }) => principals.group(gid));
  const told = new Set([...users, ...(areGroupsWhole ? listed : [])].map(principalKey));
  const isTold = rememberByRecord((acl: SourceAcl) => acl.deny.every((refused) => told.has(principalKey(refused))));
  return (acl) => (isTold(acl) ? acl : nobody);
}
