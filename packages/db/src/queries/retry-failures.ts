import { and, eq, isNull } from "drizzle-orm";
import { inWorkspace, requireRow, type Scope } from "../database.ts";
import { documents, sources } from "../schema.ts";

/** The next sync takes it as if it had never been read. */
const unread = { status: "fetched" as const, drop: null, cleanDigest: null, fingerprint: "" };

/**
 * Lets what could not be read be read again: one document, or all of the source's. The cursor goes too, because a feed of
 * changes tells nothing twice: the next sync goes through the whole source, and fetches only what is new to us.
 * @returns how many documents were in quarantine, or the one
 * @throws AnnealError NOT_FOUND for a document that the source does not have
 */
export async function retryFailures(scope: Scope, sourceId: string, documentId: string | null): Promise<number> {
  return inWorkspace(scope, async (tx) => {
    // The source first, as whoever writes its documents locks it first.
    await tx
      .update(sources)
      .set({ cursor: null })
      .where(and(eq(sources.id, sourceId), eq(sources.workspaceId, scope.workspaceId)));
    const rows = await tx
      .update(documents)
      .set(unread)
      .where(
        and(
          eq(documents.sourceId, sourceId),
          eq(documents.workspaceId, scope.workspaceId),
          isNull(documents.deletedAt),
          documentId === null ? eq(documents.status, "quarantined") : eq(documents.id, documentId),
        ),
      )
      .returning({ id: documents.id });
    if (documentId !== null) requireRow(rows[0], "document of this source", documentId);
    return rows.length;
  });
}
