import { nobody, type Acl, type Principal } from "@anneal/core/access/acl";
import { parseSecurityDescriptor, type AccessEntry, type SecurityDescriptor } from "./security-descriptor.ts";

export const wellKnown = {
  everyone: "S-1-1-0",
  authenticatedUsers: "S-1-5-11",
  /** Whoever comes over the network: all who read a share. */
  network: "S-1-5-2",
} as const;

/** An entry for this SID is about whoever owns the file. */
const ownerRights = "S-1-3-4";

const readData = 0x0000_0001;
const genericAll = 0x1000_0000;
const genericRead = 0x8000_0000;

/** @returns nobody for a descriptor that cannot be read */
export function aclOfDescriptor(bytes: Uint8Array, principalOf: (sid: string) => Principal): Acl {
  try {
    return ntfsAcl(parseSecurityDescriptor(bytes), principalOf);
  } catch (error) {
    if (error instanceof RangeError) return nobody;
    throw error;
  }
}

/**
 * Who may read the data, as [MS-DTYP] 2.5.3.2 walks the list: in order, the first entry for a SID decides for it. What
 * the order decides between two SIDs has no form in an ACL of ours, where a denial always wins: somebody whom an
 * explicit entry admits in spite of an inherited denial of their group is not admitted here.
 */
export function ntfsAcl({ owner, entries }: SecurityDescriptor, principalOf: (sid: string) => Principal): Acl {
  if (entries === null) return nobody;
  const decided = new Map<string, AccessEntry["effect"]>();
  for (const { effect, mask, sid, inheritOnly, conditional } of entries) {
    if (inheritOnly || !concernsReading(mask)) continue;
    // A condition that is not evaluated may deny, and never allows.
    if (conditional && effect === "allow") continue;
    const whose = sid === ownerRights ? owner : sid;
    if (whose !== null && !decided.has(whose)) decided.set(whose, effect);
  }
  const sidsOf = (effect: AccessEntry["effect"]) => [...decided].flatMap(([sid, of]) => (of === effect ? [sid] : []));
  const allow = sidsOf("allow").map(principalOf);
  return allow.length === 0 ? nobody : { allow, deny: sidsOf("deny").map(principalOf) };
}

function concernsReading(mask: number): boolean {
  return (mask & (readData | genericAll | genericRead)) !== 0;
}
