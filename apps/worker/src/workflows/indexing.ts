import type { StageInput } from "@anneal/core/loop/contract";
import { proxyActivities } from "@temporalio/workflow";
import type { IndexingActivities } from "../activities/indexing.ts";
import { runStage } from "./run-stage.ts";

const { indexDocuments } = proxyActivities<IndexingActivities>({
  startToCloseTimeout: "24 hours",
  heartbeatTimeout: "60 seconds",
  retry: { maximumAttempts: 4, maximumInterval: "1 minute" },
});

export async function indexing(input: StageInput): Promise<void> {
  await runStage(input, "index", () => indexDocuments(input));
}
