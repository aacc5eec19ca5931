import { and, asc, eq, inArray, isNotNull, isNull, not, sql } from "drizzle-orm";
import { inWorkspace, requireRow, type Scope, type Transaction } from "../database.ts";
import { chunks, collections, documents } from "../schema.ts";

export type Collection = typeof collections.$inferSelect;
export type Chunk = typeof chunks.$inferSelect;

/**
 * The workspace's one collection, made with these where there is none yet. A chunk's id, which is also its point's, is
 * the same in every collection, so that a second one would take the rows of the first.
 */
export async function saveCollection(
  scope: Scope,
  collection: { embeddingModel: string; dimensions: number; settings: Record<string, unknown> },
): Promise<Collection> {
  return inWorkspace(scope, async (tx) => {
    const find = () =>
      tx
        .select()
        .from(collections)
        .where(eq(collections.workspaceId, scope.workspaceId))
        .orderBy(asc(collections.createdAt), asc(collections.id))
        .limit(1);
    const [existing] = await find();
    if (existing !== undefined) return existing;
    await tx
      .insert(collections)
      .values({ ...collection, name: "documents", workspaceId: scope.workspaceId })
      .onConflictDoNothing({ target: [collections.workspaceId, collections.name] });
    const [row] = await find();
    return row!;
  });
}

export async function listCollections(scope: Scope) {
  return inWorkspace(scope, (tx) =>
    tx
      .select({
        collection: collections,
        // In a query of one table Drizzle leaves a column's table out, and "id" would be the inner table's.
        chunkCount: sql<number>`(select count(*)::int from ${chunks} where ${chunks.collectionId} = ${collections}."id")`,
        documentCount: sql<number>`(select count(distinct ${chunks.documentId})::int from ${chunks} where ${chunks.collectionId} = ${collections}."id")`,
      })
      .from(collections)
      .where(eq(collections.workspaceId, scope.workspaceId))
      .orderBy(asc(collections.name)),
  );
}

export async function getCollection(scope: Scope, collectionId: string): Promise<Collection> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(collections)
      .where(and(eq(collections.id, collectionId), eq(collections.workspaceId, scope.workspaceId))),
  );
  return requireRow(row, "collection", collectionId);
}

const chunksOf = (scope: Scope, collectionId: string, documentId: string) =>
  and(
    eq(chunks.collectionId, collectionId),
    eq(chunks.documentId, documentId),
    eq(chunks.workspaceId, scope.workspaceId),
  );

export async function listChunks(scope: Scope, collectionId: string, documentId: string): Promise<Chunk[]> {
  return inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(chunks)
      .where(chunksOf(scope, collectionId, documentId))
      .orderBy(asc(chunks.ordinal)),
  );
}

export async function listDocumentChunks(scope: Scope, documentId: string): Promise<Chunk[]> {
  return inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(chunks)
      .where(and(eq(chunks.workspaceId, scope.workspaceId), eq(chunks.documentId, documentId)))
      .orderBy(asc(chunks.ordinal)),
  );
}

/**
 * Chunks with the documents they belong to now: the second permission check of everything that is cited. Left out is what
 * was withdrawn: of an older content, which the readers of now may never have been shown.
 */
export async function getChunksForCitation(scope: Scope, chunkIds: string[]) {
  if (chunkIds.length === 0) return [];
  return inWorkspace(scope, (tx) =>
    tx
      .select({
        chunk: chunks,
        documentId: documents.id,
        uri: documents.uri,
        title: documents.title,
        acl: documents.acl,
      })
      .from(chunks)
      .innerJoin(documents, eq(documents.id, chunks.documentId))
      .where(
        and(
          inArray(chunks.id, chunkIds),
          eq(chunks.workspaceId, scope.workspaceId),
          isNull(documents.deletedAt),
          eq(documents.withdrawn, false),
        ),
      ),
  );
}

/** `rows` are written whole; `aclFingerprints` belong to ACL-only changes. */
export type ChunkChanges = {
  rows: Omit<Chunk, "workspaceId">[];
  deletes: string[];
  aclFingerprints: { id: string; aclFingerprint: string }[];
};

export async function saveChunkChanges(tx: Transaction, workspaceId: string, changes: ChunkChanges): Promise<void> {
  if (changes.deletes.length > 0) {
    // One parameter, whatever their number: a statement takes 65,535.
    const deleted = sql`${chunks.id} = any(${sql.param(changes.deletes)}::uuid[])`;
    await tx.delete(chunks).where(and(deleted, eq(chunks.workspaceId, workspaceId)));
  }
  for (const { id, aclFingerprint } of changes.aclFingerprints) {
    await tx
      .update(chunks)
      .set({ aclFingerprint })
      .where(and(eq(chunks.id, id), eq(chunks.workspaceId, workspaceId)));
  }
  for (let start = 0; start < changes.rows.length; start += 500) {
    const page = changes.rows.slice(start, start + 500).map((row) => ({ ...row, workspaceId }));
    await tx
      .insert(chunks)
      .values(page)
      .onConflictDoUpdate({
        target: chunks.id,
        set: {
          ordinal: sql`excluded.ordinal`,
          section: sql`excluded.section`,
          pageStart: sql`excluded.page_start`,
          pageEnd: sql`excluded.page_end`,
          container: sql`excluded.container`,
          charStart: sql`excluded.char_start`,
          charEnd: sql`excluded.char_end`,
          placeFingerprint: sql`excluded.place_fingerprint`,
          aclFingerprint: sql`excluded.acl_fingerprint`,
        },
      });
  }
}

