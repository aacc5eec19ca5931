"use client";

import { mayRun } from "@anneal/core/access/roles";
import { useMutation } from "@tanstack/react-query";
import { Pause, Play, Square } from "lucide-react";
import type { Progress } from "@anneal/core/loop/contract";
import { Button } from "#components/ui/button.tsx";
import { ProgressWithRate } from "#components/ui/progress.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { Status } from "#components/ui/status.tsx";
import { formatBytes, formatDateTime, formatNumber } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useNow } from "#lib/use-now.ts";
import { useWorkspace } from "#lib/workspace.tsx";

type Source = Answers["connect"]["get"];
type Sync = NonNullable<Source["openSync"]>;

/** The read that is going on or paused: how far it is, how fast, how long still, and what can be done with it. */
export function OpenSync({ source }: { source: Source }) {
  const sync = source.openSync;
  if (sync === null) return null;
  return (
    <section aria-label="Read in progress" className="rounded-panel border border-line bg-panel p-4">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="space-y-1">
          <State sync={sync} />
          <p className="text-xs text-muted">
            Started by {sync.startedBy === "schedule" ? "its schedule" : sync.startedBy}{" "}
            <RelativeTime time={sync.startedAt} />
          </p>
          {sync.status === "waiting" && <Wait sync={sync} />}
        </div>
        {sync.runId === null && <Steer source={source} sync={sync} />}
      </div>
      {sync.live && <Figures source={source} sync={sync} live={sync.live} />}
    </section>
  );
}

function Figures({ source, sync, live }: { source: Source; sync: Sync; live: Progress }) {
  return (
    <>
      {sync.status === "running" && (
        <ProgressWithRate className="mt-4" progress={live} label={`Reading ${source.name}`} />
      )}
      <dl className="tabular mt-4 grid grid-cols-3 gap-3 text-13 sm:grid-cols-6">
        <Count label="Listed" value={formatNumber(sync.scanned)} />
        <Count label="Added" value={formatNumber(sync.added)} />
        <Count label="Changed" value={formatNumber(sync.changed)} />
        <Count label="Removed" value={formatNumber(sync.removed)} />
        <Count label="Failed" value={formatNumber(sync.dropped)} failed={Boolean(sync.dropped)} />
        <Count label="Fetched" value={fetched(sync)} />
      </dl>
    </>
  );
}

/** What the source said, and when it is asked again. */
function Wait({ sync }: { sync: Sync }) {
  const now = useNow();
  return (
    <p className="text-13">
      {sync.error?.message} {sync.pauseRequestedAt ? "The wait ends" : "It is read on"}{" "}
      <RelativeTime time={sync.waitsUntil} className="font-medium" />
      {now && sync.waitsUntil && `, at ${formatDateTime(sync.waitsUntil)}`}.
    </p>
  );
}

function State({ sync }: { sync: Sync }) {
  if (sync.status === "paused") return <Status kind="waiting" word="Paused" />;
  if (sync.status === "waiting")
    return <Status kind="waiting" word={sync.pauseRequestedAt ? "Pausing after the wait" : "Waiting for the source"} />;
  if (sync.pauseRequestedAt) return <Status kind="running" word="Pausing at the next checkpoint" />;
  return <Status kind="running" word="Reading" />;
}

function Count({ label, value, failed }: { label: string; value: string; failed?: boolean }) {
  return (
    <div>
      <dt className="text-xs text-muted">{label}</dt>
      <dd className={failed ? "font-medium text-failed" : "font-medium"}>{value}</dd>
    </div>
  );
}

function fetched({ bytes, progress }: Sync): string {
  const rate = progress?.bytesPerSecond;
  return rate ? `${formatBytes(bytes)} · ${formatBytes(Math.round(rate))}/s` : formatBytes(bytes);
}

function Steer({ source, sync }: { source: Source; sync: Sync }) {
  const trpc = useTRPC();
  const { role } = useWorkspace();
  const pause = useMutation(trpc.connect.pause.mutationOptions());
  const resume = useMutation(trpc.connect.resume.mutationOptions());
  const cancel = useMutation(trpc.connect.cancel.mutationOptions());
  if (!mayRun(role)) return null;
  const input = { sourceId: source.id };
  const pausing = pause.isPending || sync.pauseRequestedAt !== null;
  return (
    <div className="flex flex-wrap gap-2">
      {sync.status === "paused" ? (
        <Button size="small" busy={resume.isPending} onClick={() => resume.mutate(input)}>
          {!resume.isPending && <Play aria-hidden />} Resume
        </Button>
      ) : (
        <Button size="small" busy={pausing} onClick={() => pause.mutate(input)}>
          {!pausing && <Pause aria-hidden />} Pause
        </Button>
      )}
      <Button size="small" variant="ghost" busy={cancel.isPending} onClick={() => cancel.mutate(input)}>
        {!cancel.isPending && <Square aria-hidden />} Cancel
      </Button>
    </div>
  );
}
