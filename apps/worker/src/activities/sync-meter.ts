import { measureSync, type SyncProgress } from "@anneal/core/connect/measure-sync";
import type { Scope } from "@anneal/db/database";
import { saveSyncProgress, type SyncState } from "@anneal/db/queries/source-syncs";

const writeEveryMs = 1_000;

export type SyncMeter = {
  /** How many documents the source itself says there are; null while it does not. */
  told: number | null;
  /** Cheap to call for every change: writes at most once a second. @param listed documents listed in this attempt */
  measure(listed: number): Promise<SyncProgress>;
};

/** How far one attempt of a sync is, for its row. @param lastListed as of `measureSync` */
export function createSyncMeter(
  place: { scope: Scope; sync: SyncState; lastListed: number | null },
  now: () => number = Date.now,
): SyncMeter {
  const { scope, sync, lastListed } = place;
  const startedAt = now();
  const bytesBefore = sync.counts.bytes;
  let writtenAt = Number.NEGATIVE_INFINITY;
  const meter: SyncMeter = {
    told: null,
    async measure(listed) {
      const elapsedMs = now() - startedAt;
      const bytes = sync.counts.bytes - bytesBefore;
      const progress = measureSync({ listed, bytes, elapsedMs, told: meter.told, lastListed });
      if (now() - writtenAt < writeEveryMs) return progress;
      writtenAt = now();
      await saveSyncProgress(scope, sync, { ...progress, listed });
      return progress;
    },
  };
  return meter;
}
