"use client";

import { useQuery } from "@tanstack/react-query";
import { BookOpenText, Lock } from "lucide-react";
import Link from "next/link";
import { Button } from "#components/ui/button.tsx";
import { numberColumn, timeColumn } from "#components/ui/columns.tsx";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { Digest } from "#components/ui/digest.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { Page } from "#components/ui/page.tsx";
import { formatNumber } from "#lib/format.ts";
import { useTableState } from "#lib/table-state.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Version = Answers["dataset"]["list"][number];

export function DatasetsPage() {
  const trpc = useTRPC();
  const { href } = useWorkspace();
  const state = useTableState({ defaultSort: "-createdAt" });
  const { data, error, refetch } = useQuery(trpc.dataset.list.queryOptions());
  return (
    <Page
      title="Datasets"
      description="Questions and answers with the passages that they come from. A version never changes."
    >
      <DataTable
        label="Dataset versions"
        columns={columns(href)}
        rows={data}
        rowId={(row) => row.id}
        rowHref={(row) => href(`/datasets/${row.id}`)}
        state={state}
        error={error && wireErrorOf(error)}
        onRetry={() => void refetch()}
        minWidth="62rem"
        empty={
          <EmptyState
            icon={BookOpenText}
            title="No dataset yet"
            action={
              <Button asChild variant="primary">
                <Link href={href("/")}>Go to the loop</Link>
              </Button>
            }
          >
            A run of the loop makes questions and answers from your documents, drops those that their text does not
            support, and keeps the rest here as a version.
          </EmptyState>
        }
      />
    </Page>
  );
}

const columns = (href: (path: string) => string): DataColumn<Version>[] => [
  {
    id: "name",
    accessorFn: (row) => `${row.name} ${String(row.version).padStart(6, "0")}`,
    header: "Dataset",
    meta: { width: "22%", card: "title" },
    cell: ({ row: { original: version } }) => (
      <span className="flex items-center gap-1.5">
        {!version.readable && (
          <Lock aria-label="It holds documents that you may not read" className="size-3 shrink-0 text-faint" />
        )}
        <Link href={href(`/datasets/${version.id}`)} tabIndex={-1} className="truncate font-medium hover:underline">
          {version.name} v{version.version}
        </Link>
      </span>
    ),
  },
  numberColumn("train", "Training", "6.5rem", (row) => row.trainCount),
  numberColumn("eval", "Evaluation", "6.5rem", (row) => row.evalCount),
  numberColumn("pairs", "Pairs", "5.5rem", (row) => row.pairCount),
  {
    id: "dropped",
    accessorKey: "droppedCount",
    header: "Dropped",
    meta: { align: "right", width: "5.5rem" },
    cell: ({ row }) => (
      <span className={row.original.droppedCount > 0 ? "text-waiting" : "text-faint"}>
        {formatNumber(row.original.droppedCount)}
      </span>
    ),
  },
  {
    id: "readers",
    header: "Readers",
    enableSorting: false,
    meta: { width: "9rem" },
    cell: ({ row }) => row.original.readers,
  },
  {
    id: "digest",
    header: "Digest",
    enableSorting: false,
    meta: { width: "7.5rem", card: "hidden" },
    cell: ({ row }) => <Digest value={row.original.digest} />,
  },
  timeColumn("createdAt", "Made", "7rem", (row) => row.createdAt),
];
