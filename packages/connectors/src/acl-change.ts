import { hash } from "node:crypto";
import { aclFingerprint } from "@anneal/core/access/acl";
import { digestOrigins, type SourceAcl } from "@anneal/core/access/acl-origins";
import type { Change, KnownItems } from "@anneal/core/connect/change";
import { rememberByRecord } from "./remember-by-record.ts";

const separator = "|";

/**
 * What of an ACL is compared: `aclFingerprint`, or `sourceAclFingerprint` where a new origin of the same grants counts. It
 * must not where a moved document is recognised by its fingerprint, as what it inherits comes from elsewhere then: see
 * `audienceChange`.
 */
export type AclComparison = (acl: SourceAcl) => string;

const sha256 = (text: string) => hash("sha256", text);
const digestBy = rememberByRecord((comparison: AclComparison) =>
  rememberByRecord((acl: SourceAcl) => sha256(comparison(acl)).slice(0, 32)),
);
const originsDigest = rememberByRecord((acl: SourceAcl) => digestOrigins(acl, sha256));

/** A fingerprint of two parts, so that a change of the audience alone is told from one of the content. */
export function withAcl(
  contentPart: string,
  acl: SourceAcl | null,
  comparison: AclComparison = aclFingerprint,
): string {
  if (acl === null) return contentPart;
  return `${contentPart}${separator}${digestBy(comparison)(acl)}`;
}

/**
 * The change of the audience of a known document. It keeps the content's old part: where the new content cannot be
 * read, a revocation still holds.
 *
 * @param before the stored fingerprint, or null for a document that is not known
 */
export function aclChange(
  ref: string,
  before: string | null,
  acl: SourceAcl | null,
  comparison: AclComparison = aclFingerprint,
): Change | null {
  if (before === null || acl === null) return null;
  const fingerprint = withAcl(contentPartOf(before), acl, comparison);
  return fingerprint === before ? null : { type: "acl", ref, acl, fingerprint };
}

/** The same, also where readers stay who they are and what explains them differs, of which the fingerprint says nothing. */
export async function audienceChange(
  known: KnownItems,
  ref: string,
  before: string | null,
  acl: SourceAcl | null,
): Promise<Change | null> {
  const change = aclChange(ref, before, acl);
  if (change !== null || before === null || acl === null) return change;
  const isExplained = (await known.originsOf(ref)) === originsDigest(acl);
  return isExplained ? null : { type: "acl", ref, acl, fingerprint: before };
}

/** Without an ACL the whole must be equal: what was stored with one has to be stored again without. */
export function hasContent(before: string | null, contentPart: string, acl: SourceAcl | null): boolean {
  if (before === null) return false;
  return acl === null ? before === contentPart : contentPartOf(before) === contentPart;
}

function contentPartOf(fingerprint: string): string {
  const at = fingerprint.lastIndexOf(separator);
  return at === -1 ? fingerprint : fingerprint.slice(0, at);
}
