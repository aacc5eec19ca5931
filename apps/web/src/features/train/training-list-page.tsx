"use client";

import { useQuery } from "@tanstack/react-query";
import { Flame } from "lucide-react";
import Link from "next/link";
import { Button } from "#components/ui/button.tsx";
import { numberColumn, timeColumn } from "#components/ui/columns.tsx";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { Digest } from "#components/ui/digest.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { Page } from "#components/ui/page.tsx";
import { ProgressBar } from "#components/ui/progress.tsx";
import { TrainingStatus, type TrainingRow } from "#features/train/training-status.tsx";
import { formatDuration, formatNumber, formatSignificant, missing } from "#lib/format.ts";
import { useTableState } from "#lib/table-state.ts";
import { useTRPC } from "#lib/trpc.ts";
import { useNow } from "#lib/use-now.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

/** Every training beside the others, so that what changed between two and what it did can be read off a column. */
export function TrainingListPage() {
  const trpc = useTRPC();
  const { href } = useWorkspace();
  const state = useTableState({ defaultSort: "-createdAt" });
  const { data, error, refetch } = useQuery(trpc.train.list.queryOptions());
  return (
    <Page
      title="Training"
      description="Every training, side by side: what went in, how far the loss fell, how fast it went."
    >
      <DataTable
        label="Trainings"
        columns={columns(href)}
        rows={data}
        rowId={(row) => row.id}
        rowHref={(row) => href(`/training/${row.id}`)}
        state={state}
        error={error && wireErrorOf(error)}
        onRetry={() => void refetch()}
        minWidth="70rem"
        empty={
          <EmptyState
            icon={Flame}
            title="Nothing has been trained yet"
            action={
              <Button asChild variant="primary">
                <Link href={href("/")}>Go to the loop</Link>
              </Button>
            }
          >
            A run of the loop trains a small adapter on the questions and answers of your documents. Its curves stand
            here while it learns.
          </EmptyState>
        }
      />
    </Page>
  );
}

const columns = (href: (path: string) => string): DataColumn<TrainingRow>[] => [
  {
    id: "run",
    header: "Training",
    enableSorting: false,
    meta: { width: "6.75rem", card: "title" },
    cell: ({ row }) => <Digest value={row.original.id} />,
  },
  {
    id: "status",
    accessorKey: "status",
    header: "Status",
    meta: { width: "6.75rem" },
    cell: ({ row }) => <TrainingStatus status={row.original.status} />,
  },
  {
    id: "dataset",
    accessorFn: (run) => `${run.dataset.name} ${String(run.dataset.version).padStart(6, "0")}`,
    header: "Dataset",
    meta: { width: "8rem" },
    cell: ({ row: { original: run } }) => (
      <Link href={href(`/datasets/${run.dataset.id}`)} tabIndex={-1} className="hover:underline">
        {run.dataset.name} v{run.dataset.version}
      </Link>
    ),
  },
  {
    id: "base",
    accessorKey: "baseModel",
    header: "Base",
    meta: { card: "hidden" },
    cell: ({ row }) => <span title={row.original.baseModel}>{row.original.baseModel}</span>,
  },
  numberColumn("rank", "Rank", "4.5rem", (run) => run.config.rank),
  {
    id: "steps",
    accessorFn: (run) => run.steps.done,
    header: "Steps",
    meta: { width: "6.5rem", align: "right" },
    cell: ({ row }) => <Steps run={row.original} />,
  },
  {
    id: "loss",
    accessorFn: (run) => run.loss.last,
    header: "Loss",
    meta: { width: "7.75rem", align: "right" },
    cell: ({ row }) => <Change from={row.original.loss.first} to={row.original.loss.last} />,
  },
  {
    id: "eval",
    accessorFn: (run) => run.evalLoss.kept,
    header: "Evaluation",
    meta: { width: "7.75rem", align: "right" },
    cell: ({ row }) => <Change from={row.original.evalLoss.first} to={row.original.evalLoss.kept} />,
  },
  numberColumn("speed", "Tokens/s", "5.75rem", (run) => run.tokensPerSecond, formatSignificant),
  {
    id: "took",
    accessorFn: (run) => run.durationMs,
    header: "Took",
    meta: { width: "6.75rem", align: "right" },
    cell: ({ row }) => <Took run={row.original} />,
  },
  timeColumn("createdAt", "Started", "6.5rem", (run) => run.createdAt),
];

function Steps({ run }: { run: TrainingRow }) {
  const { done, total } = run.steps;
  if (run.status !== "running" && run.status !== "stopping") return formatNumber(done);
  return (
    <span className="flex flex-col items-end gap-1">
      <span>
        {formatNumber(done)}
        {total !== null && <span className="text-faint"> / {formatNumber(total)}</span>}
      </span>
      <ProgressBar share={total ? done / total : null} label="Steps" className="h-1" />
    </span>
  );
}

/** The first value in grey, the last in ink: what training did to it. */
function Change({ from, to }: { from: number | null; to: number | null }) {
  if (to === null) return <span className="text-faint">{missing}</span>;
  return (
    <span>
      {from !== null && <span className="text-faint">{formatSignificant(from)} → </span>}
      {formatSignificant(to)}
    </span>
  );
}

function Took({ run }: { run: TrainingRow }) {
  const now = useNow();
  if (run.durationMs !== null) return formatDuration(run.durationMs);
  if (!run.startedAt || !now || run.endedAt) return missing;
  return <span className="text-running">{formatDuration(now.getTime() - run.startedAt.getTime())}</span>;
}
