import { dehydrate, QueryClient, type FetchQueryOptions } from "@tanstack/react-query";
import { createTRPCOptionsProxy, type TRPCOptionsProxy } from "@trpc/tanstack-react-query";
import { headers } from "next/headers";
import type { ReactNode } from "react";
import { Prefetched } from "#lib/prefetched.tsx";
import { createContext } from "#server/context.ts";
import { appRouter, type AppRouter } from "#server/root.ts";

type PrefetchProps = {
  workspace: string;
  // Each query has its own types; what is common to them is that they can be fetched.
  queries(trpc: TRPCOptionsProxy<AppRouter>): object[];
  children: ReactNode;
};

/**
 * Answers a page's first queries while it is rendered, through the same procedures and permissions, so that it arrives
 * filled. What fails here is asked again by the browser, which shows the failure.
 */
export async function Prefetch({ workspace, queries, children }: PrefetchProps) {
  const readAt = Date.now();
  const queryClient = new QueryClient();
  const incoming = await headers();
  const trpc = createTRPCOptionsProxy({
    router: appRouter,
    ctx: () => createContext(incoming, workspace),
    queryClient,
  });
  await Promise.all(queries(trpc).map((query) => queryClient.prefetchQuery(query as FetchQueryOptions)));
  return (
    <Prefetched state={dehydrate(queryClient)} readAt={readAt}>
      {children}
    </Prefetched>
  );
}
