import type { Acl, Principal } from "@anneal/core/access/acl";
import type { TeachingDocument } from "@anneal/core/dataset/dataset-acl";
import { and, asc, desc, eq, inArray, isNotNull, isNull, sql } from "drizzle-orm";
import { inWorkspace, requireRow, type Scope } from "../database.ts";
import {
  adapters,
  adapterVersions,
  datasetPairs,
  datasetVersions,
  documentPairs,
  documents,
  trainingRuns,
} from "../schema.ts";
import { readableBy } from "./documents.ts";

export type DatasetVersion = typeof datasetVersions.$inferSelect;
export type DatasetPair = typeof datasetPairs.$inferSelect;

export async function findDocumentPairs(
  scope: Scope,
  documentId: string,
  inputDigest: string,
): Promise<unknown[] | undefined> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select({ pairs: documentPairs.pairs })
      .from(documentPairs)
      .where(and(eq(documentPairs.documentId, documentId), eq(documentPairs.inputDigest, inputDigest))),
  );
  return row?.pairs;
}

export async function saveDocumentPairs(
  scope: Scope,
  documentId: string,
  inputDigest: string,
  pairs: unknown[],
): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .insert(documentPairs)
      .values({ workspaceId: scope.workspaceId, documentId, inputDigest, pairs })
      .onConflictDoUpdate({ target: [documentPairs.documentId, documentPairs.inputDigest], set: { pairs } }),
  );
}

/** Saves a version under its digest; an equal one that exists already is returned as it is (versions are immutable). */
export async function saveDatasetVersion(
  scope: Scope,
  version: {
    id: string;
    name: string;
    digest: string;
    trainKey: string;
    evalKey: string;
    trainCount: number;
    evalCount: number;
    pairCount: number;
    droppedCount: number;
    acl: Acl;
    settings: Record<string, unknown>;
    stats: Record<string, unknown>;
    runId: string | null;
  },
  pairs: Omit<DatasetPair, "id" | "workspaceId" | "datasetVersionId">[],
): Promise<{ version: DatasetVersion; created: boolean }> {
  return inWorkspace(scope, async (tx) => {
    // Serialises the numbering of one dataset's versions.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${`${scope.workspaceId}:${version.name}`}))`);
    const sameName = and(eq(datasetVersions.workspaceId, scope.workspaceId), eq(datasetVersions.name, version.name));
    const [existing] = await tx
      .select()
      .from(datasetVersions)
      .where(and(sameName, eq(datasetVersions.digest, version.digest)));
    if (existing) return { version: existing, created: false };
    const [last] = await tx
      .select({ version: sql<number>`coalesce(max(${datasetVersions.version}), 0)::int` })
      .from(datasetVersions)
      .where(sameName);
    const [row] = await tx
      .insert(datasetVersions)
      .values({ ...version, workspaceId: scope.workspaceId, version: (last?.version ?? 0) + 1 })
      .returning();
    for (let start = 0; start < pairs.length; start += 500) {
      await tx.insert(datasetPairs).values(
        pairs.slice(start, start + 500).map((pair) => ({
          ...pair,
          workspaceId: scope.workspaceId,
          datasetVersionId: row!.id,
        })),
      );
    }
    return { version: row!, created: true };
  });
}

export async function listDatasetVersions(scope: Scope): Promise<DatasetVersion[]> {
  return inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(datasetVersions)
      .where(eq(datasetVersions.workspaceId, scope.workspaceId))
      .orderBy(asc(datasetVersions.name), desc(datasetVersions.version)),
  );
}

export async function getDatasetVersion(scope: Scope, datasetVersionId: string): Promise<DatasetVersion> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(datasetVersions)
      .where(and(eq(datasetVersions.id, datasetVersionId), eq(datasetVersions.workspaceId, scope.workspaceId))),
  );
  return requireRow(row, "dataset version", datasetVersionId);
}

