import type { Metadata } from "next";
import { SourcePage } from "#features/connect/source-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Source" };

export default async function Source({ params }: { params: Promise<{ workspace: string; sourceId: string }> }) {
  const { workspace, sourceId } = await params;
  return (
    <Prefetch workspace={workspace} queries={(trpc) => [trpc.connect.get.queryOptions({ sourceId })]}>
      <SourcePage sourceId={sourceId} />
    </Prefetch>
  );
}
