"use client";

import { useQueryClient } from "@tanstack/react-query";
import type { PoolsView } from "#features/pools/pools-page.tsx";
import { useTRPC } from "#lib/trpc.ts";

const scope = { id: "pools" };

/**
 * Mutation options that show a change of the overview before the server has it, and take it back when it refuses. One is
 * sent after another: two beside each other could reach the server the other way round, and the first would stand.
 */
export function useOptimisticOverview<Input>(change: (view: PoolsView, input: Input) => PoolsView) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const queryKey = trpc.pools.overview.queryKey();
  return {
    scope,
    onMutate: async (input: Input) => {
      await queryClient.cancelQueries({ queryKey });
      const before = queryClient.getQueryData(queryKey);
      if (before) queryClient.setQueryData(queryKey, change(before, input));
      return { before };
    },
    onError: (_error: unknown, _input: Input, context: { before: PoolsView | undefined } | undefined) => {
      if (context?.before) queryClient.setQueryData(queryKey, context.before);
    },
    // What is asked for before the last change has arrived would show what was before it.
    onSettled: () =>
      queryClient.isMutating({ predicate: ({ options }) => options.scope?.id === scope.id }) === 1
        ? queryClient.invalidateQueries({ queryKey })
        : undefined,
  };
}
