import type { Principal } from "@anneal/core/access/acl";
import type { QualityScores } from "@anneal/core/clean/assess-quality";
import { isCleanedFrom, type CleaningMeans } from "@anneal/core/clean/clean-digest";
import { and, asc, desc, eq, ilike, inArray, isNotNull, isNull, lte, max, ne, or, sql, type SQL } from "drizzle-orm";
import { inWorkspace, requireRow, type Scope } from "../database.ts";
import { documents, sources, type DocumentStatus } from "../schema.ts";

export type Document = typeof documents.$inferSelect;

const live = (scope: Scope) => and(eq(documents.workspaceId, scope.workspaceId), isNull(documents.deletedAt));

export async function getDocument(scope: Scope, documentId: string): Promise<Document> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(documents)
      .where(and(eq(documents.id, documentId), eq(documents.workspaceId, scope.workspaceId))),
  );
  return requireRow(row, "document", documentId);
}

export async function getDocuments(scope: Scope, documentIds: string[]): Promise<Document[]> {
  if (documentIds.length === 0) return [];
  return inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(documents)
      // One parameter: a text may have more copies than a statement takes of those.
      .where(
        and(
          sql`${documents.id} = any(${sql.param(documentIds)}::uuid[])`,
          eq(documents.workspaceId, scope.workspaceId),
        ),
      ),
  );
}

export type DocumentFilter = {
  search?: string;
  sourceId?: string;
  ids?: readonly string[];
  status?: DocumentStatus | "duplicate" | "deleted";
  language?: string;
  mediaType?: string;
  /** Only what was deleted then or before. */
  deletedUntil?: Date;
  /** Only what somebody who holds one of these may read: `mayRead` of core/access, said in SQL because of the paging. */
  readers?: Principal[];
};

/**
 * For queries that join `documents` and page their rows. Who is asked for is one parameter, of which PostgreSQL makes a hash
 * table: somebody may be in many hundreds of groups, and each document is held against all of them.
 */
export function readableBy(readers: Principal[]): SQL {
  const held = sql`${sql.param(readers.map((reader) => JSON.stringify(asStored(reader))))}::jsonb[]`;
  const holders = (side: SQL) =>
    sql`exists (select from jsonb_array_elements(${documents.acl}->${side}) as named(principal) where principal = any(${held}))`;
  return sql`(${holders(sql.raw("'allow'"))} and not ${holders(sql.raw("'deny'"))})`;
}

/** As ACLs have it, which say nothing else of a principal. */
function asStored({ source, tenant, kind, id }: Principal): Principal {
  return { source, tenant, kind, id };
}

/**
 * A copy that a search of somewhere leaves out, for an older one with the same readers. One with other readers is found, and
 * what has a new text has still to be compared.
 */
export const isHiddenCopy = sql`(${documents.status} = 'kept' and jsonb_array_length(${documents.duplicate}->'hiddenIn') > 0)`;

