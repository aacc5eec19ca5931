import { measureSync, type SyncProgress } from "@anneal/core/connect/measure-sync";
import type { Scope } from "@anneal/db/database";
import { saveSyncProgress, type SyncState } from "@anneal/db/queries/source-syncs";

const writeEveryMs = 1_000;
/** A source may be quick at first and slow in the end: how fast it is, is told by about its last minute. */
const measuredMs = 60_000;

export type SyncMeter = {
  /** How many documents there are, as the source says or as are held of it; null while nothing tells. */
  told: number | null;
  /** As of `measureSync`. */
  lastListed: number | null;
  /** Cheap to call for every change: writes at most once a second. @param listed documents listed so far, as a checkpoint counts them */
  measure(listed: number): Promise<SyncProgress>;
};

/** How far one attempt of a sync is, for its row. */
export function createSyncMeter(
  place: { scope: Scope; sync: SyncState; lastListed: number | null },
  now: () => number = Date.now,
): SyncMeter {
  const { scope, sync } = place;
  const standAt = (listed: number) => ({ at: now(), listed, bytes: sync.counts.bytes });
  /** Oldest first: where it stood a minute ago, or when it began, and about every second since. */
  let stands = [standAt(sync.counts.scanned)];
  let writtenAt = Number.NEGATIVE_INFINITY;
  const meter: SyncMeter = {
    told: null,
    lastListed: place.lastListed,
    async measure(listed) {
      // Most sources are gone through from their start again and count from there, which the first checkpoint shows.
      if (listed < stands[0]!.listed) stands = [standAt(listed)];
      while (stands[1] !== undefined && now() - stands[1].at >= measuredMs) stands.shift();
      const since = stands[0]!;
      const progress = measureSync({
        listed,
        listedBefore: since.listed,
        bytes: sync.counts.bytes - since.bytes,
        elapsedMs: now() - since.at,
        told: meter.told,
        lastListed: meter.lastListed,
      });
      if (now() - writtenAt < writeEveryMs) return progress;
      writtenAt = now();
      stands.push(standAt(listed));
      await saveSyncProgress(scope, sync, { ...progress, listed });
      return progress;
    },
  };
  return meter;
}
