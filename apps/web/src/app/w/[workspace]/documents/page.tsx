import type { Metadata } from "next";
import { DocumentsPage } from "#features/documents/documents-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Documents" };

export default async function Documents({ params }: { params: Promise<{ workspace: string }> }) {
  const { workspace } = await params;
  return (
    <Prefetch
      workspace={workspace}
      queries={(trpc) => [trpc.documents.facets.queryOptions(), trpc.connect.list.queryOptions()]}
    >
      <DocumentsPage />
    </Prefetch>
  );
}
