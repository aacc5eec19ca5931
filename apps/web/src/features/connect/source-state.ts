import { isHeldBack } from "@anneal/core/connect/deletion-policy";
import type { ErrorReport } from "@anneal/core/errors";
import type { StageStatus } from "@anneal/core/loop/contract";
import { statusOfStage, type StatusKind } from "#components/ui/status.tsx";
import { formatCount, formatNumber } from "#lib/format.ts";

type Source = {
  syncing: boolean;
  paused: boolean;
  waitsUntil: Date | null;
  /** Somebody ended the newest sync before it had read everything. */
  cancelled: boolean;
  lastSyncAt: Date | null;
  lastSyncError: Pick<ErrorReport, "message" | "details"> | null;
  /** Documents that could not be read, of those that whoever looks may know of. */
  quarantinedCount: number;
};

/** "partial": it is up to date but for some documents; null: it was never read. */
export type SourceState = { kind: StatusKind | "partial"; word?: string; title?: string };

/** It was read, and a person must say whether what it no longer has is gone. */
const heldBack: SourceState = { kind: "waiting", word: "Held back" };

export function stateOfSource(source: Source): SourceState | null {
  if (source.syncing) return { kind: "running", word: "Reading" };
  if (source.paused) return { kind: "waiting", word: "Paused" };
  if (source.waitsUntil) return { kind: "waiting", word: "Waiting for the source" };
  if (source.lastSyncError) {
    const title = source.lastSyncError.message;
    return isHeldBack(source.lastSyncError) ? { ...heldBack, title } : { kind: "failed", title };
  }
  if (source.cancelled) return statusOfStage("cancelled");
  if (!source.lastSyncAt) return null;
  if (source.quarantinedCount === 0) return { kind: "ready", word: "Up to date" };
  return { kind: "partial", word: `Up to date, ${formatCount(source.quarantinedCount, "failure")}` };
}

type Scheduled = { schedule: string | null; schedulePaused: boolean; nextSyncAt: Date | null };

/** When it is read next, or a word where no clock decides; null while nobody can be asked. A paused schedule still names a time. */
export function nextReadOf({ schedule, schedulePaused, nextSyncAt }: Scheduled): Date | string | null {
  if (schedule === null) return "By hand";
  return schedulePaused ? "Paused" : nextSyncAt;
}

type Sync = {
  status: StageStatus | "paused";
  /** Its worker died, and another one will go on with it. */
  interrupted: boolean;
  error: { message: string } | null;
  /** What it could not read; null for who may not know. */
  dropped: number | null;
};

/** "partial": it came to its end, and not with all that it met. */
export function stateOfSync({ status, interrupted, error, dropped }: Sync): SourceState {
  if (interrupted) return { kind: "waiting", word: "Interrupted" };
  if (status === "running") return { kind: "running", word: "Reading" };
  if (status === "paused") return { kind: "waiting", word: "Paused" };
  if (status === "done" && error) return heldBack;
  if (status === "done" && dropped) return { kind: "partial", word: `Done, ${formatNumber(dropped)} failed` };
  return statusOfStage(status);
}
