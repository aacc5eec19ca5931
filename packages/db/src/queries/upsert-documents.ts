import { randomUUID } from "node:crypto";
import type { SourceItem } from "@anneal/core/connect/change";
import { planUpserts, type StoredDocument, type UpsertChange } from "@anneal/core/connect/plan-upserts";
import { and, asc, sql, type SQL } from "drizzle-orm";
import { inWorkspace, type Scope, type Transaction } from "../database.ts";
import { documents } from "../schema.ts";
import { contentLock, itemColumns, lockDefaultAcl, ofSource } from "./documents-of-source.ts";
import { hasOneOf } from "./refs.ts";

export type FetchedContent = { contentHash: string; contentKey: string; sizeBytes: number };

export type DocumentUpsert = {
  item: SourceItem;
  content: FetchedContent;
  /**
   * Stores the bytes, where they are not stored yet; nobody removes them before the row names them. The source and its
   * documents are locked meanwhile, so what takes long is better stored before, and only looked for here.
   */
  putContent?: (() => Promise<void>) | undefined;
};

export type UpsertedDocument = { documentId: string; change: UpsertChange };

/** A document's row, as it is written. */
type Row = ReturnType<typeof itemColumns> & FetchedContent & { id: string; restarts: boolean; withdraws: boolean };

/**
 * Stores new or changed documents, all of them or none, as if each came after the one before it. One goes round the loop
 * again only if its bytes are others than before. The number of statements does not depend on how many there are.
 * @param revision of the source, when the reading began that brought them
 * @throws AnnealError SOURCE_NOT_FOUND when the source was removed, CONFLICT when it has another revision by now
 */
export async function upsertDocuments(
  scope: Scope,
  sourceId: string,
  upserts: readonly DocumentUpsert[],
  revision?: number,
): Promise<UpsertedDocument[]> {
  return inWorkspace(scope, async (tx) => {
    const defaultAcl = await lockDefaultAcl(scope, tx, sourceId, revision);
    const facts = upserts.map(({ item, content }) => ({ ref: item.ref, contentHash: content.contentHash }));
    const stored = await lockDocuments(scope, tx, sourceId, [...new Set(facts.map(({ ref }) => ref))]);
    await putContents(tx, upserts);
    const plan = planUpserts(stored, facts);
    const rows = plan.rows.map(({ index, storedId, restarts, withdraws }) => {
      const { item, content } = upserts[index]!;
      const id = storedId ?? randomUUID();
      const row: Row = { ...itemColumns(item, defaultAcl), ...content, id, restarts, withdraws };
      return { row, isNew: storedId === null };
    });
    const added = rows.filter(({ isNew }) => isNew).map(({ row }) => row);
    const others = rows.filter(({ isNew }) => !isNew).map(({ row }) => row);
    if (added.length > 0) await insertRows(scope, tx, sourceId, added);
    if (others.length > 0) await updateRows(tx, others);
    const idByRef = new Map(rows.map(({ row }) => [row.ref, row.id]));
    return facts.map(({ ref }, index) => ({ documentId: idByRef.get(ref)!, change: plan.changes[index]! }));
  });
}

async function lockDocuments(
  scope: Scope,
  tx: Transaction,
  sourceId: string,
  refs: string[],
): Promise<Map<string, StoredDocument>> {
  const found = await tx
    .select({
      ref: documents.ref,
      id: documents.id,
      contentHash: documents.contentHash,
      indexedHash: documents.indexedHash,
      deletedAt: documents.deletedAt,
      restoredAt: documents.restoredAt,
    })
    .from(documents)
    .where(and(ofSource(scope, sourceId), hasOneOf(refs)))
    .orderBy(asc(documents.id))
    .for("update");
  return new Map(found.map(({ ref, ...document }) => [ref, document]));
}

