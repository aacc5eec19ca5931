"use client";

import { numberColumn, timeColumn } from "#components/ui/columns.tsx";
import { DataTable, type DataColumn } from "#components/ui/data-table.tsx";
import { Status, StatusIcon, type StatusKind } from "#components/ui/status.tsx";
import type { PoolsView } from "#features/pools/pools-page.tsx";
import { formatDateTime, missing } from "#lib/format.ts";
import { useTableState } from "#lib/table-state.ts";

type Replica = PoolsView["replicas"][number];
type Resident = Replica["adapters"][number];

const looks: Record<Replica["status"], { kind: StatusKind; word: string }> = {
  starting: { kind: "running", word: "Starting" },
  ready: { kind: "ready", word: "Ready" },
  down: { kind: "failed", word: "Down" },
  draining: { kind: "waiting", word: "Draining" },
  drained: { kind: "stopped", word: "Drained" },
};
const residentKinds: Record<Resident["observed"], StatusKind> = {
  loading: "running",
  resident: "ready",
  absent: "stopped",
  failed: "failed",
};

export function EngineTable({ replicas }: { replicas: PoolsView["replicas"] }) {
  const state = useTableState({ prefix: "engines-" });
  return (
    <section>
      <h2 className="mb-2 text-13 font-semibold">Engines</h2>
      <DataTable
        label="Engines"
        columns={columns}
        rows={replicas}
        rowId={(row) => row.id}
        state={state}
        minWidth="64rem"
        empty={
          <p className="rounded-panel border border-line bg-panel px-4 py-6 text-center text-13 text-muted">
            No engine is known. The stack starts its own; to use others, set ANNEAL_INFERENCE_URLS to where they listen
            and restart the worker.
          </p>
        }
      />
    </section>
  );
}

const columns: DataColumn<Replica>[] = [
  {
    id: "url",
    accessorKey: "url",
    header: "Engine",
    meta: { width: "11.5rem", card: "title" },
    cell: ({ row }) => (
      <span className="font-mono text-xs" title={row.original.url}>
        {row.original.url.replace(/^https?:\/\//, "")}
      </span>
    ),
  },
  {
    id: "status",
    accessorKey: "status",
    header: "Status",
    meta: { width: "7rem" },
    cell: ({ row: { original: replica } }) => (
      <span title={replica.drainingSince ? `since ${formatDateTime(replica.drainingSince)}` : undefined}>
        <Status {...looks[replica.status]} />
      </span>
    ),
  },
  {
    id: "managed",
    accessorFn: (replica) => (replica.managed ? 1 : 0),
    header: "Kind",
    meta: { width: "5rem" },
    cell: ({ row }) =>
      row.original.managed ? (
        <span title="Added to meet the number that is wanted; drained and ended when it is one too many">added</span>
      ) : (
        <span title="Named by the settings (ANNEAL_INFERENCE_URLS); it stays whatever number is wanted">fixed</span>
      ),
  },
  {
    id: "base",
    accessorKey: "baseModel",
    header: "Base",
    meta: { width: "12rem" },
    cell: ({ row }) => <span title={row.original.baseModel}>{row.original.baseModel}</span>,
  },
  {
    id: "adapters",
    header: "Adapters in memory",
    enableSorting: false,
    cell: ({ row }) => <Residents replica={row.original} />,
  },
  numberColumn("rank", "Rank up to", "6.5rem", (row) => row.maxLoraRank),
  timeColumn("started", "Started", "6.5rem", (row) => row.engineStartedAt),
  {
    id: "error",
    header: "Error",
    enableSorting: false,
    meta: { width: "10rem" },
    cell: ({ row }) =>
      row.original.error ? (
        <span className="text-failed" title={row.original.error}>
          {row.original.error}
        </span>
      ) : (
        <span className="text-faint">{missing}</span>
      ),
  },
];

function Residents({ replica }: { replica: Replica }) {
  const shown = replica.adapters.filter((adapter) => adapter.observed !== "absent" || adapter.desired === "resident");
  if (shown.length === 0) return <span className="text-faint">only the base</span>;
  return (
    <span className="flex flex-col items-start gap-1 py-2">
      {shown.map((adapter, index) => (
        <span
          key={adapter.servingName ?? index}
          className="inline-flex items-center gap-1.5"
          title={adapter.error ?? (adapter.desired === adapter.observed ? undefined : `should be ${adapter.desired}`)}
        >
          <StatusIcon kind={residentKinds[adapter.observed]} className="size-3.5" />
          <span className="font-mono text-xs">{adapter.servingName ?? "another workspace's"}</span>
          {adapter.desired !== adapter.observed && <span className="text-xs text-muted">{adapter.observed}</span>}
        </span>
      ))}
    </span>
  );
}
