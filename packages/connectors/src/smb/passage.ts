import { aclFingerprint, nobody, type Acl, type Principal } from "@anneal/core/access/acl";
import { aclOfDescriptor, admitsEverybody } from "./ntfs-acl.ts";
import { concernsPassing } from "./security-descriptor.ts";

/** Whom the folders above a file let through: whoever reads it is admitted by each list. Those of everybody are left out. */
export type Passage = readonly Acl[];

export const openPassage: Passage = [];

/**
 * @param folder its descriptor; null where that is not told, which lets nobody through
 * @param byClass as `AclReading` has it
 */
export function passThrough(
  folder: Uint8Array | null,
  passage: Passage,
  principalOf: (sid: string) => Principal,
  byClass: boolean,
): Passage {
  const reading = { concerns: concernsPassing, byClass };
  const acl = folder === null ? nobody : aclOfDescriptor(folder, principalOf, reading);
  // Most folders have what the one above them has.
  const isSaid = passage.some((above) => aclFingerprint(above) === aclFingerprint(acl));
  return isSaid || admitsEverybody(acl) ? passage : [...passage, acl];
}

export function letsNobodyThrough(passage: Passage): boolean {
  return passage.some(({ allow }) => allow.length === 0);
}
