import { and, eq, isNull, sql } from "drizzle-orm";
import { inWorkspace, requireRow, type Scope } from "../database.ts";
import { documents, sources } from "../schema.ts";
import { unreadFingerprint } from "./synced-documents.ts";
import { nextRevision } from "./documents-of-source.ts";

/** What has content goes round the loop again; what was never more than a failure stays one until it is read. */
const isFetched = sql`${documents.contentKey} <> ''`;
/** The next sync takes it as if it had never been read. */
const unread = {
  status: sql`case when ${isFetched} then 'fetched' else ${documents.status} end`,
  drop: sql`case when ${isFetched} then null else ${documents.drop} end`,
  cleanDigest: null,
  fingerprint: unreadFingerprint,
};

/**
 * Lets what could not be read be read again: one document, or all of the source's. The cursor goes too, because a feed of
 * changes tells nothing twice: the next sync goes through the whole source, and fetches only what is new to us. One that
 * reads meanwhile ends, as it would go past them.
 * @returns how many documents are in quarantine, or the one
 * @throws AnnealError NOT_FOUND for a document that the source does not have
 */
export async function retryFailures(scope: Scope, sourceId: string, documentId: string | null): Promise<number> {
  return inWorkspace(scope, async (tx) => {
    // The source first, as whoever writes its documents locks it first.
    await tx
      .update(sources)
      .set({ cursor: null, revision: nextRevision })
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
