"use client";

import type { LeftOutFacts } from "@anneal/core/connect/source-status";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import Link from "next/link";
import { DataTable } from "#components/ui/data-table.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { dropColumns } from "#features/connect/drop-columns.tsx";
import { formatCount } from "#lib/format.ts";
import { useTableState } from "#lib/table-state.ts";
import { useTRPC } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

/** Documents of this source that could be read and that the rules leave out, each with its reason: no failures. */
export function LeftOutDocuments({ source }: { source: LeftOutFacts & { id: string } }) {
  const trpc = useTRPC();
  const { href } = useWorkspace();
  const state = useTableState();
  const { data, error, refetch } = useQuery(
    trpc.documents.list.queryOptions(
      { sourceId: source.id, status: "dropped", limit: state.pageSize, offset: (state.page - 1) * state.pageSize },
      { placeholderData: keepPreviousData },
    ),
  );
  const documents = (status: "dropped" | "duplicate") => href(`/documents?source=${source.id}&status=${status}`);
  return (
    <div className="space-y-3">
      <p className="text-13 text-muted">
        The rules for documents leave these out: nothing failed, and reading them again changes nothing.{" "}
        {source.droppedCount > 0 && (
          <Link href={documents("dropped")} className="text-accent hover:underline">
            See them among all documents
          </Link>
        )}
        {source.duplicateCount > 0 && (
          <>
            {source.droppedCount > 0 && " · "}
            <Link href={documents("duplicate")} className="text-accent hover:underline">
              {formatCount(source.duplicateCount, "duplicate")} of older documents
            </Link>
          </>
        )}
      </p>
      <DataTable
        label="Left out by the rules"
        columns={dropColumns}
        rows={data?.rows}
        total={data?.total ?? 0}
        rowId={(row) => row.id}
        rowHref={(row) => href(`/documents/${row.id}`)}
        state={state}
        error={error && wireErrorOf(error)}
        onRetry={() => void refetch()}
        empty={
          <EmptyState icon={CircleCheck} title="None is left out for what it is">
            A document that is too short, that only repeats itself or that holds no text is put here with the reason.
          </EmptyState>
        }
      />
    </div>
  );
}
