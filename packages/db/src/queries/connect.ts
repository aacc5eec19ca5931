import { isDeepStrictEqual } from "node:util";
import { nobody, type Acl, type Principal } from "@anneal/core/access/acl";
import type { SourceAcl } from "@anneal/core/access/acl-origins";
import { admitsMore, narrowAcl } from "@anneal/core/access/narrow-acl";
import type { SourceItem } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { and, asc, desc, eq, gt, isNotNull, isNull, ne, or, sql, type SQL } from "drizzle-orm";
import { inWorkspace, requireRow, type Scope } from "../database.ts";
import { directoryMembers, directoryUsers, documents, sources } from "../schema.ts";
import {
  audienceColumns,
  followsSource,
  isSource,
  itemColumns,
  lockDefaultAcl,
  lockLiveSource,
  nextRevision,
  ofSource,
} from "./documents-of-source.ts";
import { isHiddenCopy, readableBy } from "./documents.ts";
import { byCodePoint, hasRef, isLong, isShort, refColumns } from "./refs.ts";
import { isCancelled, isPaused, isSyncing, waitsUntil } from "./source-syncs.ts";
import { isRefusedValue, upsertDocuments, type FetchedContent, type UpsertedDocument } from "./upsert-documents.ts";

export type Source = typeof sources.$inferSelect;

/** It is its source's again, or a tombstone, and no longer a person's. */
const notKept = { restoredAt: null, restoredBy: null };

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

/** Live refs that hold exactly this fingerprint. */
export async function listRefsWithFingerprint(scope: Scope, sourceId: string, fingerprint: string): Promise<string[]> {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .select({ ref: documents.ref })
      .from(documents)
      .where(
        and(
          ofSource(scope, sourceId),
          sql`md5(${documents.fingerprint}) = md5(${fingerprint})`,
          eq(documents.fingerprint, fingerprint),
          isNull(documents.deletedAt),
        ),
      ),
  );
  return rows.map((row) => row.ref);
}

/**
 * Refs that the source decides about, in code-point order, paged so that memory stays flat.
 * @param options.onlyUnread those that were never more than a failure
 */
export async function* streamRefs(
  scope: Scope,
  sourceId: string,
  { onlyUnread = false, pageSize = 1000 } = {},
): AsyncIterable<string> {
  const isWanted = onlyUnread ? eq(documents.contentKey, "") : undefined;
  let after = "";
  for (;;) {
    const page = (length: SQL) => sql`(select ${documents.ref} from ${documents}
      where ${and(ofSource(scope, sourceId), followsSource, isWanted, length, gt(byCodePoint, after))}
      order by ${byCodePoint} limit ${pageSize})`;
    // Each has an index, which orders those that are short.
    const { rows } = await inWorkspace(scope, (tx) =>
      tx.execute<{ ref: string }>(sql`select ref from (${page(isShort)} union all ${page(isLong)}) as refs
        order by ref collate "C" limit ${pageSize}`),
    );
    for (const row of rows) yield row.ref;
    if (rows.length < pageSize) return;
    after = rows.at(-1)!.ref;
  }
}

/** One new or changed document: a batch of one. */
export async function upsertDocument(
  scope: Scope,
  sourceId: string,
  item: SourceItem,
  content: FetchedContent,
  putContent?: () => Promise<void>,
): Promise<UpsertedDocument> {
  const [document] = await upsertDocuments(scope, sourceId, [{ item, content, putContent }]);
  return document!;
}

/** Of what could not be read. Never equal to a real one: the next sync tries again. */
export const unreadFingerprint = "";
/** Nobody's, until its source is heard of it again. */
const unheard = { acl: nobody, aclInherited: false, aclOrigins: null, fingerprint: unreadFingerprint };
/** A denial of somebody unknown denies nobody. */
const refusesSomebody = sql`jsonb_array_length(${documents.acl} -> 'deny') > 0`;

/**
 * A document whose content could not be fetched: known, and shown with its reason to whom `given` admits. One that was
 * fetched before stays as it is.
 * @param given null: whom the source's default admits
 * @param revision as with `upsertDocuments`
 */
export async function quarantineRef(
  scope: Scope,
  sourceId: string,
  ref: string,
  drop: { stage: string; code: string; reason: string },
  given: SourceAcl | null = null,
  revision?: number,
): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    const defaultAcl = await lockDefaultAcl(scope, tx, sourceId, revision);
    const quarantined = { status: "quarantined" as const, drop, ...audienceColumns(given, defaultAcl) };
    await tx
      .update(documents)
      .set({ ...quarantined, deletedAt: null })
      .where(and(ofSource(scope, sourceId), hasRef(ref), eq(documents.contentKey, "")));
    await tx
      .insert(documents)
      .values({
        ...quarantined,
        workspaceId: scope.workspaceId,
        sourceId,
        ...refColumns(ref),
        uri: ref,
        title: ref,
        fingerprint: unreadFingerprint,
        contentHash: "",
        contentKey: "",
      })
      .onConflictDoNothing();
  });
}

