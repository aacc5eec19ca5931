import { isDeepStrictEqual } from "node:util";
import { nobody, type Acl, type Principal } from "@anneal/core/access/acl";
import { AnnealError } from "@anneal/core/errors";
import { and, asc, desc, eq, isNotNull, isNull, ne, or, sql, type SQL } from "drizzle-orm";
import { inWorkspace, requireRow, type Scope } from "../database.ts";
import { directoryMembers, directoryUsers, documents, sources } from "../schema.ts";
import { isSource, nextRevision, ofSource } from "./documents-of-source.ts";
import { isHiddenCopy, readableBy } from "./documents.ts";
import { isCancelled, isPaused, isSyncing, waitsUntil } from "./source-syncs.ts";
import { unreadFingerprint } from "./synced-documents.ts";

export type Source = typeof sources.$inferSelect;

/** Nobody's, until its source is heard of it again. */
const unheard = { acl: nobody, aclInherited: false, aclOrigins: null, fingerprint: unreadFingerprint };
/** A denial of somebody unknown denies nobody. */
const refusesSomebody = sql`jsonb_array_length(${documents.acl} -> 'deny') > 0`;

/** @param readers counts only documents that somebody who holds one of these may read; left out: all */
export async function listSources(scope: Scope, readers?: Principal[]) {
  const held = sql`${documents.deletedAt} is null`;
  return inWorkspace(scope, async (tx) => {
    const of = eq(documents.workspaceId, scope.workspaceId);
    const count = (name: string, those: SQL) => sql<number>`count(*) filter (where ${those})::int`.as(name);
    // Gone through once for all counts and sources: whether somebody may read a document is the dearest question there is.
    const counts = tx
      .select({
        sourceId: documents.sourceId,
        documentCount: count("document_count", held),
        waitingCount: count("waiting_count", sql`${held} and ${documents.status} = 'fetched'`),
        unindexedCount: count(
          "unindexed_count",
          sql`${held} and ${documents.status} = 'kept' and (${documents.indexedHash} is distinct from ${documents.contentHash} or ${documents.withdrawn})`,
        ),
        quarantinedCount: count("quarantined_count", sql`${held} and ${documents.status} = 'quarantined'`),
        droppedCount: count("dropped_count", sql`${held} and ${documents.status} = 'dropped'`),
        duplicateCount: count("duplicate_count", sql`${held} and ${isHiddenCopy}`),
        deletedCount: count("deleted_count", sql`${documents.deletedAt} is not null and ${documents.contentKey} <> ''`),
      })
      .from(documents)
      .where(and(of, readers && readableBy(readers)))
      .groupBy(documents.sourceId)
      .as("counts");
    const counted = (column: SQL.Aliased<number>) => sql<number>`coalesce(${column}, 0)`;
    return tx
      .select({
        id: sources.id,
        name: sources.name,
        kind: sources.kind,
        config: sources.config,
        defaultAcl: sources.defaultAcl,
        schedule: sources.schedule,
        schedulePaused: sources.schedulePaused,
        lastSyncAt: sources.lastSyncAt,
        lastSyncError: sources.lastSyncError,
        directoryReadAt: sources.directoryReadAt,
        directoryError: sources.directoryError,
        createdAt: sources.createdAt,
        syncing: isSyncing,
        paused: isPaused,
        cancelled: isCancelled,
        waitsUntil,
        documentCount: counted(counts.documentCount),
        /** Fetched, and not cleaned yet. */
        waitingCount: counted(counts.waitingCount),
        /** Cleaned, and without passages of this content; or with older ones that nobody is shown. */
        unindexedCount: counted(counts.unindexedCount),
        quarantinedCount: counted(counts.quarantinedCount),
        /** Left out by the rules for documents, which is no failure. */
        droppedCount: counted(counts.droppedCount),
        /** Kept, and hidden behind an older document. */
        duplicateCount: counted(counts.duplicateCount),
        deletedCount: counted(counts.deletedCount),
      })
      .from(sources)
      .leftJoin(counts, eq(counts.sourceId, sources.id))
      .where(and(eq(sources.workspaceId, scope.workspaceId), isNull(sources.deletedAt)))
      .orderBy(asc(sources.name));
  });
}

