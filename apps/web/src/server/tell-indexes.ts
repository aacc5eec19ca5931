import { pushAgainSignal, pushReadersWorkflowId, pushReadersWorkflowName } from "@anneal/core/indexing/contract";
import { taskQueue } from "@anneal/core/loop/contract";
import type { Scope } from "@anneal/db/database";
import { hasReaderChanges } from "@anneal/db/queries/reader-changes";
import { temporal } from "#server/temporal.ts";

/**
 * Has the workspace's indexes told of whom a change in the portal admits, as a sync does of its own. What cannot be ordered
 * fails nothing: it stays in the database, and the next sync orders it.
 */
export async function tellIndexes(scope: Scope): Promise<void> {
  try {
    if (!(await hasReaderChanges(scope))) return;
    const { workspaceId } = scope;
    await (
      await temporal()
    ).workflow.signalWithStart(pushReadersWorkflowName, {
      workflowId: pushReadersWorkflowId(workspaceId),
      taskQueue,
      args: [{ workspaceId }],
      signal: pushAgainSignal,
    });
  } catch {
    // See above.
  }
}
