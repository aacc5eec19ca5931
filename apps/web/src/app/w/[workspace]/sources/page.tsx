import type { Metadata } from "next";
import { SourcesPage } from "#features/connect/sources-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Sources" };

export default async function Sources({ params }: { params: Promise<{ workspace: string }> }) {
  const { workspace } = await params;
  return (
    <Prefetch workspace={workspace} queries={(trpc) => [trpc.connect.list.queryOptions()]}>
      <SourcesPage />
    </Prefetch>
  );
}