/** For queries of `documents` alone, or joined with others by it. */
export function conditionsOf(scope: Scope, filter: DocumentFilter): SQL | undefined {
  const conditions: (SQL | undefined)[] = [
    eq(documents.workspaceId, scope.workspaceId),
    // What was never more than a failure is no document that went.
    filter.status === "deleted"
      ? and(isNotNull(documents.deletedAt), ne(documents.contentKey, ""))
      : isNull(documents.deletedAt),
  ];
  if (filter.search) {
    const pattern = `%${filter.search.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    conditions.push(or(ilike(documents.title, pattern), ilike(documents.uri, pattern), ilike(documents.ref, pattern)));
  }
  if (filter.readers) conditions.push(readableBy(filter.readers));
  if (filter.sourceId) conditions.push(eq(documents.sourceId, filter.sourceId));
  // One parameter, however many they are.
  if (filter.ids) conditions.push(sql`${documents.id} = any(${sql.param(filter.ids)}::uuid[])`);
  if (filter.language) conditions.push(eq(documents.language, filter.language));
  if (filter.mediaType) conditions.push(eq(documents.mediaType, filter.mediaType));
  if (filter.deletedUntil) conditions.push(lte(documents.deletedAt, filter.deletedUntil));
  if (filter.status === "duplicate") conditions.push(isHiddenCopy);
  else if (filter.status && filter.status !== "deleted") conditions.push(eq(documents.status, filter.status));
  return and(...conditions);
}

/**
 * One page of the documents table, newest change or deletion first, with the number of all that match and when the last of
 * them was deleted.
 */
export async function listDocuments(scope: Scope, filter: DocumentFilter, page: { limit: number; offset: number }) {
  const where = conditionsOf(scope, filter);
  const newest = filter.status === "deleted" ? documents.deletedAt : documents.changedAt;
  return inWorkspace(scope, async (tx) => {
    const rows = await tx
      .select({
        id: documents.id,
        title: documents.title,
        uri: documents.uri,
        ref: documents.ref,
        sourceId: documents.sourceId,
        sourceName: sources.name,
        mediaType: documents.mediaType,
        sizeBytes: documents.sizeBytes,
        status: documents.status,
        drop: documents.drop,
        language: documents.language,
        textChars: documents.textChars,
        piiCounts: documents.piiCounts,
        duplicate: documents.duplicate,
        acl: documents.acl,
        changedAt: documents.changedAt,
        deletedAt: documents.deletedAt,
        restoredAt: documents.restoredAt,
      })
      .from(documents)
      .innerJoin(sources, eq(sources.id, documents.sourceId))
      .where(where)
      .orderBy(desc(newest), asc(documents.id))
      .limit(page.limit)
      .offset(page.offset);
    const [all] = await tx
      .select({ total: sql<number>`count(*)::int`, lastDeletedAt: max(documents.deletedAt) })
      .from(documents)
      .where(where);
    return { rows, total: all?.total ?? 0, lastDeletedAt: all?.lastDeletedAt ?? null };
  });
}

type FacetColumn =
  | typeof documents.status
  | typeof documents.language
  | typeof documents.mediaType
  | typeof documents.sourceId;

/**
 * The values that the documents table can be narrowed by, each with its count.
 * @param readers counts only what somebody who holds one of these may read, as in `DocumentFilter`
 */
export async function countDocumentFacets(scope: Scope, readers?: Principal[]) {
  const where = and(live(scope), readers && readableBy(readers));
  return inWorkspace(scope, async (tx) => {
    const countBy = async (column: FacetColumn) =>
      tx
        .select({ value: sql<string | null>`${column}`, count: sql<number>`count(*)::int` })
        .from(documents)
        .where(where)
        .groupBy(column)
        .orderBy(desc(sql`count(*)`));
    const [duplicates] = await tx
      .select({ count: sql<number>`count(*)::int` })
      .from(documents)
      .where(and(where, isHiddenCopy));
    return {
      status: await countBy(documents.status),
      language: await countBy(documents.language),
      mediaType: await countBy(documents.mediaType),
      source: await countBy(documents.sourceId),
      duplicates: duplicates?.count ?? 0,
    };
  });
}

/**
 * Documents whose cleaned form is missing, was made by another parser or policy, or could be made better with one of
 * these languages (OCR) or within these bounds; each with the kind of its source.
 */
export async function listDocumentsToClean(
  scope: Scope,
  options: CleaningMeans & { cleanVersion: string; sourceIds: string[] | null },
): Promise<{ id: string; sourceKind: string }[]> {
  const { cleanVersion, sourceIds } = options;
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .select({
        id: documents.id,
        sourceKind: sources.kind,
        status: documents.status,
        cleanDigest: documents.cleanDigest,
        contentHash: documents.contentHash,
      })
      .from(documents)
      .innerJoin(sources, eq(sources.id, documents.sourceId))
      .where(
        and(
          live(scope),
          sql`${documents.contentKey} <> ''`,
          // Most are as they were and need not come here to be looked at.
          or(
            eq(documents.status, "fetched"),
            sql`${documents.cleanDigest} is distinct from ${`${cleanVersion}:`} || ${documents.contentHash}`,
          ),
          sourceIds === null ? undefined : inArray(documents.sourceId, sourceIds),
        ),
      )
      .orderBy(asc(documents.firstSeenAt), asc(documents.id)),
  );
  return rows.filter(
    ({ status, cleanDigest, contentHash }) =>
      status === "fetched" || !isCleanedFrom(cleanDigest, { cleanVersion, contentHash }, options),
  );
}

/** A new text has to be compared anew. */
const notYetCompared = { signature: null, duplicateOf: null, duplicate: null, duplicatePassages: null };

/** The content that was read to make what is saved; when the document has another one by now, nothing is saved. */
type ReadContent = Pick<Document, "id" | "contentHash">;

async function saveOutcome(scope: Scope, read: ReadContent, outcome: Partial<Document>): Promise<boolean> {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .update(documents)
      .set({ ...outcome, ...notYetCompared })
      .where(
        and(
          eq(documents.id, read.id),
          eq(documents.workspaceId, scope.workspaceId),
          eq(documents.contentHash, read.contentHash),
        ),
      )
      .returning({ id: documents.id }),
  );
  return rows.length > 0;
}

/** @returns false when the document has another content by now */
export async function saveCleaned(
  scope: Scope,
  read: ReadContent,
  cleaned: {
    cleanKey: string;
    cleanDigest: string;
    title: string;
    mediaType: string;
    language: string;
    textChars: number;
    quality: QualityScores;
    piiCounts: Record<string, number>;
    warnings: string[];
  },
): Promise<boolean> {
  return saveOutcome(scope, read, { ...cleaned, status: "kept", drop: null });
}

/** @returns false when the document has another content by now */
export async function saveDropped(
  scope: Scope,
  read: ReadContent,
  dropped: {
    status: "dropped" | "quarantined";
    cleanDigest: string;
    drop: { stage: string; code: string; reason: string };
    quality?: QualityScores;
    language?: string;
  },
): Promise<boolean> {
  return saveOutcome(scope, read, { ...dropped, cleanKey: null });
}

/** Live documents of these sources; null counts all sources. */
export async function countSourceDocuments(scope: Scope, sourceIds: string[] | null): Promise<number> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select({ count: sql<number>`count(*)::int` })
      .from(documents)
      .where(and(live(scope), sourceIds === null ? undefined : inArray(documents.sourceId, sourceIds))),
  );
  return row?.count ?? 0;
}

/** Everything that a stage left out and that is still out, with its reason, in the form a run's report has. */
export async function listDocumentDrops(scope: Scope, sourceIds: string[] | null, stages: string[]) {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .select({ documentId: documents.id, ref: documents.ref, drop: documents.drop })
      .from(documents)
      .where(
        and(
          live(scope),
          isNotNull(documents.drop),
          inArray(sql`${documents.drop}->>'stage'`, stages),
          sourceIds === null ? undefined : inArray(documents.sourceId, sourceIds),
        ),
      )
      .orderBy(asc(documents.ref)),
  );
  return rows.map(({ documentId, ref, drop }) => ({ documentId, ref, code: drop!.code, reason: drop!.reason }));
}

/** Lets a person try a quarantined or dropped document again. */
export async function retryDocument(scope: Scope, documentId: string): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .update(documents)
      .set({ status: "fetched", drop: null, cleanDigest: null, fingerprint: "" })
      .where(and(eq(documents.id, documentId), eq(documents.workspaceId, scope.workspaceId))),
  );
}

/** What deduplication needs of every kept document, in the order of age. */
export async function listKeptDocuments(scope: Scope) {
  return inWorkspace(scope, (tx) =>
    tx
      .select({
        id: documents.id,
        ref: documents.ref,
        uri: documents.uri,
        title: documents.title,
        sourceId: documents.sourceId,
        acl: documents.acl,
        language: documents.language,
        firstSeenAt: documents.firstSeenAt,
        cleanKey: documents.cleanKey,
        cleanDigest: documents.cleanDigest,
        contentHash: documents.contentHash,
        indexedHash: documents.indexedHash,
        withdrawn: documents.withdrawn,
        signature: documents.signature,
        duplicateOf: documents.duplicateOf,
        duplicate: documents.duplicate,
        duplicatePassages: documents.duplicatePassages,
      })
      .from(documents)
      .where(and(live(scope), eq(documents.status, "kept")))
      .orderBy(asc(documents.firstSeenAt), asc(documents.id)),
  );
}
export type KeptDocument = Awaited<ReturnType<typeof listKeptDocuments>>[number];

/** Columns left undefined stay as they are. */
export async function saveComparisons(
  scope: Scope,
  updates: ({ documentId: string } & Partial<
    Pick<Document, "signature" | "duplicateOf" | "duplicate" | "duplicatePassages">
  >)[],
): Promise<void> {
  // In the order in which a sync locks them too.
  const inOrder = updates.toSorted((left, right) => (left.documentId < right.documentId ? -1 : 1));
  await inWorkspace(scope, async (tx) => {
    for (const { documentId, ...set } of inOrder) {
      const mine = and(eq(documents.id, documentId), eq(documents.workspaceId, scope.workspaceId));
      await tx.update(documents).set(set).where(mine);
    }
  });
}

export async function listDuplicatesOf(scope: Scope, documentId: string) {
  return inWorkspace(scope, (tx) =>
    tx
      .select({ id: documents.id, title: documents.title, uri: documents.uri, duplicate: documents.duplicate })
      .from(documents)
      .where(and(live(scope), eq(documents.duplicateOf, documentId))),
  );
}
