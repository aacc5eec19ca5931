import type { SyncInput, SyncResult } from "@anneal/core/connect/contract";
import type { StageInput } from "@anneal/core/loop/contract";
import { proxyActivities } from "@temporalio/workflow";
import type { ConnectActivities } from "../activities/connect.ts";
import { runStage } from "./run-stage.ts";

const { listSourcesToSync, summariseConnect } = proxyActivities<ConnectActivities>({
  startToCloseTimeout: "1 minute",
  retry: { maximumInterval: "10 seconds" },
});
const { syncSource } = proxyActivities<ConnectActivities>({
  startToCloseTimeout: "24 hours",
  heartbeatTimeout: "60 seconds",
  retry: { maximumAttempts: 4, maximumInterval: "1 minute" },
});

export async function connect(input: StageInput): Promise<void> {
  await runStage(input, "connect", async () => {
    const { sourceIds } = await listSourcesToSync(input);
    const results: SyncResult[] = [];
    for (const sourceId of sourceIds) {
      results.push(
        await syncSource({
          workspaceId: input.workspaceId,
          runId: input.runId,
          sourceId,
          confirmDeletions: input.settings.confirmDeletions,
        }),
      );
    }
    return summariseConnect({ ...input, results });
  });
}

/** One source outside a run: "sync now". What it fetched is cleaned and indexed by the next run. */
export async function sync(input: SyncInput): Promise<SyncResult> {
  return syncSource({ ...input, runId: null });
}
