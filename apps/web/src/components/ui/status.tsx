import {
  CircleCheck,
  CircleDashed,
  CircleSlash,
  Clock,
  LoaderCircle,
  TriangleAlert,
  type LucideIcon,
} from "lucide-react";
import type { StageStatus } from "@anneal/core/loop/contract";
import { cn } from "#lib/class-names.ts";

/** The five things anything here can be doing: one colour, one icon and one word each, the same on every page. */
export const statuses = ["running", "ready", "waiting", "failed", "stopped"] as const;
export type StatusKind = (typeof statuses)[number];

const looks: Record<StatusKind, { icon: LucideIcon; color: string; word: string }> = {
  running: { icon: LoaderCircle, color: "text-running", word: "Running" },
  ready: { icon: CircleCheck, color: "text-ready", word: "Ready" },
  waiting: { icon: Clock, color: "text-waiting", word: "Waiting" },
  failed: { icon: TriangleAlert, color: "text-failed", word: "Failed" },
  stopped: { icon: CircleSlash, color: "text-stopped", word: "Stopped" },
};

const ofStage: Record<StageStatus, { kind: StatusKind; word: string }> = {
  waiting: { kind: "waiting", word: "Waiting" },
  running: { kind: "running", word: "Running" },
  done: { kind: "ready", word: "Done" },
  failed: { kind: "failed", word: "Failed" },
  cancelled: { kind: "stopped", word: "Cancelled" },
  skipped: { kind: "stopped", word: "Skipped" },
};

export function statusOfStage(status: StageStatus): { kind: StatusKind; word: string } {
  return ofStage[status];
}

export function StatusIcon({ kind, className }: { kind: StatusKind; className?: string }) {
  const { icon: Icon, color } = looks[kind];
  return <Icon aria-hidden className={cn("size-4 shrink-0", color, kind === "running" && "animate-spin", className)} />;
}

/** @param word replaces the default where a more exact one exists: "Synced", "Serving". */
export function Status({ kind, word, className }: { kind: StatusKind; word?: string; className?: string }) {
  return (
    <span
      className={cn(
        "inline-flex items-center gap-1.5 align-middle text-13 font-medium whitespace-nowrap",
        looks[kind].color,
        className,
      )}
    >
      <StatusIcon kind={kind} />
      {word ?? looks[kind].word}
    </span>
  );
}

/** For what never happened yet: no status at all. */
export function NoStatus({ word }: { word: string }) {
  return (
    <span className="inline-flex items-center gap-1.5 align-middle text-13 whitespace-nowrap text-faint">
      <CircleDashed aria-hidden className="size-4" />
      {word}
    </span>
  );
}
