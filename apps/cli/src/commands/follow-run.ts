import { progressSchema, runReportSchema, stages, stageStatuses, type RunReport } from "@anneal/core/loop/contract";
import { AnnealError, errorCodes } from "@anneal/core/errors";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { createLiveBlock, formatStage, type BlockLine } from "../terminal.ts";

const runSchema = z.object({
  id: z.string(),
  status: z.enum(["waiting", "running", "done", "failed", "cancelled"]),
  // A portal of before does not say.
  waitsFor: z.string().nullable().default(null),
  error: z.object({ code: z.string(), message: z.string(), action: z.string(), stage: z.string() }).nullable(),
  stages: z.array(
    z.object({
      stage: z.enum(stages),
      status: z.enum(stageStatuses),
      inCount: z.number(),
      outCount: z.number(),
      droppedCount: z.number(),
      durationMs: z.number().nullable(),
      progress: progressSchema.nullable(),
      note: z.string().nullable(),
    }),
  ),
});
export type FinishedRun = z.infer<typeof runSchema> & { report: RunReport | null };

/** A line for each stage; the next one says so where another run has to end first. */
export function linesOf({
  stages: all,
  waitsFor,
}: Pick<z.infer<typeof runSchema>, "stages" | "waitsFor">): BlockLine[] {
  const next = waitsFor === null ? undefined : all.find(({ status }) => status === "waiting");
  return all.map((stage) => {
    const text = formatStage(stage);
    if (stage !== next) return { key: stage.stage, text, status: stage.status };
    return { key: stage.stage, text: `${text} waits for another run, ${waitsFor}`, status: "running" };
  });
}

/**
 * Shows a run until it ends.
 * @throws AnnealError with the failed stage's code and sentence.
 */
export async function followRun(portal: PortalClient, runId: string, signal?: AbortSignal): Promise<FinishedRun> {
  const block = createLiveBlock();
  for (;;) {
    const run = await portal.query("loop.get", { runId }, runSchema);
    block.draw(linesOf(run));
    switch (run.status) {
      case "done":
        return { ...run, report: await portal.query("loop.report", { runId }, runReportSchema.nullable()) };
      case "failed":
      case "cancelled": {
        const code = errorCodes.find((known) => known === run.error?.code) ?? "CANCELLED";
        const message =
          run.error === null
            ? "The run was cancelled."
            : `The stage ${run.error.stage} ended the run: ${run.error.message}`;
        throw new AnnealError(code, message, { action: run.error?.action ?? "Start it again when you want to." });
      }
      case "waiting":
      case "running":
        await sleep(500, undefined, { signal });
    }
  }
}
