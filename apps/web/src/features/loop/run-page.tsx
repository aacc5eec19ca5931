"use client";

import { mayRun } from "@anneal/core/access/roles";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import Link from "next/link";
import type { ReactNode } from "react";
import type { Stage } from "@anneal/core/loop/contract";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { Digest } from "#components/ui/digest.tsx";
import { ErrorNotice, ErrorState } from "#components/ui/error-state.tsx";
import { KeyValues } from "#components/ui/key-values.tsx";
import { Page } from "#components/ui/page.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { ProgressWithRate } from "#components/ui/progress.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { Select } from "#components/ui/select.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { Status, statusOfStage } from "#components/ui/status.tsx";
import { LoopPicture } from "#features/loop/loop-picture.tsx";
import { RunActions } from "#features/loop/run-actions.tsx";
import { RunScope } from "#features/loop/run-scope.tsx";
import { RunReport } from "#features/loop/run-report.tsx";
import { formatDuration, formatNumber } from "#lib/format.ts";
import { agree, stageNames } from "#lib/stage-names.ts";
import { useTableFilter, useTableState } from "#lib/table-state.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useNow } from "#lib/use-now.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Run = Answers["loop"]["get"];
type DropRow = Answers["loop"]["drops"]["rows"][number];

export function RunPage({ runId }: { runId: string }) {
  const trpc = useTRPC();
  const { href, role } = useWorkspace();
  const { data: run, error, refetch } = useQuery(trpc.loop.get.queryOptions({ runId }));
  const [stage, setStage] = useTableFilter("stage");
  const parent = { label: "Home", href: href("/") };
  if (!run)
    return (
      <Page title="Run" parent={parent}>
        {error ? <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} /> : <SkeletonRows />}
      </Page>
    );
  const { kind, word } = statusOfStage(run.status);
  return (
    <Page
      title={
        <span className="flex flex-wrap items-center gap-3">
          Run <Digest value={run.id} className="text-base" />
          <Status kind={kind} word={word} />
        </span>
      }
      description={
        <>
          Started by {run.startedBy} <RelativeTime time={run.createdAt} />
          {run.waitsFor && (
            <>
              {" · waits for "}
              <Link href={href(`/runs/${run.waitsFor}`)} className="underline">
                another run
              </Link>
              {run.status === "running" ? " before it indexes" : " before it begins"}
            </>
          )}
          {run.endedAt && ` · took ${formatDuration(run.endedAt.getTime() - run.createdAt.getTime())}`}
        </>
      }
      parent={parent}
      actions={<RunActions run={run} />}
    >
      <div className="space-y-6">
        {run.error && <ErrorNotice error={run.error} />}
        <LoopPicture run={run} selected={stage} />
        {run.stages
          .filter((each) => each.stage === stage)
          .map((each) => (
            <StageDetail key={each.stage} stage={each} />
          ))}
        <RunScope run={run} />
        {run.report && <RunReport report={run.report} />}
        {mayRun(role) && <Drops runId={runId} stages={run.stages} stage={stage} onStage={setStage} />}
      </div>
    </Page>
  );
}

function StageDetail({ stage }: { stage: Run["stages"][number] }) {
  const { kind, word } = statusOfStage(stage.status);
  const { title } = stageNames[stage.stage];
  const now = useNow();
  return (
    <Panel title={title} actions={<Status kind={kind} word={word} />}>
      <div className="space-y-4">
        {stage.error && <ErrorNotice error={stage.error} />}
        {stage.status === "running" && stage.progress && <ProgressWithRate progress={stage.progress} label={title} />}
        <KeyValues items={factsOf(stage, now)} />
      </div>
    </Panel>
  );
}

