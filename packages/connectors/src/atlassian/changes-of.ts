import { sourceAclFingerprint, type SourceAcl } from "@anneal/core/access/acl-origins";
import type { Change, ContentHandle, KnownItems, SourceItem } from "@anneal/core/connect/change";
import { aclChange, hasContent, withAcl } from "../acl-change.ts";
import { tooLarge } from "../failure.ts";

export type Found = {
  item: Omit<SourceItem, "fingerprint" | "acl">;
  /** Changes with the content. */
  contentPart: string;
  acl: SourceAcl;
  content: ContentHandle;
};

/** What differs from what is known: a new audience first, so that it holds even where the new content cannot be read. */
export async function changesOf(found: Found, known: KnownItems, maxBytes: number): Promise<Change[]> {
  const { item, contentPart, acl, content } = found;
  const { ref, sizeBytes } = item;
  const before = await known.fingerprintOf(ref);
  const audience = aclChange(ref, before, acl, sourceAclFingerprint);
  const changes = audience === null ? [] : [audience];
  if (hasContent(before, contentPart, acl)) return changes;
  if (sizeBytes !== null && sizeBytes > maxBytes) {
    return [...changes, { type: "failure", ref, error: tooLarge(item.title ?? ref, sizeBytes, maxBytes).toReport() }];
  }
  return [
    ...changes,
    { type: "upsert", item: { ...item, fingerprint: withAcl(contentPart, acl, sourceAclFingerprint), acl }, content },
  ];
}
