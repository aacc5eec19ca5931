"use client";

import { CircleDashed, History } from "lucide-react";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { Digest } from "#components/ui/digest.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { Status, StatusIcon, statusOfStage } from "#components/ui/status.tsx";
import type { RunView } from "#features/loop/loop-picture.tsx";
import { forWhat, sourcesOf } from "#features/loop/run-scope.tsx";
import { formatDuration, formatNumber } from "#lib/format.ts";
import { stageNames } from "#lib/stage-names.ts";
import { useTableState } from "#lib/table-state.ts";
import { useWorkspace } from "#lib/workspace.tsx";

const columns: DataColumn<RunView>[] = [
  {
    id: "run",
    header: "Run",
    enableSorting: false,
    meta: { width: "6.75rem", card: "title" },
    cell: ({ row }) => <Digest value={row.original.id} />,
  },
  {
    id: "status",
    accessorKey: "status",
    header: "Status",
    meta: { width: "7.5rem" },
    cell: ({ row }) => {
      const { kind, word } = statusOfStage(row.original.status);
      return <Status kind={kind} word={word} />;
    },
  },
  {
    id: "scope",
    header: "For",
    enableSorting: false,
    cell: ({ row }) => {
      const purpose = forWhat(row.original.settings);
      const sources = sourcesOf(row.original);
      return (
        <span className="flex min-w-0 flex-col leading-4">
          <span className="truncate font-mono text-xs" title={purpose}>
            {purpose}
          </span>
          <span className="truncate text-2xs text-faint" title={sources}>
            from {sources}
          </span>
        </span>
      );
    },
  },
  {
    id: "stages",
    header: "Stages",
    enableSorting: false,
    meta: { width: "12rem", card: "hidden" },
    cell: ({ row }) => <StageStrip run={row.original} />,
  },
  {
    id: "dropped",
    header: "Dropped",
    accessorFn: droppedIn,
    meta: { align: "right", width: "6.5rem" },
    cell: ({ getValue }) => formatNumber(getValue<number | null>()),
  },
  {
    id: "took",
    header: "Took",
    accessorFn: (run) => (run.endedAt ? run.endedAt.getTime() - run.createdAt.getTime() : null),
    meta: { align: "right", width: "6rem" },
    cell: ({ getValue }) => formatDuration(getValue<number | null>()),
  },
  {
    id: "createdAt",
    accessorKey: "createdAt",
    header: "Started",
    meta: { align: "right", width: "6.5rem" },
    cell: ({ row }) => <RelativeTime time={row.original.createdAt} className="text-muted" />,
  },
];

export function RunHistory({ runs }: { runs: RunView[] }) {
  const { href } = useWorkspace();
  const state = useTableState({ defaultSort: "-createdAt", prefix: "runs-" });
  return (
    <section className="min-w-0">
      <h2 className="mb-2 text-13 font-semibold">Runs</h2>
      <DataTable
        label="Runs"
        columns={columns}
        rows={runs}
        rowId={(run) => run.id}
        rowHref={(run) => href(`/runs/${run.id}`)}
        state={state}
        empty={
          <EmptyState icon={History} title="No runs yet">
            Every trip round the loop is listed here with its stages, what it left out and how long it took.
          </EmptyState>
        }
        minWidth="51rem"
      />
    </section>
  );
}

/** Null where it is not told of every stage. */
function droppedIn({ stages }: RunView): number | null {
  return stages.reduce<number | null>(
    (sum, { droppedCount }) => (sum === null || droppedCount === null ? null : sum + droppedCount),
    0,
  );
}

function StageStrip({ run }: { run: RunView }) {
  return (
    <span className="flex items-center gap-1.5">
      {run.stages.map((stage) => {
        const { kind, word } = statusOfStage(stage.status);
        const label = `${stageNames[stage.stage].title}: ${stage.status === "waiting" ? "not reached" : word.toLowerCase()}`;
        return (
          <span key={stage.stage} title={label}>
            {stage.status === "waiting" ? (
              <CircleDashed aria-hidden className="size-3.5 text-line-strong" />
            ) : (
              <StatusIcon kind={kind} className="size-3.5" />
            )}
            <span className="sr-only">{label}</span>
          </span>
        );
      })}
    </span>
  );
}
