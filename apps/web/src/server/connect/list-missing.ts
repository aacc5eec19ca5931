import { mayRead } from "@anneal/core/access/acl";
import { missingRefsOf } from "@anneal/core/connect/deletion-policy";
import type { Source } from "@anneal/db/queries/sources";
import { listHeldDocuments } from "@anneal/db/queries/documents-of-source";
import type { MemberContext } from "#server/context.ts";

/** A ref may have thousands of characters; the rest of it tells nobody more. */
const maxShownLength = 200;

type MissingDocument = { id: string; title: string; ref: string };

/**
 * The first of the documents that confirming the deletions of a source would delete, as its last read found them; as with
 * failures, those that whoever asks may know of.
 */
export async function listMissing(
  { scope, identity }: Pick<MemberContext, "scope" | "identity">,
  { id, lastSyncError }: Pick<Source, "id" | "lastSyncError">,
): Promise<MissingDocument[]> {
  const refs = lastSyncError === null ? [] : missingRefsOf(lastSyncError);
  if (refs.length === 0) return [];
  const missing = await listHeldDocuments(scope, id, refs);
  return missing
    .filter(({ acl }) => identity.role === "admin" || mayRead(acl, identity.principalKeys))
    .map((document) => ({ id: document.id, title: cut(document.title), ref: cut(document.ref) }));
}

function cut(text: string): string {
  if (text.length <= maxShownLength) return text;
  // Not within a character.
  const head = text.slice(0, maxShownLength - 1).replace(/[\uD800-\uDBFF]$/, "");
  return `${head}…`;
}
