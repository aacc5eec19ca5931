"use client";

import { useMutation } from "@tanstack/react-query";
import { LogOut } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import { ConfirmDialog } from "#components/ui/confirm-dialog.tsx";
import type { PoolNode, PoolsView } from "#features/pools/pools-page.tsx";
import { useOptimisticOverview } from "#features/pools/use-optimistic-overview.ts";
import { formatCount } from "#lib/format.ts";
import { useTRPC } from "#lib/trpc.ts";

/** Takes a machine out of use without waiting for the end of what runs there. */
export function DrainNode({ node }: { node: PoolNode }) {
  const trpc = useTRPC();
  const [asking, setAsking] = useState(false);
  const optimistic = useOptimisticOverview<{ node: string }>(withDrained);
  const drain = useMutation(
    trpc.pools.drain.mutationOptions({
      ...optimistic,
      onSuccess: ({ moved }) =>
        toast(
          moved === 0
            ? `${node.name} is cordoned; nothing had to move.`
            : `${formatCount(moved, "booking")} of ${node.name} will go on where there is room.`,
        ),
    }),
  );
  const trainings = node.bookings.filter(({ kind }) => kind !== "serving").length;
  const engines = node.bookings.length - trainings;
  return (
    <>
      <Button size="small" onClick={() => setAsking(true)} aria-label={`Drain ${node.name}`}>
        <LogOut aria-hidden /> Drain
      </Button>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={`Drain ${node.name}?`}
        action="Drain"
        onConfirm={() => {
          setAsking(false);
          drain.mutate({ node: node.name });
        }}
      >
        <p>Nothing new is placed on it, and what runs there leaves:</p>
        <ul className="list-disc space-y-1 pl-5">
          {trainings > 0 && (
            <li>
              {formatCount(trainings, "training")} {trainings === 1 ? "stops" : "stop"} at a checkpoint and{" "}
              {trainings === 1 ? "goes" : "go"} on from it where there is room.
            </li>
          )}
          {engines > 0 && (
            <li>
              {engines === 1 ? "An engine answers" : `${engines} engines answer`} what was asked, then{" "}
              {engines === 1 ? "ends" : "end"}; the one that belongs to this stack stays until the stack ends.
            </li>
          )}
          {node.bookings.length === 0 && <li>Nothing runs there now.</li>}
        </ul>
        <p>Uncordon it to let work come again.</p>
      </ConfirmDialog>
    </>
  );
}

function withDrained(view: PoolsView, { node }: { node: string }): PoolsView {
  return {
    ...view,
    pools: view.pools.map((pool) => ({
      ...pool,
      nodes: pool.nodes.map((each) => (each.name === node ? { ...each, cordoned: true } : each)),
    })),
  };
}
