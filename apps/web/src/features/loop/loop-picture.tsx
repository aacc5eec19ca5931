"use client";

import Link from "next/link";
import { ProgressBar } from "#components/ui/progress.tsx";
import { Status, statusOfStage } from "#components/ui/status.tsx";
import { formatDuration, formatNumber } from "#lib/format.ts";
import { stageNames } from "#lib/stage-names.ts";
import type { Answers } from "#lib/trpc.ts";
import { useNow } from "#lib/use-now.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { cn } from "#lib/class-names.ts";

export type RunView = Answers["loop"]["overview"]["runs"][number];
type StageView = RunView["stages"][number];

/** The loop of one run: eight stages in order, what went in, came out and fell away, and what happens now. */
export function LoopPicture({ run, selected }: { run: RunView; selected?: string }) {
  const longestMs = Math.max(1, ...run.stages.map((stage) => stage.durationMs ?? 0));
  return (
    <section aria-label="Stages of the loop" className="overflow-hidden rounded-panel border border-line bg-line">
      <ol className="grid grid-cols-1 gap-px sm:grid-cols-2 md:grid-cols-4 2xl:grid-cols-8">
        {run.stages.map((stage, index) => (
          <StageCell key={stage.stage} runId={run.id} stage={stage} number={index + 1} longestMs={longestMs} selected={selected === stage.stage} />
        ))}
      </ol>
    </section>
  );
}

type StageCellProps = { runId: string; stage: StageView; number: number; longestMs: number; selected: boolean };

function StageCell({ runId, stage, number, longestMs, selected }: StageCellProps) {
  const { href } = useWorkspace();
  const now = useNow();
  const { title, unitIn, unitOut } = stageNames[stage.stage];
  const { kind, word } = statusOfStage(stage.status);
  const running = stage.status === "running";
  const untouched = stage.status === "waiting" || stage.status === "skipped";
  const elapsedMs = running && stage.startedAt && now ? Math.max(0, now.getTime() - stage.startedAt.getTime()) : stage.durationMs;
  const share = stage.progress?.total ? stage.progress.done / stage.progress.total : null;
  return (
    <li className={cn("relative bg-panel", running && "bg-[color-mix(in_oklab,var(--running)_6%,var(--panel))]")}>
      <Link
        href={href(`/runs/${runId}?stage=${stage.stage}`)}
        scroll={false}
        data-focus-inset
        aria-current={selected ? "true" : undefined}
        className={cn("flex h-full min-h-36 flex-col p-3.5 hover:bg-hover", selected && "shadow-[inset_0_-2px_0_var(--accent)]")}
      >
        <span className="flex items-center justify-between gap-2">
          <span className="text-13 font-semibold">
            <span className="tabular mr-1.5 font-normal text-faint">{number}</span>
            {title}
          </span>
          <Status kind={kind} word={word} className="text-xs [&>svg]:size-3.5" />
        </span>

        {running ? (
          <span className="mt-3 flex flex-1 flex-col justify-center gap-1.5">
            <ProgressBar share={share} label={title} />
            <span className="tabular truncate text-xs text-muted">{describeProgress(stage)}</span>
          </span>
        ) : stage.status === "failed" ? (
          <span className="mt-2 line-clamp-3 flex-1 text-xs text-muted">{stage.error?.message ?? "It stopped without a reason."}</span>
        ) : (
          <span className={cn("tabular mt-2.5 flex-1", untouched && "text-faint")}>
            <span className="block text-2xl leading-8 font-semibold tracking-tight">{untouched ? "–" : formatNumber(stage.outCount)}</span>
            <span className="block truncate text-xs text-muted">{unitOut}</span>
          </span>
        )}

        <span className="tabular mt-2.5 flex items-baseline justify-between gap-2 text-xs text-muted">
          <span className="truncate">
            {!untouched && `${formatNumber(stage.inCount)} ${unitIn}`}
            {stage.droppedCount > 0 && <span className="text-waiting"> · {formatNumber(stage.droppedCount)} dropped</span>}
          </span>
          <span className="shrink-0 text-faint">{elapsedMs == null ? "" : formatDuration(elapsedMs)}</span>
        </span>
        {/* Where the time went: the longest stage fills its cell. */}
        <span aria-hidden className="absolute inset-x-0 bottom-0 h-0.5">
          {elapsedMs != null && !running && <span className="block h-full bg-line-strong" style={{ width: `${Math.max(1, (elapsedMs / longestMs) * 100)}%` }} />}
        </span>
      </Link>
    </li>
  );
}

function describeProgress({ progress }: StageView): string {
  if (!progress) return "starting";
  const count = progress.total === null ? formatNumber(progress.done) : `${formatNumber(progress.done)} of ${formatNumber(progress.total)}`;
  return [`${count} ${progress.unit}`, progress.etaMs !== null && `${formatDuration(progress.etaMs)} left`].filter(Boolean).join(" · ");
}
