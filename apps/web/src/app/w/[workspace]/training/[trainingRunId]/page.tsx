import type { Metadata } from "next";
import { TrainingPage } from "#features/train/training-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Training" };

export default async function Training({ params }: { params: Promise<{ workspace: string; trainingRunId: string }> }) {
  const { workspace, trainingRunId } = await params;
  return (
    <Prefetch
      workspace={workspace}
      queries={(trpc) => [
        trpc.train.get.queryOptions({ trainingRunId }),
        trpc.train.metrics.queryOptions({ trainingRunId }),
        trpc.train.log.queryOptions({ trainingRunId }),
      ]}
    >
      <TrainingPage trainingRunId={trainingRunId} />
    </Prefetch>
  );
}
