import type { StatusKind } from "#components/ui/status.tsx";
import { formatCount } from "#lib/format.ts";

type Source = {
  syncing: boolean;
  paused: boolean;
  waitsUntil: Date | null;
  lastSyncAt: Date | null;
  lastSyncError: { message: string } | null;
  /** Documents that could not be read, of those that whoever looks may know of. */
  quarantinedCount: number;
};

/** "partial": it is up to date but for some documents; null: it was never read. */
type SourceState = { kind: StatusKind | "partial"; word?: string; title?: string };

export function stateOfSource(source: Source): SourceState | null {
  if (source.syncing) return { kind: "running", word: "Reading" };
  if (source.paused) return { kind: "waiting", word: "Paused" };
  if (source.waitsUntil) return { kind: "waiting", word: "Waiting for the source" };
  if (source.lastSyncError) return { kind: "failed", title: source.lastSyncError.message };
  if (!source.lastSyncAt) return null;
  if (source.quarantinedCount === 0) return { kind: "ready", word: "Up to date" };
  return { kind: "partial", word: `Up to date, ${formatCount(source.quarantinedCount, "failure")}` };
}
