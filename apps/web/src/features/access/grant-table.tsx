"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { Plus, ShieldCheck } from "lucide-react";
import { useState } from "react";
import { Button } from "#components/ui/button.tsx";
import { ConfirmDialog } from "#components/ui/confirm-dialog.tsx";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { AddGrant } from "#features/access/add-grant.tsx";
import { describeResource } from "#features/access/model-resources.ts";
import { useTableState } from "#lib/table-state.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { wireErrorOf } from "#lib/wire-error.ts";

type Grant = Answers["access"]["grants"][number];

/** Who may use which model: what is not here is not permitted. */
export function GrantTable() {
  const trpc = useTRPC();
  const state = useTableState({ defaultSort: "resource", prefix: "g-" });
  const [adding, setAdding] = useState(false);
  const { data, error, refetch } = useQuery(trpc.access.grants.queryOptions());
  const add = (
    <Button variant="primary" onClick={() => setAdding(true)}>
      <Plus aria-hidden /> Permit
    </Button>
  );
  return (
    <div className="space-y-3">
      {data && data.length > 0 && (
        <div className="flex flex-wrap items-center justify-between gap-3">
          <p className="text-13 text-muted">
            What is not permitted here is refused, in the portal and in the API alike.
          </p>
          {add}
        </div>
      )}
      <DataTable
        label="Model permissions"
        columns={columns}
        rows={data}
        rowId={(row) => row.id}
        state={state}
        error={error && wireErrorOf(error)}
        onRetry={() => void refetch()}
        empty={
          <EmptyState icon={ShieldCheck} title="Nobody may use any model" action={add}>
            A permission lets a person, or everyone, use the base model, an adapter or an assistant. Without one, every
            question is refused.
          </EmptyState>
        }
      />
      {adding && <AddGrant onClose={() => setAdding(false)} />}
    </div>
  );
}

const columns: DataColumn<Grant>[] = [
  {
    accessorKey: "resource",
    header: "May use",
    meta: { card: "title" },
    cell: ({ row }) => <span className="font-medium">{describeResource(row.original.resource)}</span>,
  },
  {
    id: "person",
    accessorFn: (grant) => grant.person ?? "",
    header: "Who",
    cell: ({ row }) => row.original.person ?? "Everyone in the workspace",
  },
  {
    accessorKey: "grantedBy",
    header: "Permitted by",
    meta: { width: "22%" },
    cell: ({ row }) => (row.original.grantedBy === "seed" ? "The first start" : row.original.grantedBy),
  },
  {
    accessorKey: "createdAt",
    header: "Since",
    meta: { width: "8rem", align: "right" },
    cell: ({ row }) => <RelativeTime time={row.original.createdAt} className="text-muted" />,
  },
  {
    id: "remove",
    header: () => <span className="sr-only">Actions</span>,
    enableSorting: false,
    meta: { width: "7rem", align: "right" },
    cell: ({ row }) => <Withdraw grant={row.original} />,
  },
];

function Withdraw({ grant }: { grant: Grant }) {
  const trpc = useTRPC();
  const [asking, setAsking] = useState(false);
  const withdraw = useMutation(
    trpc.access.ungrant.mutationOptions({ meta: { inlineError: true }, onSuccess: () => setAsking(false) }),
  );
  const what = describeResource(grant.resource);
  const who = grant.person ?? "everyone in the workspace";
  return (
    <>
      <Button variant="ghost" size="small" aria-label={`Withdraw ${what} from ${who}`} onClick={() => setAsking(true)}>
        Withdraw
      </Button>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={`Withdraw ${what.toLowerCase()} from ${who}?`}
        action="Withdraw"
        destructive
        busy={withdraw.isPending}
        error={withdraw.error && wireErrorOf(withdraw.error)}
        onConfirm={() => withdraw.mutate({ grantId: grant.id })}
      >
        <p>
          Whoever has no other permission for it is refused from the next request on. You can permit it again at any
          time.
        </p>
      </ConfirmDialog>
    </>
  );
}