/** Sources that were removed, the newest removal first, with the documents that `restoreSource` brings back. */
export async function listRemovedSources(scope: Scope) {
  return inWorkspace(scope, (tx) =>
    tx
      .select({
        id: sources.id,
        name: sources.name,
        kind: sources.kind,
        config: sources.config,
        removedAt: sql<Date>`${sources.deletedAt}`.mapWith(sources.deletedAt),
        documentCount: sql<number>`(select count(*)::int from ${documents} where ${documents.sourceId} = ${sources}."id" and ${documents.deletedAt} = ${sources}."deleted_at")`,
      })
      .from(sources)
      .where(and(eq(sources.workspaceId, scope.workspaceId), isNotNull(sources.deletedAt)))
      .orderBy(desc(sources.deletedAt)),
  );
}

/** Those of these sources that were removed. */
export async function listRemovedOf(scope: Scope, sourceIds: readonly string[]): Promise<string[]> {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .select({ id: sources.id })
      .from(sources)
      .where(
        and(
          eq(sources.workspaceId, scope.workspaceId),
          sql`${sources.id} = any(${sql.param(sourceIds)}::uuid[])`,
          isNotNull(sources.deletedAt),
        ),
      ),
  );
  return rows.map(({ id }) => id);
}

export async function getSource(scope: Scope, sourceId: string): Promise<Source> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(sources)
      .where(and(isSource(scope, sourceId), isNull(sources.deletedAt))),
  );
  return requireRow(row, "source", sourceId);
}

export async function findSourceByName(scope: Scope, name: string): Promise<Source | undefined> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(sources)
      .where(and(eq(sources.workspaceId, scope.workspaceId), eq(sources.name, name))),
  );
  return row;
}

/**
 * A new source, or a change of one. Documents without permissions of their own have the default from the same moment;
 * whoever that takes away from finds nothing any more, and the index's payloads follow with the next push of readers.
 *
 * The default is about what is read from the source's address. What was read from another one is nobody's until it is read
 * again: it may long have been for fewer readers, and whom it refuses by itself is told of no more. So is what was read, with
 * readers of its own or without, where other settings say now who these are, and what refuses somebody where other settings
 * say who people are. Whoever reads by the old settings meanwhile writes nothing any more. A removed source lets go of its
 * name for another one to have it.
 */
export async function saveSource(
  scope: Scope,
  source: {
    id: string;
    name: string;
    kind: string;
    config: Record<string, unknown>;
    /** Left out, they stay as they are, also where they are renewed meanwhile. */
    sealedSecrets?: Buffer | null;
    /** What the source was when it was decided whether its credentials may stay and what is hidden: it must be that by now. */
    checkedConfig?: Record<string, unknown>;
    defaultAcl: Acl;
    schedule: string | null;
    /** Left out, it stays as it is. */
    schedulePaused?: boolean;
    /** Whether it leads to another address from now on. */
    isElsewhere?: boolean;
    /** What the refs of documents begin with for which other settings say from now on who reads them. */
    partsWithOtherReaders?: readonly string[];
    /** Whether other settings say from now on who its people are and what groups they are in. */
    hasOtherPeople?: boolean;
  },
): Promise<void> {
  const { checkedConfig, isElsewhere = false, partsWithOtherReaders = [], hasOtherPeople = false, ...row } = source;
  const { id: _, ...changes } = row;
  const hidden = [
    ...(isElsewhere ? [eq(documents.aclInherited, true)] : []),
    ...(isElsewhere || hasOtherPeople ? [refusesSomebody] : []),
    ...partsWithOtherReaders.map((part) => sql`starts_with(${documents.ref}, ${part})`),
  ];
  await inWorkspace(scope, async (tx) => {
    const [now] = await tx.select().from(sources).where(isSource(scope, source.id)).for("update");
    if (checkedConfig !== undefined && !isDeepStrictEqual(now?.config, checkedConfig)) throw changedMeanwhile();
    await tx
      .update(sources)
      .set({ name: sql`left(${sources.name}, 250) || ' (removed ' || left(${sources.id}::text, 8) || ')'` })
      .where(
        and(
          eq(sources.workspaceId, scope.workspaceId),
          eq(sources.name, source.name),
          ne(sources.id, source.id),
          isNotNull(sources.deletedAt),
        ),
      );
    let isReadAnew = isElsewhere || partsWithOtherReaders.length > 0;
    if (hidden.length > 0) {
      const { rowCount } = await tx
        .update(documents)
        .set(unheard)
        .where(and(ofSource(scope, source.id), or(...hidden)));
      isReadAnew ||= rowCount !== 0;
    }
    await tx
      .insert(sources)
      .values({ ...row, workspaceId: scope.workspaceId })
      .onConflictDoUpdate({
        target: sources.id,
        // With others, what refused the old ones says nothing; nor does what came of reading another address, and deletions
        // that are held back there must not be confirmed here.
        set: {
          ...changes,
          ...(isElsewhere ? { lastSyncAt: null, lastSyncError: null } : {}),
          // A position would go past what is hidden.
          ...(isReadAnew ? { cursor: null } : {}),
          ...(isReadAnew || (now !== undefined && isReadOtherwise(now, source)) ? { revision: nextRevision } : {}),
          ...(changes.sealedSecrets === undefined ? {} : { directoryError: null }),
        },
        setWhere: eq(sources.workspaceId, scope.workspaceId),
      });
    await tx
      .update(documents)
      .set({ acl: source.defaultAcl })
      .where(
        and(
          ofSource(scope, source.id),
          eq(documents.aclInherited, true),
          sql`${documents.acl} <> ${JSON.stringify(source.defaultAcl)}::jsonb`,
        ),
      );
  });
}

