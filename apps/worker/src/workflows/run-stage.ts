import type { Stage, StageInput } from "@anneal/core/loop/contract";
import { CancellationScope, isCancellation, proxyActivities } from "@temporalio/workflow";
import type { RunActivities } from "../activities/run.ts";
import { failWith, reportOf } from "./failure.ts";

const { beginStage, endStage } = proxyActivities<RunActivities>({
  startToCloseTimeout: "1 minute",
  retry: { maximumInterval: "10 seconds" },
});

export type StageCounts = { inCount: number; outCount: number; note: string | null };

/** What every stage does round its own work: open its row, and close it whatever happens. */
export async function runStage(input: StageInput, stage: Stage, work: () => Promise<StageCounts>): Promise<void> {
  await beginStage({ ...input, stage });
  try {
    const counts = await work();
    await endStage({ ...input, stage, end: { status: "done", ...counts } });
  } catch (error) {
    const cancelled = isCancellation(error);
    await CancellationScope.nonCancellable(() =>
      endStage({
        ...input,
        stage,
        end: cancelled ? { status: "cancelled" } : { status: "failed", error: reportOf(error) },
      }),
    );
    throw cancelled ? error : failWith(reportOf(error));
  }
}
