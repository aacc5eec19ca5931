"use client";

import { useQuery } from "@tanstack/react-query";
import { Cpu } from "lucide-react";
import { Badge } from "#components/ui/badge.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Page } from "#components/ui/page.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { Skeleton } from "#components/ui/skeleton.tsx";
import { EngineTable } from "#features/pools/engine-table.tsx";
import { NodeCells } from "#features/pools/node-cells.tsx";
import { PastBookings } from "#features/pools/past-bookings.tsx";
import { formatCount } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

export type PoolsView = Answers["pools"]["overview"];

export function PoolsPage() {
  const { role } = useWorkspace();
  return (
    <Page
      title="Pools"
      description="The machines, what is booked on them beside what was measured, and the engines that answer."
    >
      {role === "member" || role === "service" ? (
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
  return (
    <div className="space-y-6">
      {view.pools.length === 0 ? (
        <EmptyState icon={Cpu} title="No pool yet">
          A worker declares its machine as a pool when it starts. Start the stack with{" "}
          <code className="font-mono text-xs">npm start</code>, and its memory stands here.
        </EmptyState>
      ) : (
        view.pools.map((pool) => (
          <Panel
            key={pool.id}
            title={
              <span className="flex items-center gap-2">
                {pool.name} <Badge>{pool.profile}</Badge>
              </span>
            }
            actions={<span className="text-xs text-muted">{formatCount(pool.nodes.length, "node")}</span>}
            bodyClassName="p-0 divide-y divide-line"
          >
            {pool.nodes.map((node) => (
              <NodeCells key={node.name} node={node} />
            ))}
          </Panel>
        ))
      )}
      <EngineTable replicas={view.replicas} />
      <PastBookings bookings={view.past} />
    </div>
  );
}
