"use client";

import { Pencil, Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { Badge } from "#components/ui/badge.tsx";
import { Button } from "#components/ui/button.tsx";
import { numberColumn } from "#components/ui/columns.tsx";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { EditTeam } from "#features/pools/edit-team.tsx";
import type { PoolsView } from "#features/pools/pools-page.tsx";
import { formatCompact, formatCount, formatDate, formatNumber } from "#lib/format.ts";
import { useTableState } from "#lib/table-state.ts";
import { useWorkspace } from "#lib/workspace.tsx";

type Team = PoolsView["teams"][number];

/** Who may use how much, beside what each uses now. */
export function TeamTable({ teams, gpus }: { teams: PoolsView["teams"]; gpus: number }) {
  const { role } = useWorkspace();
  const state = useTableState({ prefix: "teams-" });
  const [editing, setEditing] = useState<Team | "new" | null>(null);
  const columns = useMemo(() => columnsOf(role === "admin" ? setEditing : undefined), [role]);
  return (
    <section>
      <div className="mb-2 flex flex-wrap items-end justify-between gap-x-6 gap-y-2">
        <div>
          <h2 className="text-13 font-semibold">Quotas</h2>
          <p className="max-w-[80ch] text-13 text-muted">
            {gpus === 0
              ? "Quotas count GPUs, and these machines have none: here they only weigh who goes first in the queue."
              : "Each team has its own GPUs and borrows what others leave idle. Serving counts against its own ones, since it cannot be asked back."}
          </p>
        </div>
        {role === "admin" && (
          <Button size="small" onClick={() => setEditing("new")}>
            <Plus aria-hidden /> New team
          </Button>
        )}
      </div>
      <DataTable
        label="Quotas"
        columns={columns}
        rows={teams}
        rowId={(row) => row.name}
        state={state}
        minWidth="62rem"
        empty={null}
      />
      {editing && (
        <EditTeam
          team={editing === "new" ? null : editing}
          teams={teams}
          gpus={gpus}
          onClose={() => setEditing(null)}
        />
      )}
    </section>
  );
}

const columnsOf = (onEdit?: (team: Team) => void): DataColumn<Team>[] => [
  {
    id: "name",
    accessorKey: "name",
    header: "Team",
    meta: { width: "12.5rem", card: "title" },
    cell: ({ row: { original: team } }) => (
      <span className="flex min-w-0 items-center gap-2">
        <span className="truncate">{team.name}</span>
        {team.own && <Badge tone="accent">this workspace</Badge>}
      </span>
    ),
  },
  {
    id: "used",
    accessorFn: (team) => team.usedGpuMilli,
    header: "In use",
    cell: ({ row }) => <QuotaUse team={row.original} />,
  },
  numberColumn("nominal", "Own GPUs", "6.5rem", (team) => team.nominalGpuMilli, gpusOr("no limit")),
  {
    id: "borrowing",
    header: "May borrow",
    enableSorting: false,
    meta: { width: "7.5rem", align: "right" },
    cell: ({ row: { original: team } }) =>
      team.nominalGpuMilli === null ? (
        <span className="text-faint">not needed</span>
      ) : (
        gpusOr("all idle ones")(team.borrowingLimitGpuMilli)
      ),
  },
  numberColumn(
    "weight",
    "Weight",
    "5.5rem",
    (team) => team.weight,
    (value) => formatNumber(value, Number.isInteger(value) ? 0 : 2),
  ),
  {
    id: "budgets",
    header: "Budgets",
    enableSorting: false,
    meta: { width: "19rem" },
    cell: ({ row }) => <Budgets team={row.original} />,
  },
  ...(onEdit
    ? [
        {
          id: "edit",
          header: () => <span className="sr-only">Actions</span>,
          enableSorting: false,
          meta: { width: "3.5rem", align: "right" as const },
          cell: ({ row }: { row: { original: Team } }) => (
            <Button
              variant="ghost"
              size="icon-small"
              aria-label={`Change the quota of ${row.original.name}`}
              onClick={() => onEdit(row.original)}
            >
              <Pencil />
            </Button>
          ),
        },
      ]
    : []),
];

function gpusOr(without: string) {
  return (milli: number | null) => (milli === null ? without : formatGpus(milli));
}

function formatGpus(milli: number): string {
  return `${formatNumber(milli / 1000, milli % 1000 === 0 ? 0 : 2)} ${milli === 1000 ? "GPU" : "GPUs"}`;
}

/** Filled: in use; the line: its own; beyond it: borrowed. */
function QuotaUse({ team }: { team: Team }) {
  const { usedGpuMilli: used, nominalGpuMilli: nominal, borrowingLimitGpuMilli: borrowing } = team;
  const jobs = [
    formatCount(team.running, "running", "running"),
    ...(team.waiting > 0 ? [formatCount(team.waiting, "waiting", "waiting")] : []),
  ].join(", ");
  const text = `${formatGpus(used)} · ${jobs}`;
  if (nominal === null) return <span className="text-muted">{text}</span>;
  const whole = Math.max(1, used, nominal + (borrowing ?? 0));
  const share = (milli: number) => `${(milli / whole) * 100}%`;
  return (
    <span className="flex min-w-0 items-center gap-3">
      <span aria-hidden className="relative h-2 w-20 shrink-0 overflow-hidden rounded-full bg-line">
        <span className="absolute inset-y-0 left-0 bg-running" style={{ width: share(Math.min(used, nominal)) }} />
        {used > nominal && (
          <span
            className="absolute inset-y-0 bg-waiting"
            style={{ left: share(nominal), width: share(used - nominal) }}
          />
        )}
        {nominal < whole && <span className="absolute inset-y-0 w-0.5 bg-ink" style={{ left: share(nominal) }} />}
      </span>
      <span className="truncate max-md:whitespace-normal">
        {text}
        {used > nominal && <span className="text-waiting"> · {formatGpus(used - nominal)} borrowed</span>}
      </span>
    </span>
  );
}

const unitNames = { "gpu-hours": "GPU-hours", tokens: "tokens" } as const;

function Budgets({ team }: { team: Team }) {
  if (team.budgets.length === 0) return <span className="text-faint">none</span>;
  return (
    <span className="flex flex-col md:py-2 max-md:text-right max-md:whitespace-normal">
      {team.budgets.map(({ unit, limit, spent, renewsAtMs }) => (
        <span key={unit} className={spent >= limit ? "text-failed" : undefined}>
          <span title={`${formatNumber(spent, 1)} of ${formatNumber(limit)} ${unitNames[unit]}`}>
            {formatCompact(spent)} of {formatCompact(limit)} {unitNames[unit]}
          </span>
          <span className="text-faint"> · renews {formatDate(new Date(renewsAtMs))}</span>
        </span>
      ))}
    </span>
  );
}
