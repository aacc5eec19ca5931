import type { Metadata } from "next";
import { TrainingListPage } from "#features/train/training-list-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Training" };

export default async function Training({ params }: { params: Promise<{ workspace: string }> }) {
  const { workspace } = await params;
  return (
    <Prefetch workspace={workspace} queries={(trpc) => [trpc.train.list.queryOptions()]}>
      <TrainingListPage />
    </Prefetch>
  );
}
