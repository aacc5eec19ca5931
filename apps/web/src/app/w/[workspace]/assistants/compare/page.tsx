import type { Metadata } from "next";
import { ComparePage } from "#features/assistants/compare-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Compare" };

export default async function Compare({ params }: { params: Promise<{ workspace: string }> }) {
  const { workspace } = await params;
  return (
    <Prefetch workspace={workspace} queries={(trpc) => [trpc.assistants.list.queryOptions()]}>
      <ComparePage />
    </Prefetch>
  );
}
