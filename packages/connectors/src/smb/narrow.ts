import { aclFingerprint, nobody, type Acl, type Principal } from "@anneal/core/access/acl";
import type { SourceAcl, SourceGrant } from "@anneal/core/access/acl-origins";
import type { SmbAccounts } from "./accounts.ts";
import { everybodySids } from "./ntfs-acl.ts";

/**
 * Narrows lists to those whom another one admits too: that of the share, or of a folder above. "In this group and in that
 * one" has no form in an ACL, so a group stays where all its members are admitted, gives way to the other list where that
 * admits fewer, and else to those of its members who are admitted, as they are known now. A group whose members nobody
 * knows is left out, unless the other list names it too.
 */
export function createNarrowing(
  accounts: SmbAccounts,
  principalOf: (sid: string) => Principal,
): (level: Acl) => (acl: SourceAcl) => SourceAcl {
  const membersOf = createMembersOf(accounts);
  const narrowings = new Map<string, (acl: SourceAcl) => SourceAcl>();
  return (level) => {
    // Folders that have the same list are many.
    const key = aclFingerprint(level);
    const narrow = narrowings.get(key) ?? narrowTo(level, membersOf, principalOf);
    narrowings.set(key, narrow);
    return narrow;
  };
}

function narrowTo(
  level: Acl,
  membersOf: (sid: string) => ReadonlySet<string>,
  principalOf: (sid: string) => Principal,
) {
  const usersOf = (principals: Principal[]) => new Set(principals.flatMap(({ id }) => [...membersOf(id)]));
  const denied = usersOf(level.deny);
  const admitted = new Set([...usersOf(level.allow)].filter((person) => !denied.has(person)));
  const named = new Set(level.allow.map(({ id }) => id));
  const isOpen = [...everybodySids].some((sid) => named.has(sid));
  const replacements = new Map<string, Principal[]>();
  const replacementOf = (principal: Principal): Principal[] => {
    // The denials go along.
    if (isOpen || named.has(principal.id)) return [principal];
    const members = membersOf(principal.id);
    const inBoth = [...members].filter((person) => admitted.has(person));
    if (inBoth.length === 0) return [];
    if (inBoth.length === members.size) return [principal];
    return inBoth.length === admitted.size ? level.allow : inBoth.map(principalOf);
  };
  return (acl: SourceAcl): SourceAcl => {
    const allow = acl.allow.flatMap(({ inheritedFrom, ...principal }) => {
      const replacement = replacements.get(principal.id) ?? replacementOf(principal);
      replacements.set(principal.id, replacement);
      return inheritedFrom === undefined ? replacement : replacement.map((each) => ({ ...each, inheritedFrom }));
    });
    return allow.length === 0
      ? nobody
      : { allow: withoutTwins(allow), deny: withoutTwins([...acl.deny, ...level.deny]) };
  };
}

function withoutTwins(grants: readonly SourceGrant[]): SourceGrant[] {
  return [...new Map(grants.map((grant) => [`${grant.id} ${grant.inheritedFrom ?? ""}`, grant])).values()];
}

/** The people whom a SID stands for, through groups in groups. */
function createMembersOf({ users, groups }: SmbAccounts): (sid: string) => ReadonlySet<string> {
  const people = new Set(users.map(({ sid }) => sid));
  const direct = Map.groupBy(groups, ({ sid }) => sid);
  const found = new Map<string, ReadonlySet<string>>();
  return (sid) => {
    const before = found.get(sid);
    if (before !== undefined) return before;
    const members = everybodySids.has(sid) ? people : reach(sid);
    found.set(sid, members);
    return members;
  };

  function reach(start: string): ReadonlySet<string> {
    const members = new Set<string>();
    const seen = new Set<string>();
    const open = [start];
    for (let sid = open.pop(); sid !== undefined; sid = open.pop()) {
      if (seen.has(sid)) continue;
      seen.add(sid);
      if (people.has(sid)) members.add(sid);
      if (everybodySids.has(sid)) for (const person of people) members.add(person);
      for (const group of direct.get(sid) ?? []) for (const member of group.members) open.push(member);
    }
    return members;
  }
}
