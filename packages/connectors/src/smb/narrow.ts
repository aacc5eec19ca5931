import { aclFingerprint, nobody, type Acl, type Principal } from "@anneal/core/access/acl";
import type { Closing, SourceAcl, SourceGrant } from "@anneal/core/access/acl-origins";
import type { SmbAccounts } from "./accounts.ts";
import { everybodySids } from "./ntfs-acl.ts";

/** One more list that somebody must be admitted by, and what has it: the share, or a folder above, as people know it. */
export type Level = { container: string; acl: Acl };

/**
 * Narrows lists to those whom another one admits too: that of the share, or of a folder above. "In this group and in that
 * one" has no form in an ACL, so a group stays where all its members are admitted, gives way to the other list where that
 * admits fewer, and else to those of its members who are admitted, as they are known now. A group whose members nobody
 * knows is left out, unless the other list names it too. What gave way is told with whatever closed the document to it.
 */
export function createNarrowing(
  accounts: SmbAccounts,
  principalOf: (sid: string) => Principal,
): (level: Level) => (acl: SourceAcl) => SourceAcl {
  const membersOf = createMembersOf(accounts);
  const replacements = new Map<string, (principal: Principal) => Replacement>();
  return ({ container, acl: level }) => {
    // Folders that have the same list are many.
    const key = aclFingerprint(level);
    const replace = replacements.get(key) ?? createReplacing(level, membersOf, principalOf);
    replacements.set(key, replace);
    const deny = level.deny.map((principal) => ({ ...principal, inheritedFrom: container }));
    return (acl) => {
      const gaveWay: Principal[] = [];
      let isLevelTold = false;
      const allow = acl.allow.flatMap(({ inheritedFrom, ...principal }): SourceGrant[] => {
        const { by, isOfLevel, isKept } = replace(principal);
        if (!isKept) gaveWay.push(principal);
        // Each of them would bring the whole list again.
        if (isOfLevel && isLevelTold) return [];
        isLevelTold ||= isOfLevel;
        const origin = isOfLevel ? container : inheritedFrom;
        return origin === undefined ? by : by.map((each) => ({ ...each, inheritedFrom: origin }));
      });
      const closed = [...(acl.closed ?? []), ...closingOf(container, gaveWay)];
      const narrowed =
        allow.length === 0 ? nobody : { allow: withoutTwins(allow), deny: withoutTwins([...acl.deny, ...deny]) };
      return closed.length === 0 ? narrowed : { ...narrowed, closed };
    };
  };
}

/** What stands in the place of a principal; `isOfLevel`: those of the other list instead. */
type Replacement = { by: Principal[]; isOfLevel: boolean; isKept: boolean };

function createReplacing(
  level: Acl,
  membersOf: (sid: string) => ReadonlySet<string>,
  principalOf: (sid: string) => Principal,
): (principal: Principal) => Replacement {
  const usersOf = (principals: Principal[]) => new Set(principals.flatMap(({ id }) => [...membersOf(id)]));
  const denied = usersOf(level.deny);
  const admitted = new Set([...usersOf(level.allow)].filter((person) => !denied.has(person)));
  const named = new Set(level.allow.map(({ id }) => id));
  const isOpen = [...everybodySids].some((sid) => named.has(sid));
  const known = new Map<string, Replacement>();
  return (principal) => {
    const replacement = known.get(principal.id) ?? replacementOf(principal);
    known.set(principal.id, replacement);
    return replacement;
  };

  function replacementOf(principal: Principal): Replacement {
    const kept = { by: [principal], isOfLevel: false, isKept: true };
    // The denials go along.
    if (isOpen || named.has(principal.id)) return kept;
    const members = membersOf(principal.id);
    const inBoth = [...members].filter((person) => admitted.has(person));
    if (inBoth.length > 0 && inBoth.length === members.size) return kept;
    const isOfLevel = inBoth.length > 0 && inBoth.length === admitted.size;
    return { by: isOfLevel ? level.allow : inBoth.map(principalOf), isOfLevel, isKept: false };
  }
}

function closingOf(container: string, gaveWay: readonly Principal[]): Closing[] {
  if (gaveWay.length === 0) return [];
  // All others are among everybody.
  const everybody = gaveWay.filter(({ id }) => everybodySids.has(id));
  return [{ container, to: everybody.length > 0 ? everybody : [...gaveWay] }];
}

/** What the document itself names stays without an origin; of several the first is told. */
function withoutTwins(grants: readonly SourceGrant[]): SourceGrant[] {
  const byId = new Map<string, SourceGrant>();
  for (const grant of grants) {
    if (!byId.has(grant.id) || grant.inheritedFrom === undefined) byId.set(grant.id, grant);
  }
  return [...byId.values()];
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
