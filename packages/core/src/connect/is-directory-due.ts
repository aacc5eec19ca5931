import type { ErrorReport } from "../errors.ts";

export type DirectoryState = {
  readAt: Date | null;
  /** How long that reading took. */
  readMs: number | null;
  directoryError: ErrorReport | null;
  lastSyncError: ErrorReport | null;
  /** Until when a sync waits because the source asked for it. */
  waitsUntil: Date | null;
};

/** Where a source's people stand in its documents only, reading them is as much work as listing those. */
const mostOfTheTime = 1 / 20;
/** Even once a minute, the shortest interval of the schedule, this is less than that. */
const quickMs = 3_000;

/**
 * Whether the people and groups of a source are read with this firing of their schedule. Not while the source wants to be
 * left alone; not with credentials that it refused, which would be tried until the account is locked: a sync, or others,
 * say that they are good again; and what takes long is read so seldom that it takes a twentieth of the time at most.
 */
export function isDirectoryDue(state: DirectoryState, now: Date): boolean {
  const { readAt, readMs, directoryError, lastSyncError, waitsUntil } = state;
  if (waitsUntil !== null && waitsUntil > now) return false;
  if ([directoryError, lastSyncError].some((error) => error?.code === "SOURCE_CREDENTIALS")) return false;
  if (readAt === null || readMs === null || readMs <= quickMs) return true;
  return now.getTime() >= readAt.getTime() + readMs / mostOfTheTime - readMs;
}
