import { nobody, type Acl, type Principal } from "@anneal/core/access/acl";
import type { SourceAcl, SourceGrant } from "@anneal/core/access/acl-origins";
import { inheritedFrom, nothingAbove, type GivenAbove } from "./given-above.ts";
import {
  concernsReading,
  parseSecurityDescriptor,
  type AccessEntry,
  type SecurityDescriptor,
} from "./security-descriptor.ts";

export const wellKnown = {
  everyone: "S-1-1-0",
  authenticatedUsers: "S-1-5-11",
  /** Whoever comes over the network: all who read a share. */
  network: "S-1-5-2",
} as const;

/** Whoever reads a share is all of these. */
export const everybodySids: ReadonlySet<string> = new Set(Object.values(wellKnown));

/** An entry for this SID is about whoever owns the file. */
const ownerRights = "S-1-3-4";

export function admitsEverybody({ allow, deny }: Acl): boolean {
  return deny.length === 0 && allow.some(({ id }) => everybodySids.has(id));
}

/** How a list is read. */
export type AclReading = {
  /** What the file's folder hands down. */
  above?: GivenAbove;
  /** Which rights count; left out, those to read. */
  concerns?: (mask: number) => boolean;
  /**
   * Samba may have made the list from POSIX rights. Those of the class that somebody is in decide, also where others have
   * more: who is allowed something, and not this, is refused although everybody is allowed it.
   */
  byClass?: boolean;
};

/** @returns nobody for a descriptor that cannot be read */
export function aclOfDescriptor(
  bytes: Uint8Array,
  principalOf: (sid: string) => Principal,
  reading: AclReading = {},
): SourceAcl {
  try {
    return ntfsAcl(parseSecurityDescriptor(bytes), principalOf, reading);
  } catch (error) {
    if (error instanceof RangeError) return nobody;
    throw error;
  }
}

/**
 * Who has the rights, as [MS-DTYP] 2.5.3.2 walks the list: in order, the first entry for a SID decides for it. What
 * the order decides between two SIDs has no form in an ACL of ours, where a denial always wins: somebody whom an
 * explicit entry admits in spite of an inherited denial of their group is not admitted here.
 */
export function ntfsAcl(
  { owner, entries }: SecurityDescriptor,
  principalOf: (sid: string) => Principal,
  { above = nothingAbove, concerns = concernsReading, byClass = false }: AclReading,
): SourceAcl {
  if (entries === null) return nobody;
  const decided = new Map<string, AccessEntry>();
  const lacking = new Set<string>();
  for (const entry of entries) {
    if (entry.inheritOnly) continue;
    if (!concerns(entry.mask)) {
      if (byClass && entry.effect === "allow" && entry.sid !== ownerRights) lacking.add(entry.sid);
      continue;
    }
    // A condition that is not evaluated may deny, and never allows.
    if (entry.conditional && entry.effect === "allow") continue;
    const whose = entry.sid === ownerRights ? owner : entry.sid;
    if (whose === null) {
      // An owner who is not told may be anybody.
      if (entry.effect === "deny") return nobody;
    } else if (!decided.has(whose)) decided.set(whose, entry);
  }
  const grantsOf = (effect: AccessEntry["effect"]) =>
    [...decided].flatMap(([sid, by]): SourceGrant[] => {
      if (by.effect !== effect) return [];
      const from = inheritedFrom(by, owner, above);
      return [{ ...principalOf(sid), ...(from === undefined ? {} : { inheritedFrom: from }) }];
    });
  const allow = grantsOf("allow");
  if (allow.length === 0) return nobody;
  const refused = allow.some(({ id }) => everybodySids.has(id))
    ? [...lacking].filter((sid) => !decided.has(sid) && !everybodySids.has(sid))
    : [];
  return { allow, deny: [...grantsOf("deny"), ...refused.map(principalOf)] };
}
