import type { Cursor, JournalWrite } from "@anneal/core/connect/change";
import type { ErrorReport } from "@anneal/core/errors";
import { maxSyncFailures, type SyncFailure } from "@anneal/core/connect/contract";
import type { LeftOut } from "@anneal/core/connect/left-out";
import type { SyncProgress } from "@anneal/core/connect/measure-sync";
import { and, desc, eq, getTableColumns, inArray, isNull, ne, or, sql } from "drizzle-orm";
import { inWorkspace, requireRow, type Scope } from "../database.ts";
import { isLocked } from "../lock.ts";
import { documents, sources, sourceSyncs } from "../schema.ts";
import {
  followsSource,
  isAtRevision,
  isSource,
  ofSource as documentsOf,
  removedWhileRead,
  requireRevision,
} from "./documents-of-source.ts";
import { hasOneOf } from "./refs.ts";
import { writeJournal } from "./source-journal.ts";

/**
 * SQL: how many of its failures are of places (a folder, a space, all of the source), which are no documents that were seen. A
 * page of a website has its address for a ref, which may end as a folder's does. Of a longer list only the first are known.
 */
const failedPlaces = sql<number>`(select count(*)::int from jsonb_array_elements(${sourceSyncs.failures}) as failure
  where failure->>'ref' = '' or failure->>'ref' like '%/' and failure->>'ref' !~ '^https?://')`;

// What failed names documents, and those have readers: see `getSyncFailures`.
const { failures: _, ...columns } = getTableColumns(sourceSyncs);
const syncColumns = { ...columns, failedPlaces };

export type SourceSync = Omit<typeof sourceSyncs.$inferSelect, "failures"> & { failedPlaces: number };
export type SyncCounts = Pick<SourceSync, "scanned" | "read" | "added" | "changed" | "removed" | "dropped" | "bytes">;
/** What one sync has done so far. `failures` are the first of those that it could not read, in all of its attempts. */
export type SyncState = { id: string; counts: SyncCounts; failures?: SyncFailure[] };
/** `revision`: of the source, when the attempt began; left out: whichever it has. */
type OfRevision = { revision?: number };

/** Whoever reads a source holds this lock, so that nobody else does. */
export const syncLockName = (sourceId: string) => `sync:${sourceId}`;

/** SQL: somebody reads the source now. A row alone may be that of a process that died. */
export const isSyncing = sql<boolean>`(exists (select from ${sourceSyncs}
  where ${sourceSyncs.sourceId} = ${sources}."id" and ${sourceSyncs.status} = 'running')
  and ${isLocked(sql`'sync:' || ${sources}."id"::text`)})`;

/** SQL: a sync of the source waits for somebody to resume it. */
export const isPaused = sql<boolean>`exists (select from ${sourceSyncs}
  where ${sourceSyncs.sourceId} = ${sources}."id" and ${sourceSyncs.status} = 'paused')`;

/** SQL: somebody cancelled the newest sync of the source. One that was skipped read nothing and ended nothing. */
export const isCancelled = sql<boolean>`coalesce((select ${sourceSyncs.status} = 'cancelled' from ${sourceSyncs}
  where ${sourceSyncs.sourceId} = ${sources}."id" and ${sourceSyncs.status} <> 'skipped'
  order by ${sourceSyncs.startedAt} desc, ${sourceSyncs.id} desc limit 1), false)`;

/**
 * SQL: the row of a sync that waits, or is about to go on after its wait. One whose wait has long been over was left by a
 * workflow that was ended from outside.
 */
const isWaiting = sql`(${sourceSyncs.status} = 'waiting' and ${sourceSyncs.waitsUntil} > now() - interval '5 minutes')`;

/** SQL: until when a sync of the source waits, because the source asked for it. */
export const waitsUntil = sql`(select max(${sourceSyncs.waitsUntil}) from ${sourceSyncs}
  where ${sourceSyncs.sourceId} = ${sources}."id" and ${isWaiting})`.mapWith(
  (text: string): Date | null => new Date(text),
);

type NewSync = Pick<SourceSync, "id" | "sourceId" | "runId" | "startedBy"> & { workflowId?: string } & OfRevision;

const isSync = (scope: Scope, syncId: string) =>
  and(eq(sourceSyncs.id, syncId), eq(sourceSyncs.workspaceId, scope.workspaceId));
const ofSource = (scope: Scope, sourceId: string) =>
  and(eq(sourceSyncs.sourceId, sourceId), eq(sourceSyncs.workspaceId, scope.workspaceId));

