"use client";

import { mayRun } from "@anneal/core/access/roles";
import { useQuery } from "@tanstack/react-query";
import { Cpu } from "lucide-react";
import { Badge } from "#components/ui/badge.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Page } from "#components/ui/page.tsx";
import { Figure, Panel } from "#components/ui/panel.tsx";
import { Skeleton } from "#components/ui/skeleton.tsx";
import { TablePager } from "#components/ui/table-pager.tsx";
import { EngineTable } from "#features/pools/engine-table.tsx";
import { NodeCells } from "#features/pools/node-cells.tsx";
import { PastBookings } from "#features/pools/past-bookings.tsx";
import { ServingTargets } from "#features/pools/serving-targets.tsx";
import { TeamTable } from "#features/pools/team-table.tsx";
import { WaitingQueue } from "#features/pools/waiting-queue.tsx";
import { formatBytes, formatCount, formatNumber, formatPercent } from "#lib/format.ts";
import { pageSizes, useTableState } from "#lib/table-state.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

export type PoolsView = Answers["pools"]["overview"];
export type PoolNode = PoolsView["pools"][number]["nodes"][number];

export function PoolsPage() {
  const { role } = useWorkspace();
  return (
    <Page
      title="Pools"
      description="The machines and what runs where and why, what waits for room, who may use how much, and the engines that answer."
    >
      {!mayRun(role) ? (
        <EmptyState icon={Cpu} title="Who runs the platform sees its machines">
          Operators, data scientists and administrators see here what runs where and how full it is. What is running for
          this workspace stands in the tray at the top right.
        </EmptyState>
      ) : (
        <Pools />
      )}
    </Page>
  );
}

function Pools() {
  const trpc = useTRPC();
  const { data, error, refetch } = useQuery(trpc.pools.overview.queryOptions());
  if (data) return <Overview view={data} />;
  if (error) return <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />;
  return <Skeleton className="h-72 rounded-panel" />;
}

function Overview({ view }: { view: PoolsView }) {
  const nodes = view.pools.flatMap((pool) => pool.nodes);
  const gpus = nodes.reduce((sum, node) => sum + node.gpus, 0);
  return (
    <div className="space-y-6">
      {view.pools.length > 0 && <PoolFigures view={view} />}
      <WaitingQueue waiting={view.waiting} />
      {view.pools.length === 0 ? (
        <EmptyState icon={Cpu} title="No pool yet">
          A worker declares its machine as a pool when it starts. Start the stack with{" "}
          <code className="font-mono text-xs">npm start</code>, and its GPUs and its memory stand here.
        </EmptyState>
      ) : (
        view.pools.map((pool) => <PoolPanel key={pool.id} pool={pool} waiting={view.waiting.length} />)
      )}
      <ServingTargets view={view} />
      <EngineTable replicas={view.replicas} />
      <TeamTable teams={view.teams} gpus={gpus} />
      <PastBookings bookings={view.past} />
    </div>
  );
}

function PoolPanel({ pool, waiting }: { pool: PoolsView["pools"][number]; waiting: number }) {
  const state = useTableState({ prefix: `${pool.name}-` });
  const pages = Math.max(1, Math.ceil(pool.nodes.length / state.pageSize));
  const first = (Math.min(state.page, pages) - 1) * state.pageSize;
  return (
    <Panel
      title={
        <span className="flex flex-wrap items-center gap-2">
          {pool.name} {pool.kinds?.map((kind) => <Badge key={kind}>{kind}</Badge>) ?? <Badge>every kind of work</Badge>}
        </span>
      }
      actions={<span className="text-xs text-muted">{formatCount(pool.nodes.length, "node")}</span>}
      bodyClassName="p-0 divide-y divide-line"
    >
      {pool.nodes.length === 0 && (
        <p className="px-4 py-4 text-13 text-muted">
          No machine stands in it. A worker or a cluster that belongs to it declares its machines when it starts.
        </p>
      )}
      {pool.nodes.slice(first, first + state.pageSize).map((node) => (
        <NodeCells key={node.name} node={node} waiting={waiting} />
      ))}
      {pool.nodes.length > pageSizes[0] && (
        <div className="px-4 py-2">
          <TablePager state={state} total={pool.nodes.length} />
        </div>
      )}
    </Panel>
  );
}

function PoolFigures({ view }: { view: PoolsView }) {
  const nodes = view.pools.flatMap((pool) => pool.nodes);
  const sum = (value: (node: PoolNode) => number) => nodes.reduce((total, node) => total + value(node), 0);
  const gpus = sum((node) => node.gpus);
  const memoryBytes = sum((node) => node.memoryBytes);
  const away = nodes.filter(({ cordoned, lost }) => cordoned || lost).length;
  const ready = view.replicas.filter(({ status }) => status === "ready").length;
  return (
    <section
      aria-label="Figures"
      className="grid grid-cols-2 gap-px overflow-hidden rounded-panel border border-line bg-line lg:grid-cols-4 [&>*]:bg-panel [&>*]:p-4"
    >
      {gpus === 0 ? (
        <Figure label="Cores" value={formatNumber(sum((node) => node.cores))} hint="no GPU in these pools" />
      ) : (
        <Figure
          label="GPUs in use"
          value={`${formatNumber(sum((node) => node.bookedGpuMilli) / 1000, 1).replace(/\.0$/, "")} of ${formatNumber(gpus)}`}
          hint={formatPercent(sum((node) => node.bookedGpuMilli) / 1000 / gpus)}
        />
      )}
      <Figure
        label="Memory booked"
        value={formatBytes(sum((node) => node.bookedBytes))}
        hint={`of ${formatBytes(memoryBytes)} on ${formatCount(nodes.length, "machine")}${away > 0 ? `, ${away} out of use` : ""}`}
      />
      <Figure
        label="Waiting"
        value={formatNumber(view.waiting.length)}
        hint={view.waiting.length === 0 ? "all work has its place" : "for room, for quota or for their turn"}
      />
      <Figure
        label="Engines ready"
        value={`${ready} of ${view.replicas.length}`}
        hint={
          view.replicas.length === 0 ? "none is known" : ready === view.replicas.length ? "all answer" : "see below"
        }
      />
    </section>
  );
}
