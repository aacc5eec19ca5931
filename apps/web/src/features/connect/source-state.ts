import {
  describeUnindexed,
  sourceStatusWords,
  statusOfSource,
  wordUnindexed,
  type StatusFacts,
  type SourceStatus,
} from "@anneal/core/connect/source-status";
import type { StageStatus } from "@anneal/core/loop/contract";
import { statusOfStage, type StatusKind } from "#components/ui/status.tsx";
import { formatCount, formatNumber } from "#lib/format.ts";

type Source = StatusFacts & { lastSyncError: { message: string } | null };

/** "partial": it was read, and some of its documents are out or not findable yet; "none": it was never read. */
export type SourceState = { kind: StatusKind | "partial" | "none"; word: string; title?: string };

const kinds = {
  reading: "running",
  paused: "waiting",
  waiting: "waiting",
  heldBack: "waiting",
  failed: "failed",
  cancelled: "stopped",
  unread: "none",
  unindexed: "partial",
  partial: "partial",
  upToDate: "ready",
} as const satisfies Record<SourceStatus, SourceState["kind"]>;

export function stateOfSource(source: Source): SourceState {
  const status = statusOfSource(source);
  const state = { kind: kinds[status], word: sourceStatusWords[status] };
  if (status === "partial")
    return { ...state, word: `${state.word}, ${formatCount(source.quarantinedCount, "failure")}` };
  if (status === "unindexed")
    return {
      ...state,
      word: `${state.word}, ${wordUnindexed(source) ?? ""}`,
      title: describeUnindexed(source) ?? "",
    };
  if (status !== "heldBack" && status !== "failed") return state;
  return { ...state, title: source.lastSyncError?.message };
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
  if (status === "done" && error) return { kind: kinds.heldBack, word: sourceStatusWords.heldBack };
  if (status === "done" && dropped) return { kind: "partial", word: `Done, ${formatNumber(dropped)} failed` };
  return statusOfStage(status);
}
