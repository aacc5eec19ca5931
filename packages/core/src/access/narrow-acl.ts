import { aclFingerprint, principalKey, type Acl } from "./acl.ts";

/**
 * Whom both admit, as far as their principals say so by themselves: too few perhaps, as nothing is known here of who is in
 * which group, and never too many.
 */
export function narrowAcl(before: Acl, after: Acl): Acl {
  const admitted = new Set(before.allow.map(principalKey));
  const denied = new Set(before.deny.map(principalKey));
  return {
    allow: after.allow.filter((principal) => admitted.has(principalKey(principal))),
    deny: [...before.deny, ...after.deny.filter((principal) => !denied.has(principalKey(principal)))],
  };
}

/** Whether somebody may read by `after` who might not by `before`, as far as the principals say so by themselves. */
export function admitsMore(before: Acl, after: Acl): boolean {
  return aclFingerprint(narrowAcl(before, after)) !== aclFingerprint(after);
}
