"use client";

import { useMutation } from "@tanstack/react-query";
import { Ban, CircleCheck } from "lucide-react";
import { useState } from "react";
import { Button } from "#components/ui/button.tsx";
import { ConfirmDialog } from "#components/ui/confirm-dialog.tsx";
import type { PoolNode, PoolsView } from "#features/pools/pools-page.tsx";
import { useOptimisticOverview } from "#features/pools/use-optimistic-overview.ts";
import { formatCount } from "#lib/format.ts";
import { useTRPC } from "#lib/trpc.ts";

type Change = { node: string; cordoned: boolean };

/** Keeps new work away from a machine, or lets it come again. */
export function CordonNode({ node, waiting }: { node: PoolNode; waiting: number }) {
  const trpc = useTRPC();
  const [asking, setAsking] = useState(false);
  const cordoned = !node.cordoned;
  const optimistic = useOptimisticOverview<Change>(withCordoned);
  const change = useMutation(trpc.pools.setCordoned.mutationOptions(optimistic));
  const runs = node.bookings.length;
  return (
    <>
      <Button
        size="small"
        onClick={() => setAsking(true)}
        aria-label={`${cordoned ? "Cordon" : "Uncordon"} ${node.name}`}
      >
        {cordoned ? <Ban aria-hidden /> : <CircleCheck aria-hidden />} {cordoned ? "Cordon" : "Uncordon"}
      </Button>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={cordoned ? `Cordon ${node.name}?` : `Uncordon ${node.name}?`}
        action={cordoned ? "Cordon" : "Uncordon"}
        onConfirm={() => {
          setAsking(false);
          change.mutate({ node: node.name, cordoned });
        }}
      >
        {cordoned ? (
          <>
            <p>
              Nothing new is placed on it from now on.{" "}
              {runs === 0
                ? "Nothing runs there, so it is free for maintenance at once."
                : `What runs there (${formatCount(runs, "booking")}) goes on to its end; then the machine is free for maintenance.`}
            </p>
            <p>Quotas still count its GPUs. Uncordon it at any time.</p>
          </>
        ) : (
          <p>
            It takes new work again.{" "}
            {waiting === 0
              ? "Nothing waits for room now."
              : `${formatCount(waiting, "item")} in the queue ${waiting === 1 ? "is" : "are"} looked at again at once, and what fits starts.`}
          </p>
        )}
      </ConfirmDialog>
    </>
  );
}

function withCordoned(view: PoolsView, { node, cordoned }: Change): PoolsView {
  return {
    ...view,
    pools: view.pools.map((pool) => ({
      ...pool,
      nodes: pool.nodes.map((each) => (each.name === node ? { ...each, cordoned } : each)),
    })),
  };
}
