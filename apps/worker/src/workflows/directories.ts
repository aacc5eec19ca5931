import { directoryWorkflowId, type DirectoryInput } from "@anneal/core/connect/contract";
import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import { ParentClosePolicy, proxyActivities, sleep, startChild } from "@temporalio/workflow";
import type { DirectoryActivities } from "../activities/directories.ts";

const { listDirectories } = proxyActivities<DirectoryActivities>({
  startToCloseTimeout: "1 minute",
  retry: { maximumInterval: "10 seconds" },
});
// What fails is tried again by the next firing, and a wait that a source asks for is longer than a retry would be.
const { readDirectory: read } = proxyActivities<DirectoryActivities>({
  startToCloseTimeout: "12 hours",
  heartbeatTimeout: "60 seconds",
  retry: { maximumAttempts: 3, nonRetryableErrorTypes: ["RATE_LIMITED"] },
});

/** Started by a schedule that the worker makes. A source that takes long, or fails, is in nobody's way. */
export async function readDirectories(): Promise<void> {
  for (const input of await listDirectories()) {
    try {
      await startChild(readDirectory, {
        workflowId: directoryWorkflowId(input.sourceId),
        args: [input],
        parentClosePolicy: ParentClosePolicy.ABANDON,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }
}

/** The people and groups of one source, apart from its documents. */
export async function readDirectory({ afterMs, ...input }: DirectoryInput): Promise<void> {
  await sleep(afterMs);
  await read(input);
}
