"use client";

import { useQuery } from "@tanstack/react-query";
import { ArrowRight, CircleCheck } from "lucide-react";
import Link from "next/link";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Page } from "#components/ui/page.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { Skeleton } from "#components/ui/skeleton.tsx";
import { StatusIcon } from "#components/ui/status.tsx";
import { FirstSteps } from "#features/loop/first-steps.tsx";
import { LoopPicture, type RunView } from "#features/loop/loop-picture.tsx";
import { LoopSchedule } from "#features/loop/loop-schedule.tsx";
import { RunActions } from "#features/loop/run-actions.tsx";
import { RunHistory } from "#features/loop/run-history.tsx";
import { formatCount, formatDuration } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Overview = Answers["loop"]["overview"];

export function HomePage() {
  const trpc = useTRPC();
  const { name } = useWorkspace();
  const { data, error, refetch } = useQuery(trpc.loop.overview.queryOptions());
  if (error && !data)
    return (
      <Page title={name}>
        <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />
      </Page>
    );
  if (!data)
    return (
      <Page title={name}>
        <Skeleton className="h-56 rounded-panel" />
      </Page>
    );
  const current = currentRunOf(data);
  if (!current) return <FirstSteps sourceCount={data.sourceCount} defaults={data.defaults} />;
  return (
    <Page
      title={name}
      description={<Summary overview={data} />}
      actions={
        <>
          <LoopSchedule />
          <RunActions run={current} latestRuns={data.latestRuns} />
        </>
      }
    >
      <div className="space-y-6">
        <LoopPicture run={current} />
        <div className="grid grid-cols-1 items-start gap-6 xl:grid-cols-[minmax(0,1fr)_20rem]">
          <RunHistory runs={data.runs} />
          <AttentionPanel attention={data.attention} />
        </div>
      </div>
    </Page>
  );
}

/** The one that the page is about: what goes on, else the last. One that trains shows before one that is done sooner. */
function currentRunOf({ runs, latestRuns }: Overview): RunView | undefined {
  const withStatus = (wanted: RunView["status"]) =>
    latestRuns
      .filter(({ status }) => status === wanted)
      .toSorted((left, right) => right.stages.length - left.stages.length)[0];
  return withStatus("running") ?? withStatus("waiting") ?? runs[0];
}

function Summary({ overview }: { overview: Overview }) {
  const latest = currentRunOf(overview);
  if (!latest) return null;
  const from = `${formatCount(overview.documentCount, "document")} from ${formatCount(overview.sourceCount, "source")}`;
  if (!latest.endedAt)
    return (
      <>
        {from} · running since <RelativeTime time={latest.createdAt} />
      </>
    );
  const tookMs = latest.endedAt.getTime() - latest.createdAt.getTime();
  return (
    <>
      {from} · last run ended <RelativeTime time={latest.endedAt} /> after {formatDuration(tookMs)}
    </>
  );
}

function AttentionPanel({ attention }: { attention: Overview["attention"] }) {
  const { href } = useWorkspace();
  return (
    <Panel title="Needs attention" bodyClassName="p-0">
      {attention.length === 0 ? (
        <p className="flex items-center gap-2 px-4 py-4 text-13 text-muted">
          <CircleCheck aria-hidden className="size-4 shrink-0 text-ready" /> Nothing. Every source could be read, and no
          document waits or is in quarantine.
        </p>
      ) : (
        <ul className="divide-y divide-line">
          {attention.map((each) => (
            <li key={each.path + each.title}>
              <Link href={href(each.path)} data-focus-inset className="group flex gap-3 px-4 py-3 hover:bg-hover">
                <StatusIcon kind={each.kind} className="mt-0.5" />
                <span className="min-w-0 flex-1 text-13 wrap-anywhere">
                  <span className="block font-medium">{each.title}</span>
                  <span className="mt-0.5 line-clamp-3 text-muted">{each.detail}</span>
                </span>
                <ArrowRight aria-hidden className="mt-0.5 size-4 shrink-0 text-faint group-hover:text-ink" />
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
