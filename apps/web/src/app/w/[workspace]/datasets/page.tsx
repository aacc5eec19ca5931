import type { Metadata } from "next";
import { DatasetsPage } from "#features/dataset/datasets-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Datasets" };

export default async function Datasets({ params }: { params: Promise<{ workspace: string }> }) {
  const { workspace } = await params;
  return (
    <Prefetch workspace={workspace} queries={(trpc) => [trpc.dataset.list.queryOptions()]}>
      <DatasetsPage />
    </Prefetch>
  );
}
