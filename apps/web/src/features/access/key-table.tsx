"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "#components/ui/button.tsx";
import { ConfirmDialog } from "#components/ui/confirm-dialog.tsx";
import { timeColumn } from "#components/ui/columns.tsx";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { Status } from "#components/ui/status.tsx";
import { CreateKey } from "#features/access/create-key.tsx";
import { useTableState } from "#lib/table-state.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { wireErrorOf } from "#lib/wire-error.ts";

type Key = Answers["access"]["keys"][number];

export function KeyTable() {
  const trpc = useTRPC();
  const state = useTableState({ defaultSort: "-createdAt", prefix: "k-" });
  const [creating, setCreating] = useState(false);
  const { data, error, refetch } = useQuery(trpc.access.keys.queryOptions());
  const create = (
    <Button variant="primary" onClick={() => setCreating(true)}>
      <Plus aria-hidden /> New key
    </Button>
  );
  return (
    <div className="space-y-3">
      {data && data.length > 0 && <div className="flex justify-end">{create}</div>}
      <DataTable
        label="API keys"
        columns={columns}
        rows={data}
        rowId={(row) => row.id}
        state={state}
        error={error && wireErrorOf(error)}
        onRetry={() => void refetch()}
        empty={
          <EmptyState icon={KeyRound} title="No API keys yet" action={create}>
            A key lets a program use Anneal as you, in this workspace: the OpenAI-compatible API and everything that
            these pages do.
          </EmptyState>
        }
      />
      <CreateKey open={creating} onOpenChange={setCreating} />
    </div>
  );
}

const columns: DataColumn<Key>[] = [
  {
    accessorKey: "name",
    header: "Name",
    meta: { card: "title" },
    cell: ({ row }) => <span className="font-medium">{row.original.name}</span>,
  },
  {
    id: "key",
    header: "Key",
    enableSorting: false,
    meta: { width: "9rem" },
    cell: ({ row }) => <span className="font-mono text-xs text-muted">{row.original.prefix}…</span>,
  },
  { accessorKey: "email", header: "Acts as", meta: { width: "22%" }, cell: ({ row }) => row.original.email },
  {
    id: "state",
    header: "State",
    enableSorting: false,
    meta: { width: "7rem" },
    cell: ({ row }) => <KeyState apiKey={row.original} />,
  },
  timeColumn("lastUsedAt", "Last used", "7rem", (key) => key.lastUsedAt),
  {
    accessorKey: "expiresAt",
    header: "Expires",
    meta: { width: "7rem", align: "right" },
    cell: ({ row }) =>
      row.original.expiresAt ? <RelativeTime time={row.original.expiresAt} className="text-muted" /> : "Never",
  },
  timeColumn("createdAt", "Made", "7rem", (key) => key.createdAt),
  {
    id: "revoke",
    header: () => <span className="sr-only">Actions</span>,
    enableSorting: false,
    meta: { width: "6rem", align: "right" },
    cell: ({ row }) => <Revoke apiKey={row.original} />,
  },
];

function KeyState({ apiKey }: { apiKey: Key }) {
  if (apiKey.revokedAt) return <Status kind="stopped" word="Revoked" />;
  if (apiKey.expiresAt && apiKey.expiresAt.getTime() < Date.now()) return <Status kind="stopped" word="Expired" />;
  return <Status kind="ready" word="Active" />;
}

function Revoke({ apiKey }: { apiKey: Key }) {
  const trpc = useTRPC();
  const [asking, setAsking] = useState(false);
  const revoke = useMutation(
    trpc.access.revokeKey.mutationOptions({ meta: { inlineError: true }, onSuccess: () => setAsking(false) }),
  );
  if (apiKey.revokedAt) return null;
  return (
    <>
      <Button variant="ghost" size="small" aria-label={`Revoke ${apiKey.name}`} onClick={() => setAsking(true)}>
        Revoke
      </Button>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={`Revoke the key “${apiKey.name}”?`}
        action="Revoke key"
        destructive
        typedName={apiKey.name}
        busy={revoke.isPending}
        error={revoke.error && wireErrorOf(revoke.error)}
        onConfirm={() => revoke.mutate({ keyId: apiKey.id })}
      >
        <p>Every program that uses it is refused within five seconds. This cannot be undone; make a new key instead.</p>
      </ConfirmDialog>
    </>
  );
}
