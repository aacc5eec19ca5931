import { maxSyncFailures, type SyncFailure } from "@anneal/core/connect/contract";
import type { ErrorReport } from "@anneal/core/errors";
import type { SyncState } from "@anneal/db/queries/source-syncs";

type Listed = Pick<Required<SyncState>, "counts" | "failures">;

// The list is JSON in the database, which takes no null character.
const listedRef = (ref: string) => ref.replaceAll("\0", "\ufffd");

/** Lists what could not be read, once: what comes after the last checkpoint is met again by an attempt after a wait. */
export function listFailure({ counts, failures }: Listed, ref: string, error: ErrorReport): void {
  const { code, message, action } = error;
  const failure: SyncFailure = { ref: listedRef(ref), code, message, action };
  const index = failures.findIndex((each) => each.ref === failure.ref);
  if (index >= 0) {
    failures[index] = failure;
    return;
  }
  counts.dropped += 1;
  if (failures.length < maxSyncFailures) failures.push(failure);
}

/** What failed in an earlier attempt and is read now, or gone. */
export function unlistFailure({ counts, failures }: Listed, ref: string): void {
  const index = failures.findIndex((each) => each.ref === listedRef(ref));
  if (index < 0) return;
  failures.splice(index, 1);
  counts.dropped -= 1;
}
