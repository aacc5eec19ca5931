import { ScheduleNotFoundError, ScheduleOverlapPolicy } from "@temporalio/client";
import { z } from "zod";
import { taskQueue } from "@anneal/core/loop/contract";
import { findCronProblem } from "#lib/cron.ts";
import { temporal } from "#server/temporal.ts";

export const cronSchema = z
  .string()
  .trim()
  .superRefine((cron, context) => {
    const message = findCronProblem(cron);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

type Scheduled = { scheduleId: string; workflowName: string; workflowId: string; input: unknown };

/** Runs a workflow by the clock (cron, UTC), never two at once; null takes the schedule away. */
export async function setSchedule(
  { scheduleId, workflowName, workflowId, input }: Scheduled,
  cron: string | null,
): Promise<void> {
  const client = await temporal();
  const handle = client.schedule.getHandle(scheduleId);
  try {
    await handle.delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
  if (cron === null) return;
  await client.schedule.create({
    scheduleId,
    spec: { cronExpressions: [cron] },
    memo: { cron },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: "1 hour" },
    action: { type: "startWorkflow", workflowType: workflowName, workflowId, taskQueue, args: [input] },
  });
}

/** The next firing and the cron expression; null when there is no schedule or nobody can be asked. */
export async function readSchedule(scheduleId: string): Promise<{ nextAt: Date | null; cron: string | null } | null> {
  try {
    const client = await temporal();
    const { info, memo } = await client.schedule.getHandle(scheduleId).describe();
    return { nextAt: info.nextActionTimes[0] ?? null, cron: typeof memo?.cron === "string" ? memo.cron : null };
  } catch {
    return null;
  }
}