/** SQL: what a process counted and died before it was listed is met again. Of a longer list only the count is known. */
const listedFailures = sql`case when jsonb_array_length(${sourceSyncs.failures}) < ${maxSyncFailures}
  then jsonb_array_length(${sourceSyncs.failures}) else ${sourceSyncs.dropped} end`;

/** Why a sync that was paused can no longer be resumed, or what it waited for is over. */
const superseded: ErrorReport = {
  code: "CANCELLED",
  message: "It was paused or waited, and a later read of the source went on from its checkpoint.",
  action: "Nothing is to be done: what it had not read, the later read finds.",
};

/**
 * Opens the row of a sync, or the same one again for another attempt. To be called by who holds the source's lock:
 * whatever else is still open there was left by a process that died, or is paused or waits and has nothing left to go on
 * with.
 * @returns what earlier attempts did
 */
export async function beginSync(scope: Scope, sync: NewSync): Promise<SyncCounts> {
  return inWorkspace(scope, async (tx) => {
    const interrupted: ErrorReport = {
      code: "ENGINE_UNAVAILABLE",
      message: "The worker ended while it read this source.",
      action: "Nothing is to be done: a later read went on where this one ended.",
    };
    await tx
      .update(sourceSyncs)
      .set({ status: "failed", endedAt: new Date(), error: interrupted })
      .where(
        and(eq(sourceSyncs.sourceId, sync.sourceId), eq(sourceSyncs.status, "running"), ne(sourceSyncs.id, sync.id)),
      );
    await tx
      .update(sourceSyncs)
      .set({ status: "cancelled", error: superseded, waitsUntil: null })
      .where(
        and(
          ofSource(scope, sync.sourceId),
          inArray(sourceSyncs.status, ["paused", "waiting"]),
          ne(sourceSyncs.id, sync.id),
        ),
      );
    const [row] = await tx
      .insert(sourceSyncs)
      .values({ ...sync, workspaceId: scope.workspaceId, status: "running" })
      // What could not be read before the last checkpoint is not met again: it stays in the list.
      .onConflictDoUpdate({
        target: sourceSyncs.id,
        set: {
          status: "running",
          workflowId: sync.workflowId,
          endedAt: null,
          error: null,
          waitsUntil: null,
          progress: null,
          dropped: listedFailures,
        },
      })
      .returning();
    const { scanned, read, added, changed, removed, dropped, bytes } = row!;
    return { scanned, read, added, changed, removed, dropped, bytes };
  });
}

/**
 * A checkpoint: only after everything before it is durable.
 * @param sync.leftOut what this attempt has left out; left out itself, what was written of it stays
 * @returns whether somebody asked the sync to pause here
 * @throws AnnealError CONFLICT when the source has another revision by now, and so another position; SOURCE_NOT_FOUND when it
 * was removed
 */
export async function saveCursor(
  scope: Scope,
  sourceId: string,
  cursor: Cursor,
  sync: SyncState & OfRevision & { leftOut?: LeftOut },
  journal?: JournalWrite,
): Promise<{ pauseRequested: boolean }> {
  return inWorkspace(scope, async (tx) => {
    const [source] = await tx
      .update(sources)
      .set({ cursor })
      .where(isSource(scope, sourceId))
      .returning({ name: sources.name, revision: sources.revision, deletedAt: sources.deletedAt });
    if (source !== undefined) requireRevision(source, sync.revision);
    // Of what it would go past, nothing was written.
    if (source !== undefined && source.deletedAt !== null) throw removedWhileRead(source.name);
    if (journal !== undefined) await writeJournal(tx, scope, sourceId, journal);
    const [row] = await tx
      .update(sourceSyncs)
      .set({ ...sync.counts, failures: sync.failures, leftOut: sync.leftOut })
      .where(isSync(scope, sync.id))
      .returning({ pauseRequestedAt: sourceSyncs.pauseRequestedAt });
    return { pauseRequested: row !== undefined && row.pauseRequestedAt !== null };
  });
}

/** Between checkpoints, for whoever watches: what is counted here is durable, and where the source goes on is not. */
export async function saveSyncProgress(
  scope: Scope,
  { id, counts }: SyncState,
  progress: SyncProgress & { listed: number },
): Promise<void> {
  const { listed, ...measured } = progress;
  await inWorkspace(scope, (tx) =>
    tx
      .update(sourceSyncs)
      .set({ ...counts, scanned: listed, progress: measured })
      .where(and(isSync(scope, id), eq(sourceSyncs.status, "running"))),
  );
}

