import { directoryQueue, directoryWorkflowId, type DirectoryInput } from "@anneal/core/connect/contract";
import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import { ParentClosePolicy, proxyActivities, sleep, startChild } from "@temporalio/workflow";
import type { DirectoryActivities } from "../activities/directories.ts";
import { reportOf } from "./failure.ts";

const { listDirectories } = proxyActivities<DirectoryActivities>({
  startToCloseTimeout: "1 minute",
  // The next firing does it as well, and is skipped as long as this one tries.
  retry: { maximumAttempts: 5, maximumInterval: "10 seconds" },
});
const { readDirectory: read } = proxyActivities<DirectoryActivities>({
  taskQueue: directoryQueue,
  startToCloseTimeout: "12 hours",
  heartbeatTimeout: "60 seconds",
  retry: { maximumAttempts: 3, nonRetryableErrorTypes: ["RATE_LIMITED", "SOURCE_CREDENTIALS", "NOT_FOUND"] },
});

/** Started by a schedule that the worker makes. A source that takes long, or fails, is in nobody's way. */
export async function readDirectories(): Promise<void> {
  const { sources, apartMs } = await listDirectories();
  for (const [index, input] of sources.entries()) {
    // Not all are asked in the same second.
    if (index > 0) await sleep(apartMs);
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

/** A source that asks for a wait is not asked before: the firings until then find this workflow there. */
const maxWaits = 6;
const defaultWaitMs = 60_000;

/** The people and groups of one source, apart from its documents. */
export async function readDirectory(input: DirectoryInput): Promise<void> {
  for (let waits = 0; ; waits += 1) {
    try {
      return await read(input);
    } catch (failure) {
      const { code, details } = reportOf(failure);
      if (code !== "RATE_LIMITED" || waits === maxWaits) throw failure;
      const toldMs = details?.["retryAfterMs"];
      await sleep(typeof toldMs === "number" ? toldMs : defaultWaitMs);
    }
  }
}
