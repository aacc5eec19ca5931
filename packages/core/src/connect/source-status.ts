import type { ErrorReport } from "../errors.ts";
import { isHeldBack } from "./deletion-policy.ts";

/**
 * "heldBack": it was read, and a person must say whether what it no longer has is gone. "unindexed": it was read, and not
 * everything of it is findable yet. "partial": it is up to date but for some documents.
 */
export type SourceStatus =
  | "reading"
  | "paused"
  | "waiting"
  | "heldBack"
  | "failed"
  | "cancelled"
  | "unread"
  | "unindexed"
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
  unindexed: "Read",
  partial: "Up to date",
  upToDate: "Up to date",
} as const satisfies Record<SourceStatus, string>;

/** Documents that a run has still to make findable, of those that whoever looks may know of. */
export type UnindexedFacts = {
  /** Fetched, and not parsed yet. */
  waitingCount: number;
  /** Parsed, and not in the index yet. */
  unindexedCount: number;
};

/** Documents that could be read and that the rules leave out, of those that whoever looks may know of: no failures. */
export type LeftOutFacts = {
  /** For what they are: too short, no text and the like. */
  droppedCount: number;
  /** As copies of older documents with the same readers, which a search finds instead. */
  duplicateCount: number;
};

export type StatusFacts = UnindexedFacts & {
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
  if (countUnindexed(source) > 0) return "unindexed";
  return source.quarantinedCount > 0 ? "partial" : "upToDate";
}

export function countUnindexed({ waitingCount, unindexedCount }: UnindexedFacts): number {
  return waitingCount + unindexedCount;
}

/** "3 not parsed yet", "2 not findable yet"; null where everything is. What is not parsed is not known to be readable. */
export function wordUnindexed({ waitingCount, unindexedCount }: UnindexedFacts): string | null {
  if (waitingCount > 0) return `${waitingCount.toLocaleString("en-GB")} not parsed yet`;
  return unindexedCount > 0 ? `${unindexedCount.toLocaleString("en-GB")} not findable yet` : null;
}

/** "2 left out by the rules for documents"; null where none is. */
export function wordLeftOut({ droppedCount, duplicateCount }: LeftOutFacts): string | null {
  const count = droppedCount + duplicateCount;
  return count === 0 ? null : `${count.toLocaleString("en-GB")} left out by the rules for documents`;
}

/** The same in a sentence. `consequenceOfUnindexed` says what follows from it. */
export function describeUnindexed({ waitingCount, unindexedCount }: UnindexedFacts): string | null {
  const counted = (count: number) =>
    `${count.toLocaleString("en-GB")} ${count === 1 ? "document is" : "documents are"}`;
  const facts = [
    ...(waitingCount > 0 ? [`${counted(waitingCount)} fetched and not parsed yet`] : []),
    ...(unindexedCount > 0 ? [`${counted(unindexedCount)} parsed and not in the index yet`] : []),
  ];
  return facts.length === 0 ? null : `${facts.join(", ")}.`;
}

/** "Nobody finds it yet, and whether it can be read is not known.": what is not parsed has not been looked into. */
export function consequenceOfUnindexed(facts: UnindexedFacts): string {
  const [they, them] = countUnindexed(facts) === 1 ? ["it", "it"] : ["they", "them"];
  const unknown = facts.waitingCount > 0 ? `, and whether ${they} can be read is not known` : "";
  return `Nobody finds ${them} yet${unknown}.`;
}
