import { hash } from "node:crypto";
import { aclFingerprint, nobody, type Acl, type Principal } from "@anneal/core/access/acl";
import { rememberByRecord } from "../remember-by-record.ts";
import type { Level } from "./narrow.ts";
import { aclOfDescriptor, admitsEverybody } from "./ntfs-acl.ts";
import { concernsPassing } from "./security-descriptor.ts";

/** Whom the folders above a file let through: whoever reads it is admitted by each list. Those of everybody are left out. */
export type Passage = readonly Level[];

const fingerprintOf = rememberByRecord((acl: Acl) => hash("sha256", aclFingerprint(acl)));

export const openPassage: Passage = [];

/**
 * @param folder as people know it
 * @param descriptor the folder's; null where that is not told, which lets nobody through
 * @param byClass as `AclReading` has it
 */
export function passThrough(
  folder: string,
  descriptor: Uint8Array | null,
  passage: Passage,
  principalOf: (sid: string) => Principal,
  byClass: boolean,
): Passage {
  const reading = { concerns: concernsPassing, byClass };
  const acl = descriptor === null ? nobody : aclOfDescriptor(descriptor, principalOf, reading);
  // Most folders have what the one above them has.
  const own = fingerprintOf(acl);
  const isSaid = passage.some((above) => fingerprintOf(above.acl) === own);
  return isSaid || admitsEverybody(acl) ? passage : [...passage, { container: folder, acl }];
}

export function letsNobodyThrough(passage: Passage): boolean {
  return passage.some(({ acl }) => acl.allow.length === 0);
}
