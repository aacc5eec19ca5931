import type { Metadata } from "next";
import { DatasetPage } from "#features/dataset/dataset-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Dataset" };

export default async function Dataset({
  params,
}: {
  params: Promise<{ workspace: string; datasetVersionId: string }>;
}) {
  const { workspace, datasetVersionId } = await params;
  return (
    <Prefetch workspace={workspace} queries={(trpc) => [trpc.dataset.get.queryOptions({ datasetVersionId })]}>
      <DatasetPage datasetVersionId={datasetVersionId} />
    </Prefetch>
  );
}
