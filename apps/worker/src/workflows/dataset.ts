import type { StageInput } from "@anneal/core/loop/contract";
import { proxyActivities } from "@temporalio/workflow";
import type { DatasetActivities } from "../activities/dataset.ts";
import { runStage } from "./run-stage.ts";

// One long activity: its progress is in the database, so that a retry goes on where the last attempt died.
const { buildDataset } = proxyActivities<DatasetActivities>({
  startToCloseTimeout: "24 hours",
  heartbeatTimeout: "60 seconds",
  retry: { maximumAttempts: 40, maximumInterval: "10 seconds" },
});

export async function dataset(input: StageInput): Promise<void> {
  await runStage(input, "dataset", () => buildDataset(input));
}
