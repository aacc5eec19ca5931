import { mayEdit, mayUnmask } from "@anneal/core/access/roles";
import { mayRead } from "@anneal/core/access/acl";
import { AnnealError } from "@anneal/core/errors";
import { getDocument, type Document } from "@anneal/db/queries/documents";
import type { MemberContext } from "#server/context.ts";

/** What exists but may not be seen is not there: an id must not tell. */
export async function getVisible({ scope, identity }: MemberContext, documentId: string): Promise<Document> {
  const document = await getDocument(scope, documentId);
  if (identity.role !== "admin" && !mayRead(document.acl, identity.principalKeys))
    throw new AnnealError("NOT_FOUND", `There is no document ${documentId} that you may read.`, {
      action: "Check the id, or ask for access at its source.",
    });
  return document;
}

/**
 * Contents follow the document's own permissions, for administrators too. What its source has no longer, the source shows to
 * nobody; it may only have been closed to whoever reads it for us. Its contents are left for those who decide whether it comes
 * back.
 */
export function mayReadContents(
  { identity }: Pick<MemberContext, "identity">,
  { acl, deletedAt }: Pick<Document, "acl" | "deletedAt">,
): boolean {
  return mayRead(acl, identity.principalKeys) && (deletedAt === null || mayEdit(identity.role));
}

/** @throws AnnealError FORBIDDEN where its readers do not include who asks, NOT_FOUND where it is deleted */
export async function getReadable(ctx: MemberContext, documentId: string): Promise<Document> {
  const document = await getVisible(ctx, documentId);
  if (mayReadContents(ctx, document)) return document;
  if (mayRead(document.acl, ctx.identity.principalKeys))
    throw new AnnealError("NOT_FOUND", "This document is no longer at its source.", {
      action: "Ask an administrator or a data scientist of the workspace, who can restore it.",
    });
  throw new AnnealError("FORBIDDEN", "Its source does not let you read this document.", {
    action: "Ask whoever owns it there for access; the next sync brings it here.",
  });
}

/** Whether cleaning hid personal data in its text, which its original still shows. */
export function isMasked({ piiCounts }: Pick<Document, "piiCounts">): boolean {
  return Object.values(piiCounts ?? {}).some((count) => count > 0);
}

/** Masking can be looked behind only with permission: by who may read the document and works on its cleaning. */
export function mayOpenOriginal(ctx: Pick<MemberContext, "identity">, document: Document): boolean {
  return mayReadContents(ctx, document) && (!isMasked(document) || mayUnmask(ctx.identity.role));
}

/** @throws AnnealError FORBIDDEN for an original that shows what its text hides */
export async function getWithOriginal(ctx: MemberContext, documentId: string): Promise<Document> {
  const document = await getReadable(ctx, documentId);
  if (mayOpenOriginal(ctx, document)) return document;
  throw new AnnealError("FORBIDDEN", "Personal data is masked in this document, and its original shows it.", {
    action: "Read the cleaned text, or ask an administrator or a data scientist of the workspace.",
  });
}
