import type { Metadata } from "next";
import { PoolsPage } from "#features/pools/pools-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Pools" };

export default async function Pools({ params }: { params: Promise<{ workspace: string }> }) {
  const { workspace } = await params;
  return (
    <Prefetch workspace={workspace} queries={(trpc) => [trpc.pools.overview.queryOptions()]}>
      <PoolsPage />
    </Prefetch>
  );
}
