import type { Principal } from "@anneal/core/access/acl";
import type { DirectoryEntry } from "@anneal/core/connect/directory";

/** PostgreSQL holds no null character, and of a pair that UTF-16 writes one character with no half. */
function isStorable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

const isStorablePrincipal = ({ source, tenant, id }: Principal) => [source, tenant, id].every(isStorable);

/**
 * What of an entry the database can hold. A principal that it cannot is left out and never written another way, in which
 * it might be somebody else: nobody is that account then, or in that group. A name tells people apart for nobody and is
 * only shown, so it is written as far as it goes.
 * @returns null where the account or the group itself cannot be held
 */
export function storableEntry<Entry extends Exclude<DirectoryEntry, { type: "failure" }>>(entry: Entry): Entry | null {
  if (!isStorablePrincipal(entry.principal)) return null;
  const name = entry.name.replaceAll("\0", "\ufffd").toWellFormed();
  return entry.type === "user"
    ? { ...entry, name, emails: entry.emails.filter(isStorable) }
    : { ...entry, name, members: entry.members.filter(isStorablePrincipal) };
}