/** What is known of a stage now: its counts are facts only once it is done, and not for everybody. */
function factsOf(stage: Run["stages"][number], now: Date | null): { label: string; value: ReactNode }[] {
  const { unitIn, unitOut } = stageNames[stage.stage];
  const note = stage.note ? [{ label: "Note", value: stage.note }] : [];
  const { inCount, outCount, droppedCount } = stage;
  const dropped = droppedCount === null ? [] : [{ label: "Dropped", value: formatNumber(droppedCount) }];
  switch (stage.status) {
    case "waiting":
      return [{ label: "State", value: "Not reached yet" }];
    case "skipped":
      return [{ label: "State", value: "Skipped: it was done before" }, ...note];
    case "running":
      return [
        ...(stage.progress || outCount === null ? [] : [{ label: "Done", value: "Nothing is counted yet" }]),
        { label: "Running since", value: <RelativeTime time={stage.startedAt} /> },
        ...(stage.startedAt && now
          ? [{ label: "For", value: formatDuration(Math.max(0, now.getTime() - stage.startedAt.getTime())) }]
          : []),
        ...note,
      ];
    case "failed":
    case "cancelled":
      return [...dropped, { label: "Ended after", value: formatDuration(stage.durationMs) }, ...note];
    case "done":
      return [
        ...(inCount === null ? [] : [{ label: "In", value: `${formatNumber(inCount)} ${agree(inCount, unitIn)}` }]),
        ...(outCount === null
          ? []
          : [{ label: "Out", value: `${formatNumber(outCount)} ${agree(outCount, unitOut)}` }]),
        ...dropped,
        { label: "Took", value: formatDuration(stage.durationMs) },
        ...note,
      ];
  }
}

type DropsProps = { runId: string; stages: Run["stages"]; stage: string; onStage(stage: string): void };

function Drops({ runId, stages, stage, onStage }: DropsProps) {
  const trpc = useTRPC();
  const { href } = useWorkspace();
  const state = useTableState({ prefix: "" });
  const { data, error, refetch } = useQuery(
    trpc.loop.drops.queryOptions(
      {
        runId,
        stage: stage ? (stage as Stage) : undefined,
        limit: state.pageSize,
        offset: (state.page - 1) * state.pageSize,
      },
      { placeholderData: keepPreviousData },
    ),
  );
  const withDrops = stages.filter((each) => !!each.droppedCount || each.stage === stage);
  return (
    <section>
      <header className="mb-2 flex flex-wrap items-center justify-between gap-3">
        <h2 className="text-13 font-semibold">Left out, and why</h2>
        <Select
          label="Stage"
          className="w-48"
          value={stage || "all"}
          onChange={(next) => onStage(next === "all" ? "" : next)}
          options={[
            { value: "all", label: "All stages" },
            ...withDrops.map((each) => ({
              value: each.stage as string,
              label: `${stageNames[each.stage].title} (${formatNumber(each.droppedCount)})`,
            })),
          ]}
        />
      </header>
      <DataTable
        label="Left out, and why"
        columns={dropColumns(href)}
        rows={data?.rows}
        total={data?.total ?? 0}
        rowId={(row) => String(row.seq)}
        rowHref={(row) => (row.documentId ? href(`/documents/${row.documentId}`) : undefined)}
        state={state}
        error={error && wireErrorOf(error)}
        onRetry={() => void refetch()}
        empty={
          <p className="rounded-panel border border-line bg-panel px-4 py-6 text-center text-13 text-muted">
            Nothing was left out{stage ? " in this stage" : ""}.
          </p>
        }
      />
    </section>
  );
}

const dropColumns = (href: (path: string) => string): DataColumn<DropRow>[] => [
  {
    id: "ref",
    header: "What",
    enableSorting: false,
    meta: { width: "34%", card: "title", wrap: true },
    cell: ({ row: { original: drop } }) => (
      <>
        <span className="block font-mono text-xs">{drop.ref}</span>
        {drop.documentId && drop.documentTitle !== null && (
          <Link
            href={href(`/documents/${drop.documentId}`)}
            className="mt-0.5 block text-xs font-normal text-muted underline-offset-2 hover:underline"
          >
            {drop.documentTitle === drop.ref ? "Open the document" : `in ${drop.documentTitle}`}
          </Link>
        )}
      </>
    ),
  },
  {
    id: "reason",
    header: "Why",
    enableSorting: false,
    meta: { wrap: true },
    cell: ({ row: { original: drop } }) => (
      <>
        <span className="block">{drop.reason}</span>
        <span className="mt-0.5 block font-mono text-2xs text-faint">{drop.code}</span>
      </>
    ),
  },
  {
    id: "stage",
    header: "Stage",
    enableSorting: false,
    meta: { width: "6.5rem", wrap: true },
    cell: ({ row }) => stageNames[row.original.stage].title,
  },
];
