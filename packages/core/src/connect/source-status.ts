import type { ErrorReport } from "../errors.ts";
import { isHeldBack } from "./deletion-policy.ts";

/**
 * "heldBack": it was read, and a person must say whether what it no longer has is gone. "partial": it is up to date but for
 * some documents.
 */
export type SourceStatus =
  | "reading"
  | "paused"
  | "waiting"
  | "heldBack"
  | "failed"
  | "cancelled"
  | "unread"
  | "partial"
  | "upToDate";

/** What each is called, in the portal and on the command line. */
export const sourceStatusWords = {
  reading: "Reading",
  paused: "Paused",
  waiting: "Waiting for the source",
  heldBack: "Held back",
  failed: "Failed",
  cancelled: "Cancelled",
  unread: "Not read yet",
  partial: "Up to date",
  upToDate: "Up to date",
} as const satisfies Record<SourceStatus, string>;

export type StatusFacts = {
  syncing: boolean;
  paused: boolean;
  waitsUntil: Date | null;
  /** Somebody ended the newest sync before it had read everything. */
  cancelled: boolean;
  lastSyncAt: Date | null;
  lastSyncError: Pick<ErrorReport, "details"> | null;
  /** Documents that could not be read, of those that whoever looks may know of. */
  quarantinedCount: number;
};

/** What happens to a source now comes before how its last sync ended, and that before what failed in it. */
export function statusOfSource(source: StatusFacts): SourceStatus {
  if (source.syncing) return "reading";
  if (source.paused) return "paused";
  if (source.waitsUntil !== null) return "waiting";
  if (source.lastSyncError !== null) return isHeldBack(source.lastSyncError) ? "heldBack" : "failed";
  if (source.cancelled) return "cancelled";
  if (source.lastSyncAt === null) return "unread";
  return source.quarantinedCount > 0 ? "partial" : "upToDate";
}
