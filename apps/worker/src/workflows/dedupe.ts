import type { StageInput } from "@anneal/core/loop/contract";
import { proxyActivities } from "@temporalio/workflow";
import type { DedupeActivities } from "../activities/dedupe.ts";
import { runStage } from "./run-stage.ts";

// One long activity: its progress is in the database, so that a retry goes on where the last attempt died.
const { dedupeDocuments } = proxyActivities<DedupeActivities>({
  startToCloseTimeout: "24 hours",
  heartbeatTimeout: "60 seconds",
  retry: { maximumAttempts: 40, maximumInterval: "10 seconds" },
});

export async function dedupe(input: StageInput): Promise<void> {
  await runStage(input, "dedupe", () => dedupeDocuments(input));
}
