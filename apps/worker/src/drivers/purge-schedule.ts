import { purgeScheduleId, purgeWorkflowName } from "@anneal/core/connect/contract";
import { taskQueue } from "@anneal/core/loop/contract";
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client } from "@temporalio/client";

/**
 * Once a day, whatever is read or run. Temporal keeps it from the first start on; what it missed while all was off it
 * makes up for.
 */
export async function ensurePurgeSchedule(client: Client): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId: purgeScheduleId,
      spec: { intervals: [{ every: "1 day" }], jitter: "1 hour" },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: "7 days" },
      action: { type: "startWorkflow", workflowType: purgeWorkflowName, workflowId: purgeScheduleId, taskQueue },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
