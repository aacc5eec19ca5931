"use client";

import { mayEdit } from "@anneal/core/access/roles";
import { useQuery } from "@tanstack/react-query";
import { Cable, Plus } from "lucide-react";
import Link from "next/link";
import { Badge } from "#components/ui/badge.tsx";
import { Button } from "#components/ui/button.tsx";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { Page } from "#components/ui/page.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { AddSource } from "#features/connect/add-source.tsx";
import { RemovedSources } from "#features/connect/removed-sources.tsx";
import { NextRead, SourceStatus } from "#features/connect/source-status.tsx";
import { formatNumber } from "#lib/format.ts";
import { useTableState } from "#lib/table-state.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useUrlParam } from "#lib/url-state.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Source = Answers["connect"]["list"][number];

export function SourcesPage() {
  const trpc = useTRPC();
  const { href, role } = useWorkspace();
  const state = useTableState({ defaultSort: "name" });
  const { data, error, refetch } = useQuery(trpc.connect.list.queryOptions());
  const [adding, setAdding] = useUrlParam("add", "");
  const mayAdd = mayEdit(role);
  const add = mayAdd && (
    <Button variant="primary" onClick={() => setAdding("1")}>
      <Plus aria-hidden /> Add source
    </Button>
  );
  return (
    <Page title="Sources" description="Where documents come from. Their permissions come with them." actions={add}>
      <DataTable
        label="Sources"
        columns={columns(href)}
        rows={data}
        rowId={(row) => row.id}
        rowHref={(row) => href(`/sources/${row.id}`)}
        state={state}
        error={error && wireErrorOf(error)}
        onRetry={() => void refetch()}
        minWidth="66.5rem"
        empty={
          <EmptyState icon={Cable} title="No sources yet" action={add}>
            A source is a file share, a mailbox, a wiki, a database, a website or another place that Anneal reads from.
            It only reads what changed, and follows what is deleted.
          </EmptyState>
        }
      />
      <RemovedSources />
      {mayAdd && <AddSource open={adding !== ""} onOpenChange={(open) => setAdding(open ? "1" : "")} />}
    </Page>
  );
}

/** No failure, so it is no column of its own. */
function LeftOut({ source: { droppedCount, duplicateCount }, href }: { source: Source; href: string }) {
  const count = droppedCount + duplicateCount;
  if (count === 0) return null;
  return (
    <span className="text-muted">
      {" · "}
      <Link href={href} className="hover:underline">
        {formatNumber(count)} left out
      </Link>
    </span>
  );
}

const columns = (href: (path: string) => string): DataColumn<Source>[] => [
  {
    accessorKey: "name",
    header: "Name",
    meta: { width: "30%", card: "title" },
    cell: ({ row: { original: source } }) => (
      <span className="flex min-w-0 flex-col leading-4">
        <Link href={href(`/sources/${source.id}`)} tabIndex={-1} className="truncate font-medium hover:underline">
          {source.name}
        </Link>
        {source.location !== source.name && (
          <span className="truncate font-mono text-2xs text-faint" title={source.location}>
            {source.location}
          </span>
        )}
      </span>
    ),
  },
  {
    accessorKey: "kindTitle",
    header: "Kind",
    meta: { width: "8.5rem" },
    cell: ({ row }) => <Badge>{row.original.kindTitle}</Badge>,
  },
  {
    id: "status",
    header: "Status",
    enableSorting: false,
    meta: { width: "13.5rem" },
    cell: ({ row }) => <SourceStatus source={row.original} />,
  },
  {
    accessorKey: "documentCount",
    header: "Documents",
    meta: { align: "right", width: "10.5rem" },
    cell: ({ row: { original: source } }) => (
      <>
        {formatNumber(source.documentCount)}
        <LeftOut source={source} href={href(`/sources/${source.id}?tab=left-out`)} />
      </>
    ),
  },
  {
    accessorKey: "quarantinedCount",
    header: "Failures",
    meta: { align: "right", width: "6.5rem" },
    cell: ({ row: { original: source } }) =>
      source.quarantinedCount === 0 ? (
        <span className="text-faint">0</span>
      ) : (
        <span className="font-medium text-failed">{formatNumber(source.quarantinedCount)}</span>
      ),
  },
  {
    id: "audience",
    header: "Readers",
    enableSorting: false,
    meta: { width: "8rem" },
    cell: ({ row: { original: source } }) => {
      if (source.audience === "members") return "Workspace";
      return source.bringsReaders ? "By source" : "Nobody";
    },
  },
  {
    accessorKey: "lastSyncAt",
    header: "Last read",
    meta: { align: "right", width: "7rem" },
    cell: ({ row }) => <RelativeTime time={row.original.lastSyncAt} className="text-muted" />,
  },
  {
    id: "nextSyncAt",
    header: "Next",
    enableSorting: false,
    meta: { align: "right", width: "6.5rem", card: "hidden" },
    cell: ({ row }) => (
      <span className="text-muted">
        <NextRead source={row.original} />
      </span>
    ),
  },
];
