"use client";

import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { CircleCheck, RotateCcw } from "lucide-react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { useTableState } from "#lib/table-state.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Failure = Answers["documents"]["list"]["rows"][number];

/** Documents of this source that could not be read, each with its reason and another try. */
export function SourceFailures({ sourceId }: { sourceId: string }) {
  const trpc = useTRPC();
  const { href } = useWorkspace();
  const state = useTableState();
  const { data, error, refetch } = useQuery(
    trpc.documents.list.queryOptions(
      { sourceId, status: "quarantined", limit: state.pageSize, offset: (state.page - 1) * state.pageSize },
      { placeholderData: keepPreviousData },
    ),
  );
  return (
    <DataTable
      label="Failures"
      columns={columns}
      rows={data?.rows}
      total={data?.total ?? 0}
      rowId={(row) => row.id}
      rowHref={(row) => href(`/documents/${row.id}`)}
      state={state}
      error={error && wireErrorOf(error)}
      onRetry={() => void refetch()}
      empty={
        <EmptyState icon={CircleCheck} title="No failures">
          A document that cannot be read, or not safely, is put here with the reason, and the rest goes on.
        </EmptyState>
      }
    />
  );
}

const columns: DataColumn<Failure>[] = [
  {
    id: "title",
    header: "Document",
    enableSorting: false,
    meta: { width: "28%", card: "title" },
    cell: ({ row }) => <span title={row.original.ref}>{row.original.title}</span>,
  },
  {
    id: "code",
    header: "Code",
    enableSorting: false,
    meta: { width: "14rem" },
    cell: ({ row }) => <span className="font-mono text-xs text-muted">{row.original.drop?.code}</span>,
  },
  {
    id: "reason",
    header: "Why",
    enableSorting: false,
    cell: ({ row }) => <span title={row.original.drop?.reason}>{row.original.drop?.reason}</span>,
  },
  {
    id: "retry",
    header: () => <span className="sr-only">Actions</span>,
    enableSorting: false,
    meta: { width: "7rem", align: "right" },
    cell: ({ row }) => <Retry documentId={row.original.id} />,
  },
];

function Retry({ documentId }: { documentId: string }) {
  const trpc = useTRPC();
  const { role } = useWorkspace();
  const retry = useMutation(
    trpc.documents.retry.mutationOptions({ onSuccess: () => toast("It is read again with the next run.") }),
  );
  if (role !== "admin" && role !== "data_scientist") return null;
  return (
    <Button size="small" variant="ghost" busy={retry.isPending} onClick={() => retry.mutate({ documentId })}>
      {!retry.isPending && <RotateCcw aria-hidden />} Retry
    </Button>
  );
}