/**
 * Asks a sync outside of runs to stop at its next checkpoint; one that waits stops when it would go on.
 * @returns false when none reads the source
 */
export async function requestPause(scope: Scope, sourceId: string): Promise<boolean> {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .update(sourceSyncs)
      .set({ pauseRequestedAt: new Date() })
      .where(
        and(ofSource(scope, sourceId), or(eq(sourceSyncs.status, "running"), isWaiting), isNull(sourceSyncs.runId)),
      )
      .returning({ id: sourceSyncs.id }),
  );
  return rows.length > 0;
}

export async function isPauseRequested(scope: Scope, syncId: string): Promise<boolean> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx.select({ at: sourceSyncs.pauseRequestedAt }).from(sourceSyncs).where(isSync(scope, syncId)),
  );
  return row !== undefined && row.at !== null;
}

/** How many documents the last sync that came to its end listed; null before the first one. */
export async function findLastListed(scope: Scope, sourceId: string): Promise<number | null> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select({ scanned: sourceSyncs.scanned })
      .from(sourceSyncs)
      .where(and(ofSource(scope, sourceId), eq(sourceSyncs.status, "done")))
      .orderBy(desc(sourceSyncs.startedAt), desc(sourceSyncs.id))
      .limit(1),
  );
  return row?.scanned ?? null;
}

/** How many documents are held of a source that a sync has gone through to its end; null before the first one. */
export async function countHeldDocuments(scope: Scope, sourceId: string): Promise<number | null> {
  if ((await findLastListed(scope, sourceId)) === null) return null;
  return inWorkspace(scope, (tx) => tx.$count(documents, and(documentsOf(scope, sourceId), followsSource)));
}

const openStatuses = ["running", "paused", "waiting"] as const;
const isOpen = or(inArray(sourceSyncs.status, ["running", "paused"]), isWaiting);

/**
 * Takes a sync that waits, also for somebody to resume it, or whose process is gone, as cancelled.
 * @returns false when it is not open
 */
export async function abandonSync(scope: Scope, syncId: string): Promise<boolean> {
  const cancelled = { status: "cancelled" as const, error: null, progress: null, pauseRequestedAt: null };
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .update(sourceSyncs)
      .set({ ...cancelled, waitsUntil: null, endedAt: new Date() })
      .where(and(isSync(scope, syncId), inArray(sourceSyncs.status, openStatuses)))
      .returning({ id: sourceSyncs.id }),
  );
  return rows.length > 0;
}

/** A sync that waited, and whose next attempt failed before it began. Leaves alone what does not wait any more. */
export async function failWaiting(scope: Scope, syncId: string, error: ErrorReport): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    const [row] = await tx
      .update(sourceSyncs)
      .set({ status: "failed", error, endedAt: new Date(), waitsUntil: null })
      .where(and(isSync(scope, syncId), eq(sourceSyncs.status, "waiting")))
      .returning({ sourceId: sourceSyncs.sourceId });
    if (row === undefined) return;
    await tx
      .update(sources)
      .set({ lastSyncError: error })
      .where(and(eq(sources.id, row.sourceId), eq(sources.workspaceId, scope.workspaceId)));
  });
}

export type SyncEnd =
  /** `heldBack`: what a person has to decide about, such as a mass deletion. */
  | { status: "done"; heldBack: ErrorReport | null }
  | { status: "failed"; error: ErrorReport }
  /** No end, but nobody reads until then: `error` is the source's word. */
  | { status: "waiting"; until: Date; error: ErrorReport }
  | { status: "cancelled" | "paused" };

/** Of the source itself it says nothing once that has another revision: what came of the old one is over. */
export async function endSync(
  scope: Scope,
  sync: SyncState & OfRevision & { sourceId: string },
  end: SyncEnd,
): Promise<void> {
  const error = end.status === "done" ? end.heldBack : "error" in end ? end.error : null;
  const endedAt = new Date();
  await inWorkspace(scope, async (tx) => {
    await tx
      .update(sourceSyncs)
      .set({
        ...sync.counts,
        failures: sync.failures,
        status: end.status,
        error,
        endedAt: end.status === "waiting" ? null : endedAt,
        waitsUntil: end.status === "waiting" ? end.until : null,
        progress: null,
        // Whoever resumes it does not want it to pause again; whoever tries it again after a failure still does.
        ...(end.status === "failed" || end.status === "waiting" ? {} : { pauseRequestedAt: null }),
      })
      .where(isSync(scope, sync.id));
    if (end.status !== "done" && end.status !== "failed") return;
    await tx
      .update(sources)
      .set({ lastSyncError: error, ...(error === null ? { lastSyncAt: endedAt } : {}) })
      .where(and(isSource(scope, sync.sourceId), isAtRevision(sync.revision)));
  });
}

