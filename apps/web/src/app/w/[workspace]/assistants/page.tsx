import type { Metadata } from "next";
import { AssistantsPage } from "#features/assistants/assistants-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Assistants" };

export default async function Assistants({ params }: { params: Promise<{ workspace: string }> }) {
  const { workspace } = await params;
  return (
    <Prefetch workspace={workspace} queries={(trpc) => [trpc.assistants.list.queryOptions()]}>
      <AssistantsPage />
    </Prefetch>
  );
}
