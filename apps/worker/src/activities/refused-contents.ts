import { maxSyncFailures } from "@anneal/core/connect/contract";
import { planRefusal } from "@anneal/core/connect/plan-wait";
import { AnnealError } from "@anneal/core/errors";
import type { SyncState } from "@anneal/db/queries/source-syncs";
import { countStored } from "./count-stored.ts";
import { listFailure } from "./sync-failures.ts";

export type RefusedContents = {
  /**
   * What a content fails with, as the sync takes it: the document's own failure, or still the source's wish to be left
   * alone. For which document the sync waits then stands in its list of failures, which outlives the wait.
   */
  judge(ref: string, error: unknown): unknown;
};

/** Of one attempt. @param idleWaits how many waits in a row have brought nothing new, as of `planWait` */
export function createRefusedContents(sync: Required<SyncState>, idleWaits: number): RefusedContents {
  const waitedFor = new Set(sync.failures.map(({ ref }) => ref));
  // Of a longer list nobody knows who else was on it.
  const isListFull = sync.failures.length >= maxSyncFailures;
  const storedBefore = countStored(sync.counts);
  return {
    judge(ref, error) {
      if (!(error instanceof AnnealError) || error.details["unexplained"] !== true) return error;
      const before = isListFull || waitedFor.has(ref);
      const own = planRefusal(error, { before, idleWaits, advanced: countStored(sync.counts) > storedBefore });
      if (own === null) listFailure(sync, ref, error.toReport());
      return own ?? error;
    },
  };
}
