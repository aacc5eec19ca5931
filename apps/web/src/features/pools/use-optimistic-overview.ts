"use client";

import { useQueryClient } from "@tanstack/react-query";
import type { PoolsView } from "#features/pools/pools-page.tsx";
import { useTRPC } from "#lib/trpc.ts";

/** Mutation options that show a change of the overview before the server has it, and take it back when it refuses. */
export function useOptimisticOverview<Input>(change: (view: PoolsView, input: Input) => PoolsView) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const queryKey = trpc.pools.overview.queryKey();
  return {
    onMutate: async (input: Input) => {
      await queryClient.cancelQueries({ queryKey });
      const before = queryClient.getQueryData(queryKey);
      if (before) queryClient.setQueryData(queryKey, change(before, input));
      return { before };
    },
    onError: (_error: unknown, _input: Input, context: { before: PoolsView | undefined } | undefined) => {
      if (context?.before) queryClient.setQueryData(queryKey, context.before);
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey }),
  };
}
