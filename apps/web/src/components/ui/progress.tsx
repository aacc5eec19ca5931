import type { Progress as ProgressState } from "@anneal/core/loop/contract";
import type { StatusKind } from "#components/ui/status.tsx";
import { formatDuration, formatPercent, formatRate } from "#lib/format.ts";
import { cn } from "#lib/class-names.ts";
import { describeDone } from "#lib/describe-done.ts";

const fills: Record<StatusKind, string> = {
  running: "bg-running",
  ready: "bg-ready",
  waiting: "bg-waiting",
  failed: "bg-failed",
  stopped: "bg-stopped",
};

type ProgressBarProps = {
  /** 0 to 1; null while the total is not known: the bar then shows movement instead of a share. */
  share: number | null;
  label: string;
  kind?: StatusKind;
  className?: string;
};

export function ProgressBar({ share, label, kind = "running", className }: ProgressBarProps) {
  const percent = share === null ? undefined : Math.round(Math.min(1, Math.max(0, share)) * 100);
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      className={cn("h-1.5 w-full overflow-hidden rounded-full bg-line", className)}
    >
      {percent === undefined ? (
        <div className={cn("h-full w-1/3 animate-slide-stripes rounded-full", fills[kind])} />
      ) : (
        <div
          className={cn("h-full rounded-full transition-[width] duration-300", fills[kind])}
          style={{ width: `${percent}%` }}
        />
      )}
    </div>
  );
}

/** A bar with what was done, how fast, and how long it still takes. */
export function ProgressWithRate({
  progress,
  label,
  className,
}: {
  progress: ProgressState;
  label: string;
  className?: string;
}) {
  const { done, total, unit, ratePerSecond, etaMs, note } = progress;
  const share = total === null || total === 0 ? null : done / total;
  return (
    <div className={cn("space-y-1.5", className)}>
      <ProgressBar share={share} label={label} />
      <div className="tabular flex flex-wrap justify-between gap-x-3 text-xs text-muted">
        <span>
          {describeDone(progress)}
          {share !== null && ` · ${formatPercent(share)}`}
        </span>
        <span>
          {[ratePerSecond && formatRate(ratePerSecond, unit), etaMs !== null && `${formatDuration(etaMs)} left`]
            .filter(Boolean)
            .join(" · ")}
        </span>
      </div>
      {note && <p className="truncate text-xs text-faint">{note}</p>}
    </div>
  );
}
