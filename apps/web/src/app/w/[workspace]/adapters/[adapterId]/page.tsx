import type { Metadata } from "next";
import { AdapterPage } from "#features/deploy/adapter-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Adapter" };

export default async function Adapter({ params }: { params: Promise<{ workspace: string; adapterId: string }> }) {
  const { workspace, adapterId } = await params;
  return (
    <Prefetch workspace={workspace} queries={(trpc) => [trpc.deploy.get.queryOptions({ adapterId })]}>
      <AdapterPage adapterId={adapterId} />
    </Prefetch>
  );
}
