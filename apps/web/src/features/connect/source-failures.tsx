"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { CircleCheck, Clock } from "lucide-react";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { dropColumns, type DroppedDocument } from "#features/connect/drop-columns.tsx";
import { RetryFailed } from "#features/connect/retry-failed.tsx";
import { formatCount } from "#lib/format.ts";
import { useTableState } from "#lib/table-state.ts";
import { useTRPC } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type SourceFailuresProps = { source: { id: string; waitingCount: number } };

/** Documents of this source that could not be read, each with its reason and another try. */
export function SourceFailures({ source: { id: sourceId, waitingCount } }: SourceFailuresProps) {
  const trpc = useTRPC();
  const { href } = useWorkspace();
  const state = useTableState();
  const { data, error, refetch } = useQuery(
    trpc.documents.list.queryOptions(
      { sourceId, status: "quarantined", limit: state.pageSize, offset: (state.page - 1) * state.pageSize },
      { placeholderData: keepPreviousData },
    ),
  );
  const table = (
    <DataTable
      label="Failures"
      columns={columns(sourceId)}
      rows={data?.rows}
      total={data?.total ?? 0}
      rowId={(row) => row.id}
      rowHref={(row) => href(`/documents/${row.id}`)}
      state={state}
      error={error && wireErrorOf(error)}
      onRetry={() => void refetch()}
      empty={
        <EmptyState
          icon={waitingCount === 0 ? CircleCheck : Clock}
          title={waitingCount === 0 ? "No failures" : "No failures so far"}
        >
          {waitingCount > 0 &&
            `${formatCount(waitingCount, "document")} ${waitingCount === 1 ? "is" : "are"} not parsed yet. `}
          A document that cannot be read, or not safely, is put here with the reason, and the rest goes on.
        </EmptyState>
      }
    />
  );
  if (!data || data.total === 0) return table;
  return (
    <div className="space-y-3">
      <div className="flex justify-end">
        <RetryFailed sourceId={sourceId}>Try all again</RetryFailed>
      </div>
      {table}
    </div>
  );
}

const columns = (sourceId: string): DataColumn<DroppedDocument>[] => [
  ...dropColumns,
  {
    id: "retry",
    header: () => <span className="sr-only">Actions</span>,
    enableSorting: false,
    meta: { width: "9rem", align: "right" },
    cell: ({ row: { original: document } }) => (
      <RetryFailed sourceId={sourceId} documentId={document.id} label={`Try again: ${document.title}`}>
        Try again
      </RetryFailed>
    ),
  },
];
