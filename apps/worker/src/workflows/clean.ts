import type { StageInput } from "@anneal/core/loop/contract";
import { proxyActivities } from "@temporalio/workflow";
import type { CleanActivities } from "../activities/clean.ts";
import { runStage } from "./run-stage.ts";

// One long activity: its progress is in the database, so that a retry goes on where the last attempt died.
const { cleanDocuments } = proxyActivities<CleanActivities>({
  startToCloseTimeout: "24 hours",
  heartbeatTimeout: "60 seconds",
  retry: { maximumAttempts: 40, maximumInterval: "10 seconds" },
});

export async function clean(input: StageInput): Promise<void> {
  await runStage(input, "clean", () => cleanDocuments(input));
}