/** Once a document's chunks are of this content, and unless it has another one by now, there is nothing left to withhold. */
export async function saveIndexed(scope: Scope, documentId: string, contentHash: string): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .update(documents)
      .set({ indexedHash: contentHash, withdrawn: false })
      .where(
        and(
          eq(documents.id, documentId),
          eq(documents.workspaceId, scope.workspaceId),
          eq(documents.contentHash, contentHash),
        ),
      ),
  );
}

/** Documents that have chunks in the collection but should have none: deleted, dropped or no longer indexed. */
export async function listStrayDocuments(scope: Scope, collectionId: string, wanted: string[]): Promise<string[]> {
  // As a table, which is joined: every document that is kept is in it.
  const isWanted = sql`exists (select from unnest(${sql.param(wanted)}::uuid[]) as wanted(id)
    where wanted.id = ${chunks.documentId})`;
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .selectDistinct({ documentId: chunks.documentId })
      .from(chunks)
      .where(and(eq(chunks.collectionId, collectionId), eq(chunks.workspaceId, scope.workspaceId), not(isWanted))),
  );
  return rows.map((row) => row.documentId);
}

/**
 * Takes a stray document's chunks out, unless it is kept again or has still to be cleaned. A restoration at the same time comes first, or finds a
 * document that is to be indexed.
 * @param remove takes all of the document's out of the vector index; where it fails their rows stay, and all of it can be
 * done again
 * @returns how many went
 */
export async function removeStrayChunks(
  scope: Scope,
  collectionId: string,
  documentId: string,
  remove: () => Promise<void>,
): Promise<number> {
  const { workspaceId } = scope;
  const isDocument = and(eq(documents.id, documentId), eq(documents.workspaceId, workspaceId));
  return inWorkspace(scope, async (tx) => {
    const [document] = await tx
      .select({ status: documents.status, deletedAt: documents.deletedAt })
      .from(documents)
      .where(isDocument)
      .for("update");
    // Purged meanwhile, and its chunks with it.
    if (document === undefined) return 0;
    // What a sync changed is found by its text of before until a run has cleaned it.
    const stays = document.status === "kept" || document.status === "fetched";
    if (stays && document.deletedAt === null) return 0;
    const rows = await tx
      .select({ id: chunks.id })
      .from(chunks)
      .where(chunksOf(scope, collectionId, documentId));
    const deletes = rows.map(({ id }) => id);
    await remove();
    await saveChunkChanges(tx, workspaceId, { rows: [], deletes, aclFingerprints: [] });
    await tx.update(documents).set({ indexedHash: null }).where(isDocument);
    return deletes.length;
  });
}

/** Documents and chunks of the collection; `sourceIds` null counts all sources. */
export async function countIndexed(
  scope: Scope,
  collectionId: string,
  sourceIds: string[] | null,
): Promise<{ documents: number; chunks: number }> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select({
        documents: sql<number>`count(distinct ${chunks.documentId})::int`,
        chunks: sql<number>`count(*)::int`,
      })
      .from(chunks)
      .innerJoin(documents, eq(documents.id, chunks.documentId))
      .where(
        and(
          eq(chunks.collectionId, collectionId),
          eq(chunks.workspaceId, scope.workspaceId),
          sourceIds === null ? undefined : inArray(documents.sourceId, sourceIds),
        ),
      ),
  );
  return row ?? { documents: 0, chunks: 0 };
}

/**
 * Forgets what the vector index was thought to hold, so that the next indexing writes everything again; what that one is not
 * about is known not to be indexed.
 */
export async function forgetChunks(scope: Scope, collectionId: string): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    const indexed = tx
      .select({ id: documents.id })
      .from(documents)
      .where(and(eq(documents.workspaceId, scope.workspaceId), isNotNull(documents.indexedHash)))
      // In the order in which a sync locks them too.
      .orderBy(asc(documents.id))
      .for("update");
    await tx.update(documents).set({ indexedHash: null }).where(inArray(documents.id, indexed));
    await tx
      .delete(chunks)
      .where(and(eq(chunks.collectionId, collectionId), eq(chunks.workspaceId, scope.workspaceId)));
  });
}
