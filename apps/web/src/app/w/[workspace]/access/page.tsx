import type { Metadata } from "next";
import { AccessPage } from "#features/access/access-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Access" };

export default async function Access({ params }: { params: Promise<{ workspace: string }> }) {
  const { workspace } = await params;
  return (
    <Prefetch
      workspace={workspace}
      queries={(trpc) => [
        trpc.access.members.queryOptions(),
        trpc.access.keys.queryOptions(),
        trpc.access.grants.queryOptions(),
      ]}
    >
      <AccessPage />
    </Prefetch>
  );
}
