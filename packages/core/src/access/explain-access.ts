import type { Membership } from "../connect/directory.ts";
import type { AclOrigins } from "./acl-origins.ts";
import { principalKey, type Acl, type Principal } from "./acl.ts";

export type AccessExplanation = {
  readable: boolean;
  /** The principal of the ACL that decides, or that would but for `closedBy`; null where none admits. */
  by: Principal | null;
  /** From that principal to the person: a group, the group in it, the account. Empty for a principal of the portal's own. */
  path: string[];
  /** The container that the document has it from; null for what is given on the document itself. */
  inheritedFrom: string | null;
  /** The container that does not let the person through to what the document's own permissions let them read. */
  closedBy: string | null;
};

/**
 * Why somebody may read, or may not: the denial that counts, else what admits, else the innermost container that keeps out
 * what would, for those further out let them through by something else. Else nothing.
 * @param own principals that the portal itself gives
 * @param memberships what the person holds in the sources, each with the step that leads there
 * @param origins where what the ACL says comes from
 */
export function explainAccess(
  acl: Acl,
  own: readonly Principal[],
  memberships: readonly Membership[],
  origins: AclOrigins | null,
): AccessExplanation {
  const ownKeys = new Set(own.map(principalKey));
  const byKey = new Map(memberships.map((membership) => [principalKey(membership.group), membership]));
  const held = (principal: Principal) => ownKeys.has(principalKey(principal)) || byKey.has(principalKey(principal));
  const denial = acl.deny.find(held);
  const by = denial ?? acl.allow.find(held) ?? null;
  if (by === null) {
    const closing = origins?.closed?.findLast(({ to }) => to.some(held));
    const wouldAdmit = closing?.to.find(held) ?? null;
    const path = wouldAdmit === null ? [] : pathTo(principalKey(wouldAdmit), byKey);
    return { readable: false, by: wouldAdmit, path, inheritedFrom: null, closedBy: closing?.container ?? null };
  }
  const key = principalKey(by);
  const inheritedFrom = origins?.[denial === undefined ? "allow" : "deny"][key] ?? null;
  return { readable: denial === undefined, by, path: pathTo(key, byKey), inheritedFrom, closedBy: null };
}

/** All that an explanation can be about: who holds none of these is told the same whatever else they hold. */
export function explainingPrincipals(acl: Acl, origins: AclOrigins | null): Principal[] {
  return [...acl.allow, ...acl.deny, ...(origins?.closed ?? []).flatMap(({ to }) => to)];
}

function pathTo(key: string, byKey: ReadonlyMap<string, Membership>): string[] {
  const path: string[] = [];
  const passed = new Set<string>();
  for (let at: string | null = key; at !== null && !passed.has(at); at = byKey.get(at)?.throughKey ?? null) {
    passed.add(at);
    const membership = byKey.get(at);
    if (membership) path.push(membership.name);
  }
  return path;
}
