import type { SourceAcl } from "@anneal/core/access/acl-origins";
import type { ErrorReport } from "@anneal/core/errors";
import { quarantineRef, unreadFingerprint } from "@anneal/db/queries/synced-documents";
import { isRefusedValue } from "@anneal/db/queries/upsert-documents";
import type { ReadingSync } from "./applied-sync.ts";
import { listFailure } from "./sync-failures.ts";

/**
 * A document that could not be read, or a folder: told to whom `readers` admits, or where that is null the source's default.
 * Of a source that was removed or changed meanwhile, this says so and ends the sync.
 */
export async function quarantine(
  { scope, source, sync, fingerprints }: ReadingSync,
  ref: string,
  error: ErrorReport,
  readers: SourceAcl | null,
): Promise<void> {
  listFailure(sync, ref, error);
  const { code, message, action } = error;
  const drop = { stage: "connect", code, reason: `${message} ${action}` };
  try {
    await quarantineRef(scope, source.id, ref, drop, readers, source.revision);
  } catch (refusal) {
    // Where not even the name can be stored, the list alone tells of it.
    if (!isRefusedValue(refusal)) throw refusal;
  }
  fingerprints.learn(ref, unreadFingerprint);
}
