import type { StageInput } from "@anneal/core/loop/contract";
import { CancellationScope, proxyActivities } from "@temporalio/workflow";
import type { TrainActivities } from "../activities/train.ts";
import { runStage } from "./run-stage.ts";

const { prepareTraining, releaseTraining } = proxyActivities<TrainActivities>({
  startToCloseTimeout: "5 minutes",
  retry: { maximumAttempts: 5, maximumInterval: "10 seconds" },
});
// It waits for its place for as long as that takes.
const { admitTraining } = proxyActivities<TrainActivities>({
  startToCloseTimeout: "30 days",
  heartbeatTimeout: "30 seconds",
  retry: { maximumAttempts: 5, maximumInterval: "10 seconds" },
});
// Silence for this long means that the worker is gone: the next attempt resumes from the newest checkpoint.
const { runTraining } = proxyActivities<TrainActivities>({
  startToCloseTimeout: "30 days",
  heartbeatTimeout: "30 seconds",
  retry: { maximumAttempts: 10, maximumInterval: "30 seconds" },
});

export async function train(input: StageInput): Promise<void> {
  await runStage(input, "train", async () => {
    const prepared = await prepareTraining(input);
    if (prepared.status === "unchanged") return prepared.counts;
    const { trainingRunId } = prepared;
    try {
      await admitTraining({ ...input, trainingRunId });
      return await runTraining({ ...input, trainingRunId });
    } finally {
      await CancellationScope.nonCancellable(() => releaseTraining({ ...input, trainingRunId }));
    }
  });
}
