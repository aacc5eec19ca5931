"use client";

import { QueryClientProvider } from "@tanstack/react-query";
import { createTRPCClient, httpBatchStreamLink, httpSubscriptionLink, splitLink } from "@trpc/client";
import { ThemeProvider } from "next-themes";
import { useState, type ReactNode } from "react";
import superjson from "superjson";
import { Toaster } from "#components/ui/toaster.tsx";
import { LiveUpdatesProvider } from "#lib/live-updates.tsx";
import { createQueryClient } from "#lib/query-client.ts";
import { TRPCProvider } from "#lib/trpc.ts";
import type { AppRouter } from "#server/root.ts";

export function AppProviders({ nonce, children }: { nonce: string | undefined; children: ReactNode }) {
  return (
    <ThemeProvider attribute="class" disableTransitionOnChange nonce={nonce}>
      {children}
      <Toaster />
    </ThemeProvider>
  );
}

/** One query cache per workspace: the layout gives it a key, so that nothing of one workspace shows in another. */
export function WorkspaceQueries({ slug, children }: { slug: string; children: ReactNode }) {
  const [queryClient] = useState(createQueryClient);
  const [trpcClient] = useState(() => {
    const url = `${typeof window === "undefined" ? "" : window.location.origin}/api/w/${slug}/trpc`;
    return createTRPCClient<AppRouter>({
      links: [
        splitLink({
          condition: (operation) => operation.type === "subscription",
          true: httpSubscriptionLink({ url, transformer: superjson }),
          false: httpBatchStreamLink({ url, transformer: superjson, maxURLLength: 6_000 }),
        }),
      ],
    });
  });
  return (
    <QueryClientProvider client={queryClient}>
      <TRPCProvider trpcClient={trpcClient} queryClient={queryClient}>
        <LiveUpdatesProvider>{children}</LiveUpdatesProvider>
      </TRPCProvider>
    </QueryClientProvider>
  );
}
