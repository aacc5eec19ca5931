import { MutationCache, QueryClient } from "@tanstack/react-query";
import { toastError } from "#components/ui/toaster.tsx";
import { wireErrorOf, type WireError } from "#lib/wire-error.ts";

declare module "@tanstack/react-query" {
  interface Register {
    /** `inlineError`: the form shows the failure itself, so no toast. */
    mutationMeta: { inlineError?: boolean };
  }
}

const passing: ReadonlySet<WireError["code"]> = new Set(["OFFLINE", "ENGINE_UNAVAILABLE"]);

export function createQueryClient(): QueryClient {
  const client = new QueryClient({
    mutationCache: new MutationCache({
      // What a person starts shows in the tray at once, also what no table tells of.
      onSuccess: () => void client.invalidateQueries({ queryKey: [["work"]] }),
      onError: (error, _variables, _context, mutation) => {
        if (!mutation.meta?.inlineError) toastError(wireErrorOf(error));
      },
    }),
    defaultOptions: {
      queries: {
        // Changes arrive by the live line; this only bounds how long a page that missed one can be wrong.
        staleTime: 60_000,
        retry: (count, error) => count < 4 && passing.has(wireErrorOf(error).code),
      },
    },
  });
  return client;
}