/**
 * @param revision as with `upsertDocuments`
 * @returns whether it was a document; false also for one that a person keeps, and for what was never more than a failure
 */
export async function markDocumentDeleted(
  scope: Scope,
  sourceId: string,
  ref: string,
  revision?: number,
): Promise<boolean> {
  const rows = await inWorkspace(scope, async (tx) => {
    await lockLiveSource(scope, tx, sourceId, revision);
    return tx
      .update(documents)
      .set({ deletedAt: new Date() })
      .where(and(ofSource(scope, sourceId), hasRef(ref), followsSource))
      .returning({ contentKey: documents.contentKey });
  });
  return rows.some(({ contentKey }) => contentKey !== "");
}

/** @param revision as with `upsertDocuments` */
export async function saveDocumentAcl(
  scope: Scope,
  sourceId: string,
  change: { ref: string; acl: SourceAcl; fingerprint: string },
  revision?: number,
): Promise<void> {
  const { ref, fingerprint } = change;
  const save = async (granted: SourceAcl) => {
    await inWorkspace(scope, async (tx) => {
      await lockLiveSource(scope, tx, sourceId, revision);
      await tx
        .update(documents)
        .set({ ...audienceColumns(granted, nobody), fingerprint })
        .where(and(ofSource(scope, sourceId), hasRef(ref)));
    });
  };
  try {
    await save(change.acl);
  } catch (error) {
    // Readers that the database cannot hold, such as one with a null character in its id, cannot be told: nobody.
    if (!isRefusedValue(error)) throw error;
    await save(nobody);
  }
}

/**
 * Takes a document from whom its source does not admit any more, and admits nobody: what is held may be of an older content
 * than the one that the source shows to these.
 * @param revision as with `upsertDocuments`
 * @returns whether there is somebody to admit, which `saveDocumentAcl` does; else the change is carried out
 */
export async function narrowDocumentAcl(
  scope: Scope,
  sourceId: string,
  change: { ref: string; acl: SourceAcl; fingerprint: string },
  revision?: number,
): Promise<boolean> {
  const { ref, fingerprint } = change;
  try {
    return await inWorkspace(scope, async (tx) => {
      await lockLiveSource(scope, tx, sourceId, revision);
      const isIt = and(ofSource(scope, sourceId), hasRef(ref));
      const [held] = await tx.select({ acl: documents.acl }).from(documents).where(isIt).for("update");
      if (held === undefined) return false;
      const carriedOut = { ...audienceColumns(change.acl, nobody), fingerprint };
      const { acl } = carriedOut;
      const more = admitsMore(held.acl, acl);
      const narrowed = { acl: narrowAcl(held.acl, acl), aclInherited: false, aclOrigins: null };
      if (!more) await tx.update(documents).set(carriedOut).where(isIt);
      else if (admitsMore(acl, held.acl)) await tx.update(documents).set(narrowed).where(isIt);
      return more;
    });
  } catch (error) {
    if (!isRefusedValue(error)) throw error;
    await saveDocumentAcl(scope, sourceId, { ...change, acl: nobody }, revision);
    return false;
  }
}

/**
 * Keeps the document's identity and everything made from it under its new ref.
 * @param revision as with `upsertDocuments`
 */
export async function moveDocument(
  scope: Scope,
  sourceId: string,
  fromRef: string,
  item: SourceItem,
  revision?: number,
): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    const defaultAcl = await lockDefaultAcl(scope, tx, sourceId, revision);
    // A tombstone, or what a person keeps, may stand where the document moves to: it makes room and can still be taken
    // back or let go.
    const [inTheWay] = await tx
      .select({ id: documents.id })
      .from(documents)
      .where(
        and(
          ofSource(scope, sourceId),
          hasRef(item.ref),
          ne(documents.ref, fromRef),
          or(isNotNull(documents.deletedAt), isNotNull(documents.restoredAt)),
        ),
      );
    if (inTheWay !== undefined)
      await tx
        .update(documents)
        .set(refColumns(`${item.ref} #${inTheWay.id}`))
        .where(eq(documents.id, inTheWay.id));
    await tx
      .update(documents)
      .set({ ...itemColumns(item, defaultAcl), ...notKept, deletedAt: null })
      .where(and(ofSource(scope, sourceId), hasRef(fromRef)));
  });
}
