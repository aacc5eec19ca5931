import type { Acl } from "@anneal/core/access/acl";
import type { Readers } from "@anneal/core/indexing/payload";
import type { ReaderChange, ReaderPush } from "@anneal/core/indexing/plan-reader-pushes";
import { and, eq, inArray, sql } from "drizzle-orm";
import { inWorkspace, type Scope, type Transaction } from "../database.ts";
import { chunks, documents, readerChanges } from "../schema.ts";
import { saveChunkChanges, type ChunkChanges } from "./indexing.ts";

/** Whether the workspace's indexes have yet to be told of somebody. */
export async function hasReaderChanges(scope: Scope): Promise<boolean> {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .select({ seq: readerChanges.seq })
      .from(readerChanges)
      .where(eq(readerChanges.workspaceId, scope.workspaceId))
      .limit(1),
  );
  return rows.length > 0;
}

/**
 * One writer at a time of who finds what, so that an older word cannot reach the index after a newer one: held from
 * reading the readers until the index has them and our table says so. Whoever changes an ACL does not wait for it.
 */
async function lockReaders(tx: Transaction, workspaceId: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`readers:${workspaceId}`}, 0))`);
}

/**
 * Hands over the oldest changes of which the indexes may not know, and takes those as told which `push` returns. Where
 * it fails all of them stay, and can be handed over again.
 * @param limit of changes; as many documents at most are handed over
 * @returns whether there may be more
 */
export async function takeReaderChanges(
  scope: Scope,
  limit: number,
  push: (changes: ReaderChange[]) => Promise<ReaderPush[]>,
): Promise<{ more: boolean }> {
  const { workspaceId } = scope;
  return inWorkspace(scope, async (tx) => {
    await lockReaders(tx, workspaceId);
    const taken = await tx
      .select()
      .from(readerChanges)
      .where(eq(readerChanges.workspaceId, workspaceId))
      .orderBy(readerChanges.seq)
      .limit(limit);
    if (taken.length === 0) return { more: false };
    const pushed = await push(await listChanges(tx, workspaceId, [...new Set(taken.map((row) => row.documentId))]));
    await saveTold(tx, workspaceId, pushed);
    const changed = taken.flatMap((row) => (row.withCopies ? [row.documentId] : []));
    const added = changed.length > 0 && (await addCopies(tx, workspaceId, changed, taken.at(-1)!.seq));
    await tx.delete(readerChanges).where(
      and(
        eq(readerChanges.workspaceId, workspaceId),
        inArray(
          readerChanges.seq,
          taken.map((row) => row.seq),
        ),
      ),
    );
    return { more: added || taken.length === limit };
  });
}

/**
 * Writes a document's chunks with its readers as they are when it is written.
 * @param write tells the index first, and returns what our table is to say then
 */
export async function writeChunks(
  scope: Scope,
  documentId: string,
  write: (readers: Readers) => Promise<ChunkChanges>,
): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    await lockReaders(tx, scope.workspaceId);
    const [readers] = await listReaders(tx, scope.workspaceId, [documentId]);
    // Purged meanwhile, and its chunks with it.
    if (readers !== undefined) await saveChunkChanges(tx, scope.workspaceId, await write(readers));
  });
}

/**
 * Of the sources that deduplication hid a copy in, those where an earlier copy with the same readers still is: a copy
 * whose readers changed, or whose original is deleted or has other readers now, has to be found itself until
 * deduplication decides again. In SQL, because a text may have many thousands of copies.
 */
const hiddenIn = sql<string[]>`array(
  select hiding.source_id
  from documents copy
  cross join lateral jsonb_array_elements_text(copy.duplicate->'hiddenIn') as hiding(source_id)
  where copy.id = ${documents}.id and exists (
    select from documents earlier
    where (earlier.id = copy.duplicate_of or earlier.duplicate_of = copy.duplicate_of)
      and earlier.workspace_id = copy.workspace_id
      and earlier.source_id = hiding.source_id::uuid
      and earlier.deleted_at is null and not earlier.withdrawn
      and earlier.acl @> copy.acl and copy.acl @> earlier.acl
      and (date_trunc('milliseconds', earlier.first_seen_at), earlier.id)
        < (date_trunc('milliseconds', copy.first_seen_at), copy.id))
  order by hiding.source_id collate "C")`;

async function listReaders(
  tx: Transaction,
  workspaceId: string,
  documentIds: string[],
): Promise<{ documentId: string; acl: Acl; hiddenIn: string[] }[]> {
  return tx
    .select({ documentId: documents.id, acl: documents.acl, hiddenIn })
    .from(documents)
    .where(and(eq(documents.workspaceId, workspaceId), inArray(documents.id, documentIds)));
}

/** Those that are indexed. What is deleted is found by nobody, and is looked at again when it is restored. */
async function listChanges(tx: Transaction, workspaceId: string, documentIds: string[]): Promise<ReaderChange[]> {
  const held = await tx
    .select({
      documentId: chunks.documentId,
      collectionId: chunks.collectionId,
      fingerprints: sql<string[]>`array_agg(distinct ${chunks.aclFingerprint})`,
    })
    .from(chunks)
    .innerJoin(documents, eq(documents.id, chunks.documentId))
    .where(
      and(
        eq(chunks.workspaceId, workspaceId),
        inArray(chunks.documentId, documentIds),
        sql`${documents.deletedAt} is null`,
      ),
    )
    .groupBy(chunks.documentId, chunks.collectionId);
  const places = Map.groupBy(held, (row) => row.documentId);
  if (places.size === 0) return [];
  const readers = await listReaders(tx, workspaceId, [...places.keys()]);
  return readers.map((row) => ({ ...row, held: places.get(row.documentId) ?? [] }));
}

async function saveTold(tx: Transaction, workspaceId: string, pushed: ReaderPush[]): Promise<void> {
  const told = pushed.flatMap(({ documentIds, collectionId, fingerprint }) =>
    documentIds.map((documentId) => ({ documentId, collectionId, fingerprint })),
  );
  if (told.length === 0) return;
  // One parameter, whatever their number.
  await tx.execute(sql`
    update ${chunks} set acl_fingerprint = told.fingerprint
    from jsonb_to_recordset(${JSON.stringify(told)}::jsonb)
      as told("documentId" uuid, "collectionId" uuid, fingerprint text)
    where ${chunks}.collection_id = told."collectionId" and ${chunks}.document_id = told."documentId"
      and ${chunks}.workspace_id = ${workspaceId}`);
}

/** Copies that are hidden behind something, perhaps behind one of these; not those that are waiting anyway. */
async function addCopies(tx: Transaction, workspaceId: string, documentIds: string[], taken: number): Promise<boolean> {
  const originals = await tx
    .selectDistinct({ id: sql<string>`coalesce(${documents.duplicateOf}, ${documents.id})` })
    .from(documents)
    .where(and(eq(documents.workspaceId, workspaceId), inArray(documents.id, documentIds)));
  // By their ids, which the index of copies is looked up with: joined, all documents would be gone through.
  const { rowCount } = await tx.execute(sql`
    insert into ${readerChanges} (workspace_id, document_id, with_copies)
    select copy.workspace_id, copy.id, false
    from ${documents} copy
    where copy.duplicate_of = any(${sql.param(originals.map(({ id }) => id))}::uuid[])
      and copy.workspace_id = ${workspaceId} and copy.deleted_at is null
      and copy.duplicate->'hiddenIn' <> '[]'::jsonb
      and copy.id <> all(${sql.param(documentIds)}::uuid[])
      and not exists (
        select from ${readerChanges} waiting where waiting.document_id = copy.id and waiting.seq > ${taken})
    order by copy.id`);
  return (rowCount ?? 0) > 0;
}
