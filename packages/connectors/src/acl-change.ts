import { hash } from "node:crypto";
import { aclFingerprint, type Acl } from "@anneal/core/access/acl";
import type { Change } from "@anneal/core/connect/change";

const separator = "|";

/** A fingerprint of two parts, so that a change of the audience alone is told from one of the content. */
export function withAcl(contentPart: string, acl: Acl | null): string {
  if (acl === null) return contentPart;
  return `${contentPart}${separator}${hash("sha256", aclFingerprint(acl)).slice(0, 32)}`;
}

/**
 * The change of the audience of a known document. It keeps the content's old part: where the new content cannot be
 * read, a revocation still holds.
 *
 * @param before the stored fingerprint, or null for a document that is not known
 */
export function aclChange(ref: string, before: string | null, acl: Acl | null): Change | null {
  if (before === null || acl === null) return null;
  const fingerprint = withAcl(contentPartOf(before), acl);
  return fingerprint === before ? null : { type: "acl", ref, acl, fingerprint };
}

/** Without an ACL the whole must be equal: what was stored with one has to be stored again without. */
export function hasContent(before: string | null, contentPart: string, acl: Acl | null): boolean {
  if (before === null) return false;
  return acl === null ? before === contentPart : contentPartOf(before) === contentPart;
}

function contentPartOf(fingerprint: string): string {
  const at = fingerprint.lastIndexOf(separator);
  return at === -1 ? fingerprint : fingerprint.slice(0, at);
}
