import { ScheduleNotFoundError, ScheduleOverlapPolicy, type ScheduleSpec } from "@temporalio/client";
import { z } from "zod";
import { taskQueue } from "@anneal/core/loop/contract";
import { findCronProblem, parseInterval } from "#lib/cron.ts";
import { temporal } from "#server/temporal.ts";

export const cronSchema = z
  .string()
  .trim()
  .superRefine((cron, context) => {
    const message = findCronProblem(cron);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

/** Sources that are all read on the hour do not all begin in the same second. */
const maxJitterMs = 60_000;

type Scheduled = { scheduleId: string; workflowName: string; workflowId: string; input: unknown };

/**
 * Runs a workflow by the clock, never two at once.
 * @param cron a cron expression in UTC, or an interval such as "@every 30m"; null takes the schedule away
 */
export async function setSchedule(
  { scheduleId, workflowName, workflowId, input }: Scheduled,
  cron: string | null,
  { paused = false }: { paused?: boolean } = {},
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
    spec: specOf(cron),
    state: { paused },
    memo: { cron },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: "1 hour" },
    action: { type: "startWorkflow", workflowType: workflowName, workflowId, taskQueue, args: [input] },
  });
}

/** Jittered by a minute, or a tenth of a short interval. */
export function specOf(cron: string): ScheduleSpec {
  const every = parseInterval(cron);
  if (every === null) return { cronExpressions: [cron], jitter: maxJitterMs };
  return { intervals: [{ every }], jitter: Math.min(maxJitterMs, every / 10) };
}

/** A paused schedule stays as it is and does not fire; what it would have done is not made up for. */
export async function setSchedulePaused(scheduleId: string, paused: boolean, by: string): Promise<void> {
  const handle = (await temporal()).schedule.getHandle(scheduleId);
  if (paused) await handle.pause(`Paused by ${by}`);
  else await handle.unpause(`Resumed by ${by}`);
}

type ReadSchedule = {
  nextAt: Date | null;
  cron: string | null;
  /** What its workflows are given. */
  input: unknown;
};

/** The next firing, the cron expression and the input; null when there is no schedule or nobody can be asked. */
export async function readSchedule(scheduleId: string): Promise<ReadSchedule | null> {
  try {
    const client = await temporal();
    const { info, memo, action } = await client.schedule.getHandle(scheduleId).describe();
    const cron = typeof memo?.cron === "string" ? memo.cron : null;
    return { nextAt: info.nextActionTimes[0] ?? null, cron, input: action.args?.[0] };
  } catch {
    return null;
  }
}