/** A sync that did not begin, because another one reads the source. */
export async function skipSync(scope: Scope, sync: NewSync, error: ErrorReport): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .insert(sourceSyncs)
      .values({ ...sync, workspaceId: scope.workspaceId, status: "skipped", error, endedAt: new Date() })
      .onConflictDoNothing(),
  );
}

/** The sync that reads the source, as far as the rows know, or that waits for it, or to be resumed. */
export async function findOpenSync(scope: Scope, sourceId: string): Promise<SourceSync | undefined> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select(syncColumns)
      .from(sourceSyncs)
      .where(and(ofSource(scope, sourceId), isOpen))
      .orderBy(desc(sourceSyncs.startedAt)),
  );
  return row;
}

/** Whether the source is still as it was when the sync first began, in whichever attempt that was. */
export async function isAtFirstRevision(scope: Scope, syncId: string, revision: number): Promise<boolean> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx.select({ revision: sourceSyncs.revision }).from(sourceSyncs).where(isSync(scope, syncId)),
  );
  return requireRow(row, "sync", syncId).revision === revision;
}

/** What earlier attempts of the sync could not read: the first of it. */
export async function listSyncFailures(scope: Scope, syncId: string): Promise<SyncFailure[]> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx.select({ failures: sourceSyncs.failures }).from(sourceSyncs).where(isSync(scope, syncId)),
  );
  return requireRow(row, "sync", syncId).failures;
}

/**
 * What a sync could not read. `document` is the row of it, where there is one: who may read that may know of this; what
 * has none is an administrator's to know.
 */
export async function getSyncFailures(scope: Scope, sourceId: string, syncId: string) {
  return inWorkspace(scope, async (tx) => {
    const [row] = await tx
      .select({ failures: sourceSyncs.failures })
      .from(sourceSyncs)
      .where(and(isSync(scope, syncId), eq(sourceSyncs.sourceId, sourceId)));
    const { failures } = requireRow(row, "sync of this source", syncId);
    const refs = failures.map(({ ref }) => ref);
    const known = await tx
      .select({ id: documents.id, ref: documents.ref, acl: documents.acl })
      .from(documents)
      .where(and(eq(documents.sourceId, sourceId), eq(documents.workspaceId, scope.workspaceId), hasOneOf(refs)));
    const byRef = new Map(known.map((document) => [document.ref, document]));
    return failures.map((failure) => ({ ...failure, document: byRef.get(failure.ref) ?? null }));
  });
}

/** What is read outside of runs: now, by a process that lives, or again once a wait is over (`waitsUntil`). */
export async function listActiveSyncs(scope: Scope) {
  return inWorkspace(scope, (tx) =>
    tx
      .select({
        sourceId: sources.id,
        name: sources.name,
        startedAt: sourceSyncs.startedAt,
        waitsUntil: sourceSyncs.waitsUntil,
        pauseRequestedAt: sourceSyncs.pauseRequestedAt,
        scanned: sourceSyncs.scanned,
        progress: sourceSyncs.progress,
      })
      .from(sourceSyncs)
      .innerJoin(sources, eq(sources.id, sourceSyncs.sourceId))
      .where(
        and(
          eq(sourceSyncs.workspaceId, scope.workspaceId),
          isNull(sourceSyncs.runId),
          or(and(eq(sourceSyncs.status, "running"), isSyncing), and(isWaiting, isNull(sources.deletedAt))),
        ),
      ),
  );
}

/** SQL: the row says that it runs, and nobody reads the source: that of a process that died. */
const isInterrupted = sql<boolean>`case when ${sourceSyncs.status} = 'running'
  then not ${isLocked(sql`'sync:' || ${sourceSyncs.sourceId}::text`)} else false end`;

/** Newest first. */
export async function listSyncs(
  scope: Scope,
  sourceId: string,
  page: { limit: number; offset: number },
): Promise<{ rows: (SourceSync & { interrupted: boolean })[]; total: number }> {
  const where = ofSource(scope, sourceId);
  return inWorkspace(scope, async (tx) => {
    const rows = await tx
      .select({ ...syncColumns, interrupted: isInterrupted })
      .from(sourceSyncs)
      .where(where)
      .orderBy(desc(sourceSyncs.startedAt), desc(sourceSyncs.id))
      .limit(page.limit)
      .offset(page.offset);
    return { rows, total: await tx.$count(sourceSyncs, where) };
  });
}
