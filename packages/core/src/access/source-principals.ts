import type { SourceAcl } from "./acl-origins.ts";
import type { Principal } from "./acl.ts";
import type { DirectoryEntry } from "../connect/directory.ts";

// Whoever adds a database says by a query of their own which address an account has. That word must count for what this
// source brings, and for nothing that another source of the same database brought.

/** The principal as one source alone means it; our own principals mean the same everywhere. */
export function principalOfSource<Named extends Principal>(principal: Named, sourceId: string): Named {
  return principal.source === "anneal" ? principal : { ...principal, tenant: `${principal.tenant}@${sourceId}` };
}

export function aclOfSource(acl: SourceAcl, sourceId: string): SourceAcl {
  const own = <Named extends Principal>(principals: readonly Named[]) =>
    principals.map((principal) => principalOfSource(principal, sourceId));
  const closed = acl.closed?.map(({ container, to }) => ({ container, to: own(to) }));
  return { allow: own(acl.allow), deny: own(acl.deny), ...(closed === undefined ? {} : { closed }) };
}

/** Entries about our own principals are left out: no source decides who is in a workspace. */
export async function* directoryOfSource(
  entries: AsyncIterable<DirectoryEntry>,
  sourceId: string | null,
): AsyncIterable<DirectoryEntry> {
  const own = (principal: Principal) => (sourceId === null ? principal : principalOfSource(principal, sourceId));
  for await (const entry of entries) {
    if (entry.type === "failure") {
      yield entry;
      continue;
    }
    if (entry.principal.source === "anneal") continue;
    const principal = own(entry.principal);
    yield entry.type === "user" ? { ...entry, principal } : { ...entry, principal, members: entry.members.map(own) };
  }
}
