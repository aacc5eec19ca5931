"use client";

import { ChevronRight, CircleDashed } from "lucide-react";
import Link from "next/link";
import { ProgressBar } from "#components/ui/progress.tsx";
import { StatusIcon, statusOfStage } from "#components/ui/status.tsx";
import { cn } from "#lib/class-names.ts";
import { describeDone } from "#lib/describe-done.ts";
import { formatDuration, formatNumber } from "#lib/format.ts";
import { agree, stageNames } from "#lib/stage-names.ts";
import type { Answers } from "#lib/trpc.ts";
import { useNow } from "#lib/use-now.ts";
import { useWorkspace } from "#lib/workspace.tsx";

export type RunView = Answers["loop"]["overview"]["runs"][number];
type StageView = RunView["stages"][number];

/** The loop of one run: its stages in order, what went in, came out and fell away, and what happens now. */
export function LoopPicture({ run, selected }: { run: RunView; selected?: string }) {
  const longestMs = Math.max(1, ...run.stages.map((stage) => stage.durationMs ?? 0));
  return (
    <section aria-label="Stages of the loop" className="overflow-hidden rounded-panel border border-line bg-line">
      <ol className={cn("grid grid-cols-2 gap-px md:grid-cols-4", run.stages.length > 4 && "xl:grid-cols-8")}>
        {run.stages.map((stage, index) => (
          <StageCell
            key={stage.stage}
            runId={run.id}
            stage={stage}
            number={index + 1}
            longestMs={longestMs}
            selected={selected === stage.stage}
          />
        ))}
      </ol>
    </section>
  );
}

type StageCellProps = { runId: string; stage: StageView; number: number; longestMs: number; selected: boolean };

function StageCell({ runId, stage, number, longestMs, selected }: StageCellProps) {
  const { href } = useWorkspace();
  const now = useNow();
  const { title } = stageNames[stage.stage];
  const running = stage.status === "running";
  const elapsedMs =
    running && stage.startedAt && now ? Math.max(0, now.getTime() - stage.startedAt.getTime()) : stage.durationMs;
  return (
    <li
      className={cn(
        "group/cell relative min-w-0 bg-panel",
        running && "bg-[color-mix(in_oklab,var(--running)_7%,var(--panel))]",
      )}
    >
      <Link
        href={href(`/runs/${runId}?stage=${stage.stage}`)}
        scroll={false}
        data-focus-inset
        aria-current={selected ? "true" : undefined}
        className={cn(
          "flex h-full xl:min-h-40 flex-col px-3.5 pt-3 pb-3.5 hover:bg-hover",
          selected && "shadow-[inset_0_2px_0_var(--accent)]",
        )}
      >
        <span className="flex items-center justify-between gap-2 text-13">
          <span className="truncate font-semibold">
            <span className="tabular mr-1.5 font-normal text-faint">{number}</span>
            {title}
          </span>
          <StageMark stage={stage} />
        </span>
        <StageBody stage={stage} />
        <span className="tabular mt-auto pt-2 text-xs text-faint">
          {elapsedMs == null ? "\u00a0" : formatDuration(elapsedMs)}
        </span>
        {/* Where the time went: the longest stage's line is as long as its cell. */}
        {elapsedMs != null && !running && (
          <span
            aria-hidden
            className="absolute bottom-0 left-0 h-0.5 bg-line-strong"
            style={{ width: `${Math.max(2, (elapsedMs / longestMs) * 100)}%` }}
          />
        )}
      </Link>
      {/* The way to the next stage, on the seam between two cells. */}
      <span
        aria-hidden
        className="absolute top-1/2 -right-2 z-10 hidden size-4 -translate-y-1/2 place-items-center rounded-full border border-line bg-panel text-faint group-last/cell:hidden xl:grid"
      >
        <ChevronRight className="size-2.5" />
      </span>
    </li>
  );
}

function StageMark({ stage }: { stage: StageView }) {
  const { kind, word } = statusOfStage(stage.status);
  if (stage.status === "waiting")
    return (
      <span title="Not reached yet">
        <CircleDashed aria-hidden className="size-4 text-line-strong" />
        <span className="sr-only">Not reached yet</span>
      </span>
    );
  return (
    <span title={word}>
      <StatusIcon kind={kind} />
      <span className="sr-only">{word}</span>
    </span>
  );
}

function StageBody({ stage }: { stage: StageView }) {
  const { title, unitIn, unitOut } = stageNames[stage.stage];
  switch (stage.status) {
    case "waiting":
      return <span className="mt-3 text-xs text-faint">{unitIn === unitOut ? unitIn : `${unitIn} to ${unitOut}`}</span>;
    case "skipped":
    case "cancelled":
      return (
        <span className="mt-3 text-xs text-muted">
          {stage.status === "skipped" ? "Skipped: it was done before" : "Stopped before it ended"}
        </span>
      );
    case "failed":
      return (
        <span className="mt-3 line-clamp-4 text-xs text-failed">
          {stage.error?.message ?? "It ended without a reason."}
        </span>
      );
    case "running":
      return (
        <span className="mt-4 flex flex-col gap-2">
          <ProgressBar
            share={stage.progress?.total ? stage.progress.done / stage.progress.total : null}
            label={title}
          />
          <span className="tabular text-xs text-muted">{describeProgress(stage)}</span>
        </span>
      );
    case "done":
      if (stage.outCount === null) return <span className="mt-3 text-xs text-muted">Done</span>;
      return (
        <span className="tabular mt-2 block text-xs text-muted">
          <span className="block text-2xl leading-8 font-semibold tracking-tight text-ink">
            {formatNumber(stage.outCount)}
          </span>
          <span className="block truncate">{agree(stage.outCount, unitOut)}</span>
          <span className="mt-1 block truncate text-faint">
            of {formatNumber(stage.inCount)} {agree(stage.inCount ?? 0, unitIn)}
          </span>
          {!!stage.droppedCount && (
            <span className="block truncate text-waiting">{formatNumber(stage.droppedCount)} dropped</span>
          )}
        </span>
      );
  }
}

function describeProgress({ progress, outCount }: StageView): string {
  if (!progress) return outCount === null ? "at work" : "starting";
  return [describeDone(progress), progress.etaMs !== null && `${formatDuration(progress.etaMs)} left`]
    .filter(Boolean)
    .join(", ");
}
