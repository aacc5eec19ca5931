import {
  type Acl,
  aclFingerprint,
  mayRead,
  nobody,
  type Principal,
  principalKey,
  workspaceMembers,
} from "../access/acl.ts";

/**
 * Who may read a dataset, and so use what was trained on it: those who may read every one of its documents. Denials add
 * up; an allowed principal stays only if every document allows it, or allows a wider one: everybody of the same source
 * and tenant, or, for one of our users, the workspace's members. Membership of other groups is not known here, so two
 * documents for two groups leave nobody, although someone may be in both: too few readers, never too many. To decide
 * for one reader at hand, `mayReadDataset` is exact.
 */
export function datasetAcl(acls: readonly Acl[]): Acl {
  const [first, ...rest] = distinct(acls);
  if (!first) return nobody;
  let allow = first.allow;
  for (const acl of rest) {
    const narrowed = allow.filter((principal) => acl.allow.some((wider) => covers(wider, principal)));
    allow = [...narrowed, ...acl.allow.filter((principal) => allow.some((wider) => covers(wider, principal)))];
  }
  const unique = (principals: Principal[]) => [
    ...new Map(principals.map((each) => [principalKey(each), each])).values(),
  ];
  const deny = unique(acls.flatMap((acl) => acl.deny));
  const denied = new Set(deny.map(principalKey));
  return { allow: unique(allow).filter((principal) => !denied.has(principalKey(principal))), deny };
}

/** A document that a dataset was made from, as it is now. `acl` is null when its row is gone, and then nobody's. */
export type TeachingDocument = { acl: Acl | null; deleted: boolean };

/**
 * Whether one reader may have the whole text of a dataset now, whatever was so when it was made. A document that its
 * source has no longer still stands in the dataset: only administrators whom its last ACL admits get that.
 */
export function mayReadDataset(
  documents: readonly TeachingDocument[],
  reader: { holderKeys: ReadonlySet<string>; administrator: boolean },
): boolean {
  const acls = documents.map(({ acl, deleted }) => (deleted && !reader.administrator ? null : acl));
  return mayReadEvery(acls, reader.holderKeys);
}

/** Whether one reader may read all of these documents. */
export function mayReadEvery(acls: readonly (Acl | null)[], holderKeys: ReadonlySet<string>): boolean {
  return acls.length > 0 && acls.every((acl) => mayRead(acl, holderKeys));
}

function covers(wider: Principal, narrower: Principal): boolean {
  if (principalKey(wider) === principalKey(narrower)) return true;
  if (wider.source !== narrower.source || wider.tenant !== narrower.tenant) return false;
  if (wider.kind === "public") return true;
  return narrower.kind === "user" && principalKey(wider) === principalKey(workspaceMembers(narrower.tenant));
}

function distinct(acls: readonly Acl[]): Acl[] {
  return [...new Map(acls.map((acl) => [aclFingerprint(acl), acl])).values()];
}
