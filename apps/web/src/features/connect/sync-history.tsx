"use client";

import { wordLeftOut } from "@anneal/core/connect/left-out";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import Link from "next/link";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { SyncStatus } from "#features/connect/source-status.tsx";
import { SyncFailures } from "#features/connect/sync-failures.tsx";
import { whatWasWrong } from "#features/connect/what-was-wrong.ts";
import { formatBytes, formatDuration, formatNumber } from "#lib/format.ts";
import { useTableState } from "#lib/table-state.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Sync = Answers["connect"]["syncs"]["rows"][number];

/** Every time that a source was read: when, by whom, and what came of it. */
export function SyncHistory({ sourceId }: { sourceId: string }) {
  const trpc = useTRPC();
  const { href } = useWorkspace();
  const state = useTableState({ prefix: "reads-" });
  const { data, error, refetch } = useQuery(
    trpc.connect.syncs.queryOptions(
      { sourceId, limit: state.pageSize, offset: (state.page - 1) * state.pageSize },
      { placeholderData: keepPreviousData },
    ),
  );
  return (
    <DataTable
      label="Reads"
      columns={columns(href, sourceId)}
      rows={data?.rows}
      total={data?.total ?? 0}
      rowId={(row) => row.id}
      state={state}
      error={error && wireErrorOf(error)}
      onRetry={() => void refetch()}
      minWidth="72.5rem"
      empty={
        <EmptyState icon={History} title="Not read yet">
          Each read is listed here with who started it, how long it took, and what was new, changed or gone.
        </EmptyState>
      }
    />
  );
}

const columns = (href: (path: string) => string, sourceId: string): DataColumn<Sync>[] => [
  {
    id: "startedAt",
    header: "Started",
    enableSorting: false,
    meta: { width: "7.5rem", card: "title" },
    cell: ({ row }) => <RelativeTime time={row.original.startedAt} />,
  },
  {
    id: "status",
    header: "Status",
    enableSorting: false,
    meta: { width: "15rem" },
    cell: ({ row: { original: sync } }) => {
      const wrong = whatWasWrong(sync);
      const leftOut = wordLeftOut(sync.leftOut ?? {});
      return (
        <div className="wrap-anywhere whitespace-normal md:py-1.5">
          <SyncStatus sync={sync} />
          {wrong !== null && (
            <p className="mt-0.5 pb-1 text-xs text-muted md:pb-0" title={sync.error?.action}>
              {wrong}
            </p>
          )}
          {leftOut !== null && <p className="mt-0.5 pb-1 text-xs text-muted md:pb-0">{leftOut}</p>}
        </div>
      );
    },
  },
  {
    id: "dropped",
    header: "Failed",
    enableSorting: false,
    meta: { align: "right", width: "4.5rem" },
    cell: ({ row: { original: sync } }) => {
      const { id, dropped } = sync;
      if (!dropped) return <span className="text-faint">{formatNumber(dropped)}</span>;
      return <SyncFailures sourceId={sourceId} sync={{ id, dropped }} />;
    },
  },
  {
    id: "startedBy",
    header: "By",
    enableSorting: false,
    meta: { width: "9.5rem" },
    cell: ({ row: { original: sync } }) => {
      const who = sync.startedBy === "schedule" ? "Schedule" : sync.startedBy;
      if (sync.runId === null) return <span title={who}>{who}</span>;
      return (
        <Link
          href={href(`/runs/${sync.runId}`)}
          className="hover:underline"
          title={`In a run that was started by ${who}`}
        >
          Run · {who}
        </Link>
      );
    },
  },
  {
    id: "took",
    header: "Took",
    enableSorting: false,
    meta: { align: "right", width: "5.5rem" },
    cell: ({ row: { original: sync } }) =>
      formatDuration(
        sync.endedAt && sync.status !== "skipped" && sync.status !== "paused"
          ? sync.endedAt.getTime() - sync.startedAt.getTime()
          : null,
      ),
  },
  count("scanned", "Listed"),
  count("read", "Read"),
  count("added", "Added"),
  count("changed", "Changed"),
  count("removed", "Removed"),
  {
    id: "bytes",
    header: "Fetched",
    enableSorting: false,
    meta: { align: "right", width: "5.5rem" },
    cell: ({ row: { original: sync } }) =>
      sync.bytes === 0 ? <span className="text-faint">0</span> : formatBytes(sync.bytes),
  },
];

function count(id: "scanned" | "read" | "added" | "changed" | "removed", header: string): DataColumn<Sync> {
  return {
    id,
    header,
    enableSorting: false,
    meta: { align: "right", width: "5rem" },
    cell: ({ row }) => {
      const value = row.original[id];
      if (value === 0) return <span className="text-faint">0</span>;
      return formatNumber(value);
    },
  };
}
