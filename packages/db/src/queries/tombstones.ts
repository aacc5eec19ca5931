import { and, asc, eq, inArray, isNotNull, isNull, lt, sql, type SQL } from "drizzle-orm";
import { inWorkspace, type Scope } from "../database.ts";
import { collections, documents, sourceJournal, sources } from "../schema.ts";
import { conditionsOf, type DocumentFilter } from "./documents.ts";
import { contentLock } from "./documents-of-source.ts";

const isDocument = (scope: Scope, documentId: string) =>
  and(eq(documents.id, documentId), eq(documents.workspaceId, scope.workspaceId));

/**
 * Takes back what the source deleted: from now on it stays, whatever the source says, until the source has it again.
 * @returns false when it is not deleted, or its whole source is
 */
export async function restoreDocument(scope: Scope, documentId: string, by: string): Promise<boolean> {
  const ids = await restore(scope, and(isDocument(scope, documentId), isNotNull(documents.deletedAt)), by);
  return ids.length > 0;
}

/**
 * As `restoreDocument`, for all deleted documents of a source that match.
 * @returns the ids of those that are back
 */
export async function restoreDocuments(
  scope: Scope,
  filter: Pick<DocumentFilter, "ids" | "search" | "deletedUntil" | "readers"> & { sourceId: string },
  by: string,
): Promise<string[]> {
  return restore(scope, conditionsOf(scope, { ...filter, status: "deleted" }), by);
}

async function restore(scope: Scope, deleted: SQL | undefined, by: string): Promise<string[]> {
  return inWorkspace(scope, async (tx) => {
    const liveSources = tx.select({ id: sources.id }).from(sources).where(isNull(sources.deletedAt));
    const rows = await tx
      .select({ id: documents.id })
      .from(documents)
      .where(and(deleted, inArray(documents.sourceId, liveSources)))
      // In the order in which a sync locks them too.
      .orderBy(asc(documents.id))
      .for("update");
    const ids = rows.map(({ id }) => id);
    await tx
      .update(documents)
      .set({ deletedAt: null, restoredAt: new Date(), restoredBy: by })
      // One parameter, however many they are.
      .where(sql`${documents.id} = any(${sql.param(ids)}::uuid[])`);
    return ids;
  });
}

/** Lets go what was taken back: a tombstone again, which is kept as long as any other. */
export async function releaseDocument(scope: Scope, documentId: string): Promise<boolean> {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .update(documents)
      .set({ deletedAt: new Date(), restoredAt: null, restoredBy: null })
      .where(and(isDocument(scope, documentId), isNotNull(documents.restoredAt), isNull(documents.deletedAt)))
      .returning({ id: documents.id }),
  );
  return rows.length > 0;
}

/** Documents that were deleted before then, the oldest deletion first. */
export async function listExpired(scope: Scope, before: Date, limit: number): Promise<string[]> {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .select({ id: documents.id })
      .from(documents)
      .where(and(eq(documents.workspaceId, scope.workspaceId), lt(documents.deletedAt, before)))
      .orderBy(asc(documents.deletedAt), asc(documents.id))
      .limit(limit),
  );
  return rows.map(({ id }) => id);
}

/** What is left of a deleted document outside of the database. */
export type Remains = {
  documentId: string;
  /** Null while another document, of whatever workspace, has the same bytes. */
  contentKey: string | null;
  /** Where passages of it may be; a vector index that was damaged may have some that no row tells of. */
  collectionIds: string[];
};

/**
 * Removes a document that was deleted before then, with all that was made of it. A restoration at the same time comes
 * first or finds nothing; where `removeRemains` fails the row stays, and all of it can be done again.
 * @returns false when there is nothing to remove any more
 */
export async function purgeDocument(
  scope: Scope,
  documentId: string,
  before: Date,
  removeRemains: (remains: Remains) => Promise<void>,
): Promise<boolean> {
  return inWorkspace(scope, async (tx) => {
    const [document] = await tx
      .select({ contentKey: documents.contentKey })
      .from(documents)
      .where(and(isDocument(scope, documentId), lt(documents.deletedAt, before)))
      .for("update");
    if (document === undefined) return false;
    const held = await tx
      .select({ id: collections.id })
      .from(collections)
      .where(eq(collections.workspaceId, scope.workspaceId));
    const { contentKey } = document;
    await tx.execute(sql`select pg_advisory_xact_lock(${contentLock(contentKey)})`);
    await tx.delete(documents).where(isDocument(scope, documentId));
    const { rows } = await tx.execute<{ used: boolean }>(sql`select content_in_use(${contentKey}) as used`);
    const unused = contentKey !== "" && rows[0]?.used === false;
    const collectionIds = held.map(({ id }) => id);
    await removeRemains({ documentId, contentKey: unused ? contentKey : null, collectionIds });
    return true;
  });
}

/** Sources that were removed before then have nothing left to go on from: one that is taken back is read anew. */
export async function forgetRemovedCursors(scope: Scope, before: Date): Promise<void> {
  const { workspaceId } = scope;
  const isRemoved = and(eq(sources.workspaceId, workspaceId), lt(sources.deletedAt, before));
  await inWorkspace(scope, async (tx) => {
    await tx
      .update(sources)
      .set({ cursor: null })
      .where(and(isRemoved, isNotNull(sources.cursor)));
    const removed = tx.select({ id: sources.id }).from(sources).where(isRemoved);
    await tx
      .delete(sourceJournal)
      .where(and(eq(sourceJournal.workspaceId, workspaceId), inArray(sourceJournal.sourceId, removed)));
  });
}