export async function listDatasetPairs(
  scope: Scope,
  datasetVersionId: string,
  filter: {
    split?: "train" | "eval";
    origin?: "extracted" | "generated";
    dropped?: boolean;
    dropCode?: string;
    documentId?: string;
    search?: string;
    /** Only pairs of documents that somebody who holds one of these may read; a document that is gone has no reader. */
    readers?: Principal[];
    /** With those of documents that their sources have no longer, which are an administrator's, as in `mayReadDataset`. */
    withDeleted?: boolean;
  },
  page: { limit: number; offset: number },
) {
  const where = and(
    eq(datasetPairs.workspaceId, scope.workspaceId),
    eq(datasetPairs.datasetVersionId, datasetVersionId),
    filter.split === undefined ? undefined : eq(datasetPairs.split, filter.split),
    filter.origin === undefined ? undefined : eq(datasetPairs.origin, filter.origin),
    filter.dropped === undefined
      ? undefined
      : filter.dropped
        ? isNotNull(datasetPairs.drop)
        : isNull(datasetPairs.drop),
    filter.dropCode === undefined ? undefined : sql`${datasetPairs.drop}->>'code' = ${filter.dropCode}`,
    filter.documentId === undefined ? undefined : eq(datasetPairs.documentId, filter.documentId),
    // What was withdrawn speaks in the pairs as well that were made of it.
    filter.readers === undefined ? undefined : and(readableBy(filter.readers), eq(documents.withdrawn, false)),
    filter.readers === undefined || filter.withDeleted === true ? undefined : isNull(documents.deletedAt),
    filter.search === undefined || filter.search === ""
      ? undefined
      : sql`${datasetPairs.question} || ' ' || ${datasetPairs.answer} ilike ${`%${filter.search.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`}`,
  );
  return inWorkspace(scope, async (tx) => {
    const rows = await tx
      .select({
        pair: datasetPairs,
        documentTitle: documents.title,
        documentUri: documents.uri,
        documentAcl: documents.acl,
      })
      .from(datasetPairs)
      .leftJoin(documents, eq(documents.id, datasetPairs.documentId))
      .where(where)
      .orderBy(asc(datasetPairs.ordinal))
      .limit(page.limit)
      .offset(page.offset);
    const [count] = await tx
      .select({ total: sql<number>`count(*)::int` })
      .from(datasetPairs)
      .leftJoin(documents, eq(documents.id, datasetPairs.documentId))
      .where(where);
    return { rows, total: count?.total ?? 0 };
  });
}

/** Which dataset versions a document taught, newest first. */
export async function listDatasetsOfDocument(scope: Scope, documentId: string) {
  return inWorkspace(scope, (tx) =>
    tx
      .select({
        id: datasetVersions.id,
        name: datasetVersions.name,
        version: datasetVersions.version,
        pairs: sql<number>`count(*)::int`,
      })
      .from(datasetPairs)
      .innerJoin(datasetVersions, eq(datasetVersions.id, datasetPairs.datasetVersionId))
      .where(
        and(
          eq(datasetPairs.workspaceId, scope.workspaceId),
          eq(datasetPairs.documentId, documentId),
          isNull(datasetPairs.drop),
        ),
      )
      .groupBy(datasetVersions.id, datasetVersions.name, datasetVersions.version)
      .orderBy(desc(datasetVersions.version)),
  );
}

/** Which documents a version was made from, the largest share first, with their ACLs. */
export async function listDocumentsOfDataset(scope: Scope, datasetVersionId: string) {
  return inWorkspace(scope, (tx) =>
    tx
      .select({
        id: documents.id,
        title: documents.title,
        acl: documents.acl,
        pairs: sql<number>`count(*)::int`,
      })
      .from(datasetPairs)
      .innerJoin(documents, eq(documents.id, datasetPairs.documentId))
      .where(
        and(
          eq(datasetPairs.workspaceId, scope.workspaceId),
          eq(datasetPairs.datasetVersionId, datasetVersionId),
          isNull(datasetPairs.drop),
        ),
      )
      .groupBy(documents.id, documents.title, documents.acl)
      .orderBy(desc(sql`count(*)`), asc(documents.title)),
  );
}

/**
 * Of every document behind the kept pairs of these versions (undefined: of all), how it stands now; those that stand
 * alike once, with how many they are. A version without pairs is not in the answer.
 */
export async function listTeachingDocuments(
  scope: Scope,
  datasetVersionIds?: string[],
): Promise<Map<string, (TeachingDocument & { documents: number })[]>> {
  const deleted = sql<boolean>`${documents.deletedAt} is not null`;
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .select({
        datasetVersionId: datasetPairs.datasetVersionId,
        acl: documents.acl,
        deleted,
        documents: sql<number>`count(distinct ${datasetPairs.documentId})::int`,
      })
      .from(datasetPairs)
      .leftJoin(documents, eq(documents.id, datasetPairs.documentId))
      .where(
        and(
          eq(datasetPairs.workspaceId, scope.workspaceId),
          isNull(datasetPairs.drop),
          datasetVersionIds === undefined ? undefined : inArray(datasetPairs.datasetVersionId, datasetVersionIds),
        ),
      )
      .groupBy(datasetPairs.datasetVersionId, documents.acl, deleted),
  );
  const standing = new Map<string, (TeachingDocument & { documents: number })[]>();
  for (const { datasetVersionId, ...document } of rows) {
    standing.set(datasetVersionId, [...(standing.get(datasetVersionId) ?? []), document]);
  }
  return standing;
}

/** What was trained on a version, and the adapter versions that came of it. */
export async function listUsesOfDataset(scope: Scope, datasetVersionId: string) {
  return inWorkspace(scope, async (tx) => ({
    trainings: await tx
      .select({
        id: trainingRuns.id,
        status: trainingRuns.status,
        baseModel: trainingRuns.baseModel,
        createdAt: trainingRuns.createdAt,
      })
      .from(trainingRuns)
      .where(and(eq(trainingRuns.workspaceId, scope.workspaceId), eq(trainingRuns.datasetVersionId, datasetVersionId)))
      .orderBy(desc(trainingRuns.createdAt)),
    adapterVersions: await tx
      .select({
        id: adapterVersions.id,
        adapterId: adapters.id,
        name: adapters.name,
        version: adapterVersions.version,
        trainingRunId: sql<string>`${adapterVersions.lineage}->>'trainingRunId'`,
      })
      .from(adapterVersions)
      .innerJoin(adapters, eq(adapters.id, adapterVersions.adapterId))
      .where(
        and(
          eq(adapterVersions.workspaceId, scope.workspaceId),
          sql`${adapterVersions.lineage}->>'datasetVersionId' = ${datasetVersionId}`,
        ),
      )
      .orderBy(desc(adapterVersions.createdAt)),
  }));
}

/** How many pairs of a version there are by split, origin and reason for being left out. */
export async function countDatasetFacets(scope: Scope, datasetVersionId: string) {
  const where = and(
    eq(datasetPairs.workspaceId, scope.workspaceId),
    eq(datasetPairs.datasetVersionId, datasetVersionId),
  );
  const count = sql<number>`count(*)::int`;
  const dropCode = sql<string | null>`${datasetPairs.drop}->>'code'`;
  return inWorkspace(scope, (tx) =>
    tx
      .select({ split: datasetPairs.split, origin: datasetPairs.origin, dropCode, count })
      .from(datasetPairs)
      .where(where)
      .groupBy(datasetPairs.split, datasetPairs.origin, dropCode),
  );
}
