import { directoriesScheduleId, directoriesWorkflowName } from "@anneal/core/connect/contract";
import { taskQueue } from "@anneal/core/loop/contract";
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client, type ScheduleOptions } from "@temporalio/client";

/** Temporal keeps it from the first start on; a later start may want another interval. */
export async function ensureDirectorySchedule({ schedule }: Pick<Client, "schedule">, minutes: number): Promise<void> {
  const options = {
    spec: { intervals: [{ every: minutes * 60_000 }] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: "1 minute" },
    action: {
      type: "startWorkflow",
      workflowType: directoriesWorkflowName,
      workflowId: directoriesScheduleId,
      taskQueue,
    },
  } satisfies Omit<ScheduleOptions, "scheduleId">;
  try {
    await schedule.create({ scheduleId: directoriesScheduleId, ...options });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await schedule.getHandle(directoriesScheduleId).update(({ state }) => ({ ...options, state }));
  }
}
