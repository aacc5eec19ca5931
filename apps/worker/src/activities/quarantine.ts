import { maxSyncFailures } from "@anneal/core/connect/contract";
import type { ErrorReport } from "@anneal/core/errors";
import { quarantineRef, unreadFingerprint } from "@anneal/db/queries/connect";
import { isRefusedValue } from "@anneal/db/queries/upsert-documents";
import type { ReadingSync } from "./applied-sync.ts";

/** A document that could not be read, or a folder. Of a source that was removed meanwhile, this says so and ends the sync. */
export async function quarantine(
  { scope, source, sync, fingerprints }: ReadingSync,
  ref: string,
  error: ErrorReport,
): Promise<void> {
  sync.counts.dropped += 1;
  const { code, message, action } = error;
  // The list is JSON in the database, which takes no null character.
  const failure = { ref: ref.replaceAll("\0", "\ufffd"), code, message, action };
  if (sync.failures.length < maxSyncFailures) sync.failures.push(failure);
  const drop = { stage: "connect", code, reason: `${message} ${action}` };
  try {
    await quarantineRef(scope, source.id, ref, drop);
  } catch (refusal) {
    // Where not even the name can be stored, the list alone tells of it.
    if (!isRefusedValue(refusal)) throw refusal;
  }
  fingerprints.learn(ref, unreadFingerprint);
}
