import { nobody, type Principal } from "@anneal/core/access/acl";
import type { SourceAcl, SourceGrant } from "@anneal/core/access/acl-origins";
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

/**
 * @param folder that the file lies in, through which it has what it inherits; left out where nothing is above
 * @returns nobody for a descriptor that cannot be read
 */
export function aclOfDescriptor(
  bytes: Uint8Array,
  principalOf: (sid: string) => Principal,
  folder?: string,
): SourceAcl {
  try {
    return ntfsAcl(parseSecurityDescriptor(bytes), principalOf, folder);
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
export function ntfsAcl(
  { owner, entries }: SecurityDescriptor,
  principalOf: (sid: string) => Principal,
  folder?: string,
): SourceAcl {
  if (entries === null) return nobody;
  const decided = new Map<string, Pick<AccessEntry, "effect" | "inherited">>();
  for (const { effect, mask, sid, inheritOnly, inherited, conditional } of entries) {
    if (inheritOnly || !concernsReading(mask)) continue;
    // A condition that is not evaluated may deny, and never allows.
    if (conditional && effect === "allow") continue;
    const whose = sid === ownerRights ? owner : sid;
    if (whose !== null && !decided.has(whose)) decided.set(whose, { effect, inherited });
  }
  const grantsOf = (effect: AccessEntry["effect"]) =>
    [...decided].flatMap(([sid, by]): SourceGrant[] => {
      if (by.effect !== effect) return [];
      return [{ ...principalOf(sid), ...(by.inherited && folder !== undefined ? { inheritedFrom: folder } : {}) }];
    });
  const allow = grantsOf("allow");
  return allow.length === 0 ? nobody : { allow, deny: grantsOf("deny") };
}

function concernsReading(mask: number): boolean {
  return (mask & (readData | genericAll | genericRead)) !== 0;
}