/** The audience is no part of it: each write takes the one that counts then. Credentials that are sealed anew are others. */
function isReadOtherwise(
  before: Source,
  { config, sealedSecrets }: { config: Source["config"]; sealedSecrets?: Buffer | null },
): boolean {
  const hasOtherSecrets = sealedSecrets !== undefined && !isDeepStrictEqual(sealedSecrets, before.sealedSecrets);
  return hasOtherSecrets || !isDeepStrictEqual(config, before.config);
}

function changedMeanwhile(): AnnealError {
  return new AnnealError("CONFLICT", "Somebody else has changed the source meanwhile; nothing was saved.", {
    action: "Load it again, make your change and save.",
  });
}

export async function setSchedulePaused(scope: Scope, sourceId: string, schedulePaused: boolean): Promise<void> {
  await inWorkspace(scope, (tx) => tx.update(sources).set({ schedulePaused }).where(isSource(scope, sourceId)));
}

/**
 * A tombstone on the source and on its documents; both can be taken back by `restoreSource`.
 * @param stopSchedule once all else is done: where it fails, nothing is
 */
export async function deleteSource(
  scope: Scope,
  sourceId: string,
  stopSchedule: () => Promise<void> = async () => undefined,
): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    const now = new Date();
    await tx.update(sources).set({ deletedAt: now }).where(isSource(scope, sourceId));
    await tx
      .update(documents)
      .set({ deletedAt: now })
      .where(and(ofSource(scope, sourceId), isNull(documents.deletedAt)));
    // Nobody keeps them true any more, and another source's documents may name the same groups.
    for (const table of [directoryUsers, directoryMembers]) await tx.delete(table).where(eq(table.sourceId, sourceId));
    await stopSchedule();
  });
}

/**
 * Who is in the groups that documents refuse is not known any more: what refuses somebody is nobody's until it is read again.
 * @param startSchedule the one that the source had, once all else is done: where it fails, nothing is, and it can be taken
 * back again
 * @returns undefined when there was nothing to take back
 */
export async function restoreSource(
  scope: Scope,
  sourceId: string,
  startSchedule: (source: Source) => Promise<void> = async () => undefined,
): Promise<Source | undefined> {
  return inWorkspace(scope, async (tx) => {
    const [row] = await tx
      .select()
      .from(sources)
      .where(and(isSource(scope, sourceId), isNotNull(sources.deletedAt)))
      .for("update");
    if (!row?.deletedAt) return undefined;
    const refusing = await tx
      .update(documents)
      .set(unheard)
      .where(and(ofSource(scope, sourceId), refusesSomebody))
      .returning({ id: documents.id });
    // A position would go past them.
    const cursor = refusing.length > 0 ? { cursor: null } : {};
    await tx
      .update(sources)
      .set({ deletedAt: null, revision: nextRevision, ...cursor })
      .where(isSource(scope, sourceId));
    await tx
      .update(documents)
      .set({ deletedAt: null })
      .where(and(ofSource(scope, sourceId), eq(documents.deletedAt, row.deletedAt)));
    const restored = { ...row, ...cursor, revision: row.revision + 1, deletedAt: null };
    await startSchedule(restored);
    return restored;
  });
}
