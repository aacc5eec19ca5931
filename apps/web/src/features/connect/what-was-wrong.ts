import { formatCount } from "#lib/format.ts";

/** What a sync ended with and what it could not read, as sentences; null where nothing was wrong that one may know of. */
export function whatWasWrong(sync: { error: { message: string } | null; dropped: number | null }): string | null {
  const failed = sync.dropped ? `${formatCount(sync.dropped, "document")} failed` : null;
  if (sync.error === null) return failed;
  return failed === null ? sync.error.message : `${sync.error.message} ${failed}.`;
}
