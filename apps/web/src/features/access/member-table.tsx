"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { MoreHorizontal, UserMinus, UserPlus } from "lucide-react";
import { useState } from "react";
import { Button } from "#components/ui/button.tsx";
import { ConfirmDialog } from "#components/ui/confirm-dialog.tsx";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from "#components/ui/dropdown-menu.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { Select } from "#components/ui/select.tsx";
import { AddMember } from "#features/access/add-member.tsx";
import { roleChoices } from "#features/access/roles.ts";
import { useTableState } from "#lib/table-state.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Member = Answers["access"]["members"][number];

export function MemberTable() {
  const trpc = useTRPC();
  const state = useTableState({ defaultSort: "name", prefix: "m-" });
  const [adding, setAdding] = useState(false);
  const { data, error, refetch } = useQuery(trpc.access.members.queryOptions());
  return (
    <div className="space-y-3">
      <div className="flex justify-end">
        <Button variant="primary" onClick={() => setAdding(true)}>
          <UserPlus aria-hidden /> Add member
        </Button>
      </div>
      <DataTable
        label="Members"
        columns={columns}
        rows={data}
        rowId={(row) => row.userId}
        state={state}
        error={error && wireErrorOf(error)}
        onRetry={() => void refetch()}
        empty={null}
      />
      <AddMember open={adding} onOpenChange={setAdding} />
    </div>
  );
}

const columns: DataColumn<Member>[] = [
  {
    accessorKey: "name",
    header: "Name",
    meta: { card: "title" },
    cell: ({ row: { original: member } }) => (
      <span className="flex min-w-0 flex-col leading-4">
        <span className="truncate font-medium">{member.name}</span>
        <span className="truncate text-xs text-muted">{member.email}</span>
      </span>
    ),
  },
  {
    accessorKey: "role",
    header: "Role",
    meta: { width: "13rem" },
    cell: ({ row }) => <RoleSelect member={row.original} />,
  },
  {
    accessorKey: "hasPassword",
    header: "Signs in with",
    meta: { width: "10rem" },
    cell: ({ row }) => (row.original.hasPassword ? "Password" : "Single sign-on"),
  },
  {
    accessorKey: "since",
    header: "Since",
    meta: { width: "8rem", align: "right" },
    cell: ({ row }) => <RelativeTime time={row.original.since} className="text-muted" />,
  },
  {
    id: "more",
    header: () => <span className="sr-only">Actions</span>,
    enableSorting: false,
    meta: { width: "4rem", align: "right" },
    cell: ({ row }) => <MemberActions member={row.original} />,
  },
];

function RoleSelect({ member }: { member: Member }) {
  const trpc = useTRPC();
  const setRole = useMutation(trpc.access.setRole.mutationOptions());
  return (
    <Select
      label={`Role of ${member.name}`}
      value={setRole.isPending ? setRole.variables.role : member.role}
      onChange={(role) => setRole.mutate({ userId: member.userId, role })}
      options={roleChoices}
      disabled={setRole.isPending}
    />
  );
}

function MemberActions({ member }: { member: Member }) {
  const trpc = useTRPC();
  const { user } = useWorkspace();
  const [asking, setAsking] = useState(false);
  const remove = useMutation(
    trpc.access.removeMember.mutationOptions({ meta: { inlineError: true }, onSuccess: () => setAsking(false) }),
  );
  return (
    <>
      <DropdownMenu>
        <DropdownMenuTrigger asChild>
          <Button variant="ghost" size="icon-small" aria-label={`More actions for ${member.name}`}>
            <MoreHorizontal />
          </Button>
        </DropdownMenuTrigger>
        <DropdownMenuContent align="end">
          <DropdownMenuItem destructive onSelect={() => setAsking(true)}>
            <UserMinus aria-hidden /> Remove from workspace
          </DropdownMenuItem>
        </DropdownMenuContent>
      </DropdownMenu>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={member.userId === user.userId ? "Leave this workspace?" : `Remove ${member.name}?`}
        action="Remove"
        destructive
        busy={remove.isPending}
        error={remove.error && wireErrorOf(remove.error)}
        onConfirm={() => remove.mutate({ userId: member.userId })}
      >
        <p>
          Access ends with the next click, and their API keys for this workspace stop working. What they made stays.
        </p>
      </ConfirmDialog>
    </>
  );
}
