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

/** Contents follow the document's own permissions, for administrators too. */
export async function getReadable(ctx: MemberContext, documentId: string): Promise<Document> {
  const document = await getVisible(ctx, documentId);
  if (mayRead(document.acl, ctx.identity.principalKeys)) return document;
  throw new AnnealError("FORBIDDEN", "Its source does not let you read this document.", {
    action: "Ask whoever owns it there for access; the next sync brings it here.",
  });
}