/** Equal bytes are put once. When one cannot be put, nothing goes on with the locks gone. */
async function putContents(tx: Transaction, upserts: readonly DocumentUpsert[]): Promise<void> {
  const puts = new Map(
    upserts.flatMap(({ content, putContent }) => (putContent ? [[content.contentKey, putContent]] : [])),
  );
  if (puts.size === 0) return;
  const keys = sql.param([...puts.keys()]);
  await tx.execute(
    sql`select pg_advisory_xact_lock_shared(${contentLock(sql`key`)}) from unnest(${keys}::text[]) as contents(key)`,
  );
  const ended = await Promise.allSettled([...puts.values()].map(async (put) => put()));
  const failed = ended.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** SQL: the rows as a table, with one parameter a column however many rows there are. */
function asTable(rows: readonly Row[]): SQL {
  const column = (type: string, of: (row: Row) => unknown) => sql`${sql.param(rows.map(of))}::${sql.raw(type)}[]`;
  const columns: [name: string, values: SQL][] = [
    ["id", column("uuid", (row) => row.id)],
    ["ref", column("text", (row) => row.ref)],
    ["ref_digest", column("bytea", (row) => row.refDigest)],
    ["uri", column("text", (row) => row.uri)],
    ["title", column("text", (row) => row.title)],
    ["media_type", column("text", (row) => row.mediaType)],
    ["size_bytes", column("bigint", (row) => row.sizeBytes)],
    ["fingerprint", column("text", (row) => row.fingerprint)],
    ["acl", column("jsonb", (row) => JSON.stringify(row.acl))],
    ["acl_inherited", column("boolean", (row) => row.aclInherited)],
    ["acl_origins", column("jsonb", (row) => row.aclOrigins && JSON.stringify(row.aclOrigins))],
    ["source_modified_at", column("timestamptz", (row) => row.sourceModifiedAt?.toISOString() ?? null)],
    ["content_hash", column("text", (row) => row.contentHash)],
    ["content_key", column("text", (row) => row.contentKey)],
    ["restarts", column("boolean", (row) => row.restarts)],
    ["withdraws", column("boolean", (row) => row.withdraws)],
  ];
  const values = sql.join(
    columns.map(([, value]) => value),
    sql`, `,
  );
  return sql`unnest(${values}) as given (${sql.raw(columns.map(([name]) => name).join(", "))})`;
}

async function insertRows(scope: Scope, tx: Transaction, sourceId: string, rows: readonly Row[]): Promise<void> {
  await tx.execute(sql`
    insert into ${documents} (workspace_id, source_id, status, id, ref, ref_digest, uri, title, media_type, size_bytes,
      fingerprint, acl, acl_inherited, acl_origins, source_modified_at, content_hash, content_key)
    select ${scope.workspaceId}::uuid, ${sourceId}::uuid, 'fetched', id, ref, ref_digest, uri, title, media_type,
      size_bytes, fingerprint, acl, acl_inherited, acl_origins, source_modified_at, content_hash, content_key
    from ${asTable(rows)}`);
}

/** What was a tombstone, or a person's, is its source's again; only what restarts forgets why it was left out. */
async function updateRows(tx: Transaction, rows: readonly Row[]): Promise<void> {
  await tx.execute(sql`
    update ${documents} as document
    set uri = given.uri, title = given.title, media_type = given.media_type, size_bytes = given.size_bytes,
      fingerprint = given.fingerprint, acl = given.acl, acl_inherited = given.acl_inherited,
      acl_origins = given.acl_origins,
      source_modified_at = given.source_modified_at, content_hash = given.content_hash, content_key = given.content_key,
      deleted_at = null, restored_at = null, restored_by = null,
      clean_key = case when given.withdraws then null else document.clean_key end,
      clean_digest = case when given.withdraws then null else document.clean_digest end,
      withdrawn = document.withdrawn or given.withdraws,
      status = case when given.restarts then 'fetched' else document.status end,
      "drop" = case when given.restarts then null else document."drop" end,
      changed_at = case when given.restarts then ${new Date().toISOString()}::timestamptz else document.changed_at end
    from ${asTable(rows)}
    where document.id = given.id`);
}

/** Of the classes of errors that PostgreSQL knows: what a value may not be, and what is larger than it can be. */
const refusedValue = /^(22|54)/;
const deadlock = "40P01";

/** Whether PostgreSQL could not take what a document says of itself, such as a title with a null character. */
export function isRefusedValue(error: unknown): boolean {
  return refusedValue.test(codeOf(error));
}

/** Whether a batch was refused for one of its documents, so that those by themselves may be stored. */
export function isRefusedForOne(error: unknown): boolean {
  return isRefusedValue(error) || codeOf(error) === deadlock;
}

/** PostgreSQL's own code, below what Drizzle made of the error. */
function codeOf(error: unknown): string {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    if ("code" in cause && typeof cause.code === "string") return cause.code;
  }
  return "";
}
