import type { CheckOutcome } from "@anneal/core/connect/check-outcome";
import type { CheckInput, SyncInput, SyncResult } from "@anneal/core/connect/contract";
import type { StageInput } from "@anneal/core/loop/contract";
import { proxyActivities } from "@temporalio/workflow";
import type { CheckActivities } from "../activities/check-source.ts";
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
// Once: a person waits for it, and its draft is handed out once. Its heartbeat is how it hears that nobody does any more.
const { checkSource: check } = proxyActivities<CheckActivities>({
  startToCloseTimeout: "1 minute",
  heartbeatTimeout: "5 seconds",
  retry: { maximumAttempts: 1 },
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

/**
 * One source outside a run: "sync now". What it fetched is cleaned and indexed by the next run; of a new audience the
 * index hears at once, in a workflow of its own (push-readers.ts).
 */
export async function sync(input: SyncInput): Promise<SyncResult> {
  return syncSource({ ...input, runId: null });
}

/** Says whether a source can be read, and a little of what would be; reads none of it into the workspace. */
export async function checkSource(input: CheckInput): Promise<CheckOutcome> {
  return check(input);
}
