import type { Cursor } from "@anneal/core/connect/change";
import type { ErrorReport } from "@anneal/core/errors";
import { and, desc, eq, isNull, ne, sql } from "drizzle-orm";
import { inWorkspace, type Scope } from "../database.ts";
import { isLocked } from "../lock.ts";
import { sources, sourceSyncs } from "../schema.ts";

export type SourceSync = typeof sourceSyncs.$inferSelect;
export type SyncCounts = Pick<SourceSync, "scanned" | "read" | "added" | "changed" | "removed" | "dropped">;

/** Whoever reads a source holds this lock, so that nobody else does. */
export const syncLockName = (sourceId: string) => `sync:${sourceId}`;

/** SQL: somebody reads the source now. A row alone may be that of a process that died. */
export const isSyncing = sql<boolean>`(exists (select from ${sourceSyncs}
  where ${sourceSyncs.sourceId} = ${sources}."id" and ${sourceSyncs.status} = 'running')
  and ${isLocked(sql`'sync:' || ${sources}."id"::text`)})`;

type NewSync = Pick<SourceSync, "id" | "sourceId" | "runId" | "startedBy">;

/**
 * Opens the row of a sync, or the same one again for another attempt. To be called by who holds the source's lock:
 * whatever else is still open there was left by a process that died.
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
    const [row] = await tx
      .insert(sourceSyncs)
      .values({ ...sync, workspaceId: scope.workspaceId, status: "running" })
      // What could not be read is met again by the next attempt.
      .onConflictDoUpdate({
        target: sourceSyncs.id,
        set: { status: "running", endedAt: null, error: null, dropped: 0 },
      })
      .returning();
    const { scanned, read, added, changed, removed, dropped } = row!;
    return { scanned, read, added, changed, removed, dropped };
  });
}

/** A checkpoint: only after everything before it is durable. */
export async function saveCursor(
  scope: Scope,
  sourceId: string,
  cursor: Cursor,
  sync: { id: string; counts: SyncCounts },
): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    await tx
      .update(sources)
      .set({ cursor })
      .where(and(eq(sources.id, sourceId), eq(sources.workspaceId, scope.workspaceId)));
    await tx
      .update(sourceSyncs)
      .set(sync.counts)
      .where(and(eq(sourceSyncs.id, sync.id), eq(sourceSyncs.workspaceId, scope.workspaceId)));
  });
}

export type SyncEnd =
  /** `heldBack`: what a person has to decide about, such as a mass deletion. */
  { status: "done"; heldBack: ErrorReport | null } | { status: "failed"; error: ErrorReport } | { status: "cancelled" };

export async function endSync(
  scope: Scope,
  sync: { id: string; sourceId: string; counts: SyncCounts },
  end: SyncEnd,
): Promise<void> {
  const error = end.status === "done" ? end.heldBack : end.status === "failed" ? end.error : null;
  const endedAt = new Date();
  await inWorkspace(scope, async (tx) => {
    await tx
      .update(sourceSyncs)
      .set({ ...sync.counts, status: end.status, error, endedAt })
      .where(and(eq(sourceSyncs.id, sync.id), eq(sourceSyncs.workspaceId, scope.workspaceId)));
    if (end.status === "cancelled") return;
    await tx
      .update(sources)
      .set({ lastSyncError: error, ...(error === null ? { lastSyncAt: endedAt } : {}) })
      .where(and(eq(sources.id, sync.sourceId), eq(sources.workspaceId, scope.workspaceId)));
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

/** Who reads the source, as far as the rows know. */
export async function findRunningSync(scope: Scope, sourceId: string): Promise<SourceSync | undefined> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(sourceSyncs)
      .where(
        and(
          eq(sourceSyncs.sourceId, sourceId),
          eq(sourceSyncs.workspaceId, scope.workspaceId),
          eq(sourceSyncs.status, "running"),
        ),
      ),
  );
  return row;
}

/** What is read now, outside of runs, and by a process that lives. */
export async function listRunningSyncs(scope: Scope) {
  return inWorkspace(scope, (tx) =>
    tx
      .select({
        sourceId: sources.id,
        name: sources.name,
        startedAt: sourceSyncs.startedAt,
        scanned: sourceSyncs.scanned,
      })
      .from(sourceSyncs)
      .innerJoin(sources, eq(sources.id, sourceSyncs.sourceId))
      .where(
        and(
          eq(sourceSyncs.workspaceId, scope.workspaceId),
          eq(sourceSyncs.status, "running"),
          isNull(sourceSyncs.runId),
          isSyncing,
        ),
      ),
  );
}

/** Newest first. */
export async function listSyncs(
  scope: Scope,
  sourceId: string,
  page: { limit: number; offset: number },
): Promise<{ rows: SourceSync[]; total: number }> {
  const where = and(eq(sourceSyncs.sourceId, sourceId), eq(sourceSyncs.workspaceId, scope.workspaceId));
  return inWorkspace(scope, async (tx) => {
    const rows = await tx
      .select()
      .from(sourceSyncs)
      .where(where)
      .orderBy(desc(sourceSyncs.startedAt), desc(sourceSyncs.id))
      .limit(page.limit)
      .offset(page.offset);
    return { rows, total: await tx.$count(sourceSyncs, where) };
  });
}
