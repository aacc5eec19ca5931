"use client";

import { mayRun } from "@anneal/core/access/roles";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Activity, Square } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import type { Progress } from "@anneal/core/loop/contract";
import { Button } from "#components/ui/button.tsx";
import { Popover, PopoverClose, PopoverContent, PopoverTrigger } from "#components/ui/popover.tsx";
import { ProgressBar, ProgressWithRate } from "#components/ui/progress.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { StatusIcon } from "#components/ui/status.tsx";
import { cn } from "#lib/class-names.ts";
import { formatCount, formatDateTime, formatSignificant } from "#lib/format.ts";
import { stageNames } from "#lib/stage-names.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useNow } from "#lib/use-now.ts";
import { useWorkspace } from "#lib/workspace.tsx";

/** What runs now, or goes on once a wait is over, from any page: long work can be left and is found again here. */
export function RunningTray() {
  const trpc = useTRPC();
  const { data } = useQuery(trpc.work.active.queryOptions());
  const { runs = [], trainings = [], syncs = [] } = data ?? {};
  const count = runs.length + trainings.length + syncs.length;
  const allWait = syncs.length === count && syncs.every(isWaiting);
  const label =
    count === 0
      ? "Nothing is running"
      : [
          runs.length > 0 && formatCount(runs.length, "run"),
          trainings.length > 0 && formatCount(trainings.length, "training"),
          syncs.length > 0 && formatCount(syncs.length, "sync", "syncs"),
        ]
          .filter(Boolean)
          .join(", ") + " in progress";
  return (
    <Popover>
      <PopoverTrigger asChild>
        <Button variant="ghost" aria-label={label} title={label} className="px-2">
          {count === 0 ? <Activity aria-hidden /> : <StatusIcon kind={allWait ? "waiting" : "running"} />}
          {count > 0 && <span className={cn("tabular", allWait ? "text-waiting" : "text-running")}>{count}</span>}
        </Button>
      </PopoverTrigger>
      <PopoverContent align="end" aria-label="Running work">
        <h2 className="border-b border-line px-4 py-2.5 text-13 font-semibold">Running work</h2>
        {count === 0 ? (
          <p className="px-4 py-5 text-13 text-muted">
            Nothing is running. Runs, syncs and trainings show here with their progress while they last.
          </p>
        ) : (
          <ul className="max-h-96 divide-y divide-line overflow-y-auto">
            {runs.map((run) => (
              <ActiveRun key={run.id} run={run} />
            ))}
            {trainings.map((training) => (
              <ActiveTraining key={training.id} training={training} />
            ))}
            {syncs.map((sync) => (
              <ActiveSync key={sync.sourceId} sync={sync} />
            ))}
          </ul>
        )}
      </PopoverContent>
    </Popover>
  );
}

type Active = Answers["work"]["active"];

function ActiveRun({ run }: { run: Active["runs"][number] }) {
  const current = run.stages.find((stage) => stage.status === "running");
  const done = run.stages.filter((stage) => stage.status === "done" || stage.status === "skipped").length;
  return (
    <ActiveWork
      path={`/runs/${run.id}`}
      title={current ? stageNames[current.stage].doing : "Waiting to start"}
      detail={`stage ${Math.min(done + 1, run.stages.length)} of ${run.stages.length}`}
      progress={current?.progress ?? null}
      waiting={!current}
    >
      Run started by {run.startedBy} <RelativeTime time={run.createdAt} />
    </ActiveWork>
  );
}

function ActiveTraining({ training }: { training: Active["trainings"][number] }) {
  const { steps, etaMs, loss, dataset } = training;
  const progress = { done: steps.done, total: steps.total, unit: "steps", ratePerSecond: null, etaMs, note: null };
  return (
    <ActiveWork
      path={`/training/${training.id}`}
      title={training.status === "stopping" ? "Stopping a training" : "Training an adapter"}
      detail={loss.last === null ? "" : `loss ${formatSignificant(loss.last)}`}
      progress={steps.total === null ? null : progress}
    >
      On {dataset.name} v{dataset.version}, started <RelativeTime time={training.startedAt ?? training.createdAt} />
    </ActiveWork>
  );
}

type Sync = Active["syncs"][number];

/** Its source asked to be left alone for a while. */
const isWaiting = ({ waitsUntil }: Sync) => waitsUntil !== null;

function ActiveSync({ sync }: { sync: Sync }) {
  const waiting = isWaiting(sync);
  return (
    <ActiveWork
      path={`/sources/${sync.sourceId}`}
      title={`${waiting ? "Waiting for" : "Reading"} ${sync.name}`}
      detail="sync"
      progress={sync.progress}
      waiting={waiting}
      action={waiting && <CancelSync sync={sync} />}
    >
      {waiting ? (
        <Wait sync={sync} />
      ) : (
        <>
          Started <RelativeTime time={sync.startedAt} />
        </>
      )}
    </ActiveWork>
  );
}

function Wait({ sync: { waitsUntil, pauseRequestedAt } }: { sync: Sync }) {
  const now = useNow();
  return (
    <>
      {pauseRequestedAt ? "It pauses" : "It is read on"} <RelativeTime time={waitsUntil} />
      {now && waitsUntil && `, at ${formatDateTime(waitsUntil)}`}
    </>
  );
}

function CancelSync({ sync: { sourceId, name } }: { sync: Sync }) {
  const trpc = useTRPC();
  const { role } = useWorkspace();
  const cancel = useMutation(trpc.connect.cancel.mutationOptions());
  if (!mayRun(role)) return null;
  return (
    <Button
      size="small"
      variant="ghost"
      busy={cancel.isPending}
      aria-label={`Cancel the sync of ${name}`}
      onClick={() => cancel.mutate({ sourceId })}
    >
      {!cancel.isPending && <Square aria-hidden />} Cancel
    </Button>
  );
}

type ActiveWorkProps = {
  path: string;
  title: string;
  detail: string;
  /** Null while nothing has been counted. */
  progress: Progress | null;
  waiting?: boolean;
  /** Beside the link to its page. */
  action?: ReactNode;
  children: ReactNode;
};

function ActiveWork({ path, title, detail, progress, waiting, action, children }: ActiveWorkProps) {
  const { href } = useWorkspace();
  return (
    <li>
      <PopoverClose asChild>
        <Link href={href(path)} data-focus-inset className="block space-y-2 px-4 py-3 hover:bg-hover">
          <span className="flex items-baseline justify-between gap-2 text-13">
            <span className="min-w-0 truncate font-medium">{title}</span>
            <span className="tabular shrink-0 text-xs text-muted">{detail}</span>
          </span>
          {progress ? (
            <ProgressWithRate progress={progress} label={title} />
          ) : (
            <ProgressBar share={null} label={title} kind={waiting ? "waiting" : "running"} />
          )}
          <span className="block text-xs text-faint">{children}</span>
        </Link>
      </PopoverClose>
      {action && <div className="flex justify-end px-2 pb-2">{action}</div>}
    </li>
  );
}
