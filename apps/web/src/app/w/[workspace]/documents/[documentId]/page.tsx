import type { Metadata } from "next";
import { DocumentPage } from "#features/documents/document-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Document" };

export default async function Document({ params }: { params: Promise<{ workspace: string; documentId: string }> }) {
  const { workspace, documentId } = await params;
  return (
    <Prefetch workspace={workspace} queries={(trpc) => [trpc.documents.get.queryOptions({ documentId })]}>
      <DocumentPage documentId={documentId} />
    </Prefetch>
  );
}
