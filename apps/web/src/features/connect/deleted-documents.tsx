"use client";

import { mayEdit } from "@anneal/core/access/roles";
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { RotateCcw, Trash2 } from "lucide-react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { useTableState } from "#lib/table-state.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Deleted = Answers["documents"]["list"]["rows"][number];

/** What the source no longer has, for as long as it can be taken back. */
export function DeletedDocuments({ sourceId }: { sourceId: string }) {
  const trpc = useTRPC();
  const { href } = useWorkspace();
  const state = useTableState({ prefix: "deleted-" });
  const { data, error, refetch } = useQuery(
    trpc.documents.list.queryOptions(
      { sourceId, status: "deleted", limit: state.pageSize, offset: (state.page - 1) * state.pageSize },
      { placeholderData: keepPreviousData },
    ),
  );
  return (
    <DataTable
      label="Deleted documents"
      columns={columns}
      rows={data?.rows}
      total={data?.total ?? 0}
      rowId={(row) => row.id}
      rowHref={(row) => href(`/documents/${row.id}`)}
      state={state}
      error={error && wireErrorOf(error)}
      onRetry={() => void refetch()}
      empty={
        <EmptyState icon={Trash2} title="Nothing is deleted">
          What the source deletes leaves search and later datasets at once, and stands here for as long as it can be
          restored.
        </EmptyState>
      }
    />
  );
}

const columns: DataColumn<Deleted>[] = [
  {
    id: "title",
    header: "Document",
    enableSorting: false,
    meta: { width: "40%", card: "title" },
    cell: ({ row }) => <span title={row.original.ref}>{row.original.title}</span>,
  },
  {
    id: "deletedAt",
    header: "Deleted",
    enableSorting: false,
    meta: { width: "9rem" },
    cell: ({ row }) => <RelativeTime time={row.original.deletedAt} className="text-muted" />,
  },
  {
    id: "keptUntil",
    header: "Gone for good",
    enableSorting: false,
    meta: { width: "9rem" },
    cell: ({ row }) => <RelativeTime time={row.original.keptUntil} className="text-muted" />,
  },
  {
    id: "restore",
    header: () => <span className="sr-only">Actions</span>,
    enableSorting: false,
    meta: { width: "7.5rem", align: "right" },
    cell: ({ row }) => <RestoreDocument document={row.original} size="small" />,
  },
];

type RestoreDocumentProps = { document: Pick<Deleted, "id" | "title">; size?: "small" };

/** For whoever may decide about documents. */
export function RestoreDocument({ document, size }: RestoreDocumentProps) {
  const trpc = useTRPC();
  const { role } = useWorkspace();
  const restore = useMutation(
    trpc.documents.restore.mutationOptions({
      onSuccess: () => toast.success(`“${document.title}” is back, and stays until its source has it again.`),
    }),
  );
  if (!mayEdit(role)) return null;
  return (
    <Button
      {...(size ? { size } : {})}
      busy={restore.isPending}
      aria-label={`Restore ${document.title}`}
      onClick={() => restore.mutate({ documentId: document.id })}
    >
      {!restore.isPending && <RotateCcw aria-hidden />} Restore
    </Button>
  );
}

/** Takes a restoration back. */
export function ReleaseDocument({ document }: { document: Pick<Deleted, "id" | "title"> }) {
  const trpc = useTRPC();
  const { role } = useWorkspace();
  const release = useMutation(
    trpc.documents.release.mutationOptions({ onSuccess: () => toast(`“${document.title}” is deleted again.`) }),
  );
  if (!mayEdit(role)) return null;
  return (
    <Button
      busy={release.isPending}
      aria-label={`Let ${document.title} go`}
      onClick={() => release.mutate({ documentId: document.id })}
    >
      {!release.isPending && <Trash2 aria-hidden />} Let it go
    </Button>
  );
}
