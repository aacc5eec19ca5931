import type { Metadata } from "next";
import { RunPage } from "#features/loop/run-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Run" };

export default async function Run({ params }: { params: Promise<{ workspace: string; runId: string }> }) {
  const { workspace, runId } = await params;
  return (
    <Prefetch workspace={workspace} queries={(trpc) => [trpc.loop.get.queryOptions({ runId })]}>
      <RunPage runId={runId} />
    </Prefetch>
  );
}
