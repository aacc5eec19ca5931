import { sourceAclFingerprint, type SourceAcl } from "@anneal/core/access/acl-origins";
import { mediaTypeOf } from "../media-type.ts";
import { digest } from "./drive-cursor.ts";
import type { DriveItem } from "./graph-schemas.ts";

/** A fingerprint in three parts, so that a renamed item is not read again, nor one whose audience alone changed. */
export type FingerprintParts = { content: string; place: string; acl: string };

/** An item whose permissions could not be read: nobody may see it, and they are asked for again. */
const unread = "unread";

/** @param acl null when it could not be read */
export function aclPart(acl: SourceAcl | null): string {
  return acl === null ? unread : digest(sourceAclFingerprint(acl));
}

export function partsOf(item: DriveItem, acl: SourceAcl | null): FingerprintParts {
  const { hashes } = item.file ?? {};
  const version =
    hashes?.quickXorHash ??
    hashes?.sha256Hash ??
    hashes?.sha1Hash ??
    item.cTag ??
    `${item.eTag ?? ""} ${item.lastModifiedDateTime ?? ""}`;
  return {
    // Another extension is another parser, so the content must come again.
    content: digest(version, item.size, mediaTypeOf(item.name ?? "")),
    place: digest(item.name, item.webUrl),
    acl: aclPart(acl),
  };
}

export function joinParts({ content, place, acl }: FingerprintParts): string {
  return `${content}|${place}|${acl}`;
}

/** @returns null for an unknown document, and for one that was never read */
export function splitParts(fingerprint: string | null): FingerprintParts | null {
  const [content, place, acl] = (fingerprint ?? "").split("|");
  return content && place && acl ? { content, place, acl } : null;
}
