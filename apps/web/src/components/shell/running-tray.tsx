"use client";

import { useQuery } from "@tanstack/react-query";
import { Activity } from "lucide-react";
import Link from "next/link";
import { Button } from "#components/ui/button.tsx";
import { Popover, PopoverClose, PopoverContent, PopoverTrigger } from "#components/ui/popover.tsx";
import { ProgressBar, ProgressWithRate } from "#components/ui/progress.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { StatusIcon } from "#components/ui/status.tsx";
import { formatCount } from "#lib/format.ts";
import { stageNames } from "#lib/stage-names.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";

/** What runs now, from any page: long work can be left and is found again here. */
export function RunningTray() {
  const trpc = useTRPC();
  const { data: active = [] } = useQuery(trpc.loop.active.queryOptions());
  const label =
    active.length === 0 ? "Nothing is running" : formatCount(active.length, "run in progress", "runs in progress");
  return (
    <Popover>
      <PopoverTrigger asChild>
        <Button variant="ghost" aria-label={label} title={label} className="px-2">
          {active.length === 0 ? <Activity aria-hidden /> : <StatusIcon kind="running" />}
          {active.length > 0 && <span className="tabular text-running">{active.length}</span>}
        </Button>
      </PopoverTrigger>
      <PopoverContent align="end" aria-label="Running work">
        <h2 className="border-b border-line px-4 py-2.5 text-13 font-semibold">Running work</h2>
        {active.length === 0 ? (
          <p className="px-4 py-5 text-13 text-muted">
            Nothing is running. Runs, syncs and trainings show here with their progress while they last.
          </p>
        ) : (
          <ul className="max-h-96 divide-y divide-line overflow-y-auto">
            {active.map((run) => (
              <ActiveRun key={run.id} run={run} />
            ))}
          </ul>
        )}
      </PopoverContent>
    </Popover>
  );
}

function ActiveRun({ run }: { run: Answers["loop"]["active"][number] }) {
  const { href } = useWorkspace();
  const current = run.stages.find((stage) => stage.status === "running");
  const done = run.stages.filter((stage) => stage.status === "done" || stage.status === "skipped").length;
  const title = current ? stageNames[current.stage].doing : "Waiting to start";
  return (
    <li>
      <PopoverClose asChild>
        <Link href={href(`/runs/${run.id}`)} data-focus-inset className="block space-y-2 px-4 py-3 hover:bg-hover">
          <span className="flex items-baseline justify-between gap-2 text-13">
            <span className="font-medium">{title}</span>
            <span className="tabular text-xs text-muted">
              stage {Math.min(done + 1, run.stages.length)} of {run.stages.length}
            </span>
          </span>
          {current?.progress ? (
            <ProgressWithRate progress={current.progress} label={title} />
          ) : (
            <ProgressBar share={null} label={title} kind={current ? "running" : "waiting"} />
          )}
          <span className="block text-xs text-faint">
            Started by {run.startedBy} <RelativeTime time={run.createdAt} />
          </span>
        </Link>
      </PopoverClose>
    </li>
  );
}
