import { measureSync, type SyncProgress } from "@anneal/core/connect/measure-sync";
import type { Scope } from "@anneal/db/database";
import { saveSyncProgress, type SyncState } from "@anneal/db/queries/source-syncs";

const writeEveryMs = 1_000;

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
  const begin = () => ({ at: now(), listed: sync.counts.scanned, bytes: sync.counts.bytes });
  let began = begin();
  let writtenAt = Number.NEGATIVE_INFINITY;
  const meter: SyncMeter = {
    told: null,
    lastListed: place.lastListed,
    async measure(listed) {
      // Most sources are gone through from their start again and count from there, which the first checkpoint shows.
      if (listed < began.listed) began = { ...begin(), listed };
      const progress = measureSync({
        listed,
        listedBefore: began.listed,
        bytes: sync.counts.bytes - began.bytes,
        elapsedMs: now() - began.at,
        told: meter.told,
        lastListed: meter.lastListed,
      });
      if (now() - writtenAt < writeEveryMs) return progress;
      writtenAt = now();
      await saveSyncProgress(scope, sync, { ...progress, listed });
      return progress;
    },
  };
  return meter;
}
