"use client";

import { mayEdit } from "@anneal/core/access/roles";
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { RotateCcw, Trash2 } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import { Checkbox } from "#components/ui/choice.tsx";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { SearchInput } from "#components/ui/search-input.tsx";
import { RestoreDeleted } from "#features/connect/restore-deleted.tsx";
import { useTableFilter, useTableState } from "#lib/table-state.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Deleted = Answers["documents"]["list"]["rows"][number];

const prefix = "deleted-";

/** What the source no longer has, for as long as it can be taken back. */
export function DeletedDocuments({ sourceId }: { sourceId: string }) {
  const trpc = useTRPC();
  const { href, role } = useWorkspace();
  const state = useTableState({ prefix });
  const [search, setSearch] = useTableFilter("search", prefix);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const { data, error, isPlaceholderData, refetch } = useQuery(
    trpc.documents.list.queryOptions(
      {
        sourceId,
        status: "deleted",
        ...(search ? { search } : {}),
        limit: state.pageSize,
        offset: (state.page - 1) * state.pageSize,
      },
      { placeholderData: keepPreviousData },
    ),
  );
  const rows = data?.rows;
  // What is not on the page is not chosen: nobody restores what they do not see.
  const choice = rows?.filter(({ id }) => chosen.has(id)).map(({ id }) => id) ?? [];
  const choose = (ids: readonly string[], isChosen: boolean) =>
    setChosen(new Set(isChosen ? [...choice, ...ids] : choice.filter((id) => !ids.includes(id))));
  const isEmpty = data?.total === 0 && search === "";
  return (
    <div className="space-y-3">
      {!isEmpty && (
        <div className="flex flex-wrap items-center justify-between gap-2">
          <SearchInput label="Search deleted documents" value={search} onChange={setSearch} />
          <RestoreDeleted
            sourceId={sourceId}
            search={search}
            found={{ total: data?.total ?? 0, lastDeletedAt: data?.lastDeletedAt ?? null }}
            isSearching={isPlaceholderData}
            chosen={choice}
            onRestored={() => setChosen(new Set())}
          />
        </div>
      )}
      <DataTable
        label="Deleted documents"
        columns={columns({ rows, choice, choose, mayChoose: mayEdit(role) })}
        rows={rows}
        total={data?.total ?? 0}
        rowId={(row) => row.id}
        rowHref={(row) => href(`/documents/${row.id}`)}
        state={state}
        error={error && wireErrorOf(error)}
        onRetry={() => void refetch()}
        empty={
          isEmpty ? (
            <EmptyState icon={Trash2} title="Nothing is deleted">
              What the source deletes leaves search and later datasets at once, and stands here for as long as it can be
              restored.
            </EmptyState>
          ) : (
            <p className="text-13 text-muted">No deleted document has “{search}” in its title or path.</p>
          )
        }
      />
    </div>
  );
}

type Choice = {
  rows: readonly Deleted[] | undefined;
  choice: readonly string[];
  choose(ids: readonly string[], isChosen: boolean): void;
  mayChoose: boolean;
};

const columns = ({ rows = [], choice, choose, mayChoose }: Choice): DataColumn<Deleted>[] => [
  {
    id: "title",
    header: () => (
      <span className="inline-flex items-center gap-3">
        {mayChoose && (
          <Checkbox
            aria-label="Choose all on this page"
            checked={choice.length === 0 ? false : choice.length === rows.length || "indeterminate"}
            onCheckedChange={(checked) =>
              choose(
                rows.map(({ id }) => id),
                checked === true,
              )
            }
          />
        )}
        Document
      </span>
    ),
    enableSorting: false,
    meta: { width: "45%", card: "title" },
    cell: ({ row: { original: document } }) => (
      <span className="flex min-w-0 items-center gap-3">
        {mayChoose && (
          <Checkbox
            aria-label={`Choose ${document.title}`}
            checked={choice.includes(document.id)}
            onCheckedChange={(checked) => choose([document.id], checked === true)}
          />
        )}
        <span className="flex min-w-0 flex-col leading-4">
          <span className="truncate font-medium">{document.title}</span>
          {document.ref !== document.title && (
            <span className="truncate font-mono text-2xs text-faint" title={document.ref}>
              {document.ref}
            </span>
          )}
        </span>
      </span>
    ),
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
