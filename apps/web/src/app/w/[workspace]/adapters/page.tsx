import type { Metadata } from "next";
import { AdaptersPage } from "#features/deploy/adapters-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Adapters" };

export default async function Adapters({ params }: { params: Promise<{ workspace: string }> }) {
  const { workspace } = await params;
  return (
    <Prefetch workspace={workspace} queries={(trpc) => [trpc.deploy.list.queryOptions()]}>
      <AdaptersPage />
    </Prefetch>
  );
}
