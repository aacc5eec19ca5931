import type { StageInput } from "@anneal/core/loop/contract";
import { proxyActivities } from "@temporalio/workflow";
import type { IndexingActivities } from "../activities/indexing.ts";
import { runStage } from "./run-stage.ts";

const { indexDocuments } = proxyActivities<IndexingActivities>({
  startToCloseTimeout: "24 hours",
  heartbeatTimeout: "60 seconds",
  retry: { maximumAttempts: 40, maximumInterval: "10 seconds" },
});

export async function indexing(input: StageInput): Promise<void> {
  await runStage(input, "index", () => indexDocuments(input));
}
