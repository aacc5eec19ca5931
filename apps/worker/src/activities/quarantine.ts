import type { ErrorReport } from "@anneal/core/errors";
import { quarantineRef, unreadFingerprint } from "@anneal/db/queries/connect";
import { isRefusedValue } from "@anneal/db/queries/upsert-documents";
import type { ReadingSync } from "./applied-sync.ts";
import { listFailure } from "./sync-failures.ts";

/** A document that could not be read, or a folder. Of a source that was removed meanwhile, this says so and ends the sync. */
export async function quarantine(
  { scope, source, sync, fingerprints }: ReadingSync,
  ref: string,
  error: ErrorReport,
): Promise<void> {
  listFailure(sync, ref, error);
  const { code, message, action } = error;
  const drop = { stage: "connect", code, reason: `${message} ${action}` };
  try {
    await quarantineRef(scope, source.id, ref, drop);
  } catch (refusal) {
    // Where not even the name can be stored, the list alone tells of it.
    if (!isRefusedValue(refusal)) throw refusal;
  }
  fingerprints.learn(ref, unreadFingerprint);
}
