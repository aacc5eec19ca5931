import { WorkflowNotFoundError, type Client } from "@temporalio/client";

/** True when the workflow has ended in whatever way, and when Temporal does not know it (any more). */
export async function hasWorkflowEnded(client: Client, workflowId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name !== "RUNNING" && status.name !== "CONTINUED_AS_NEW" && status.name !== "PAUSED";
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return true;
    throw error;
  }
}
