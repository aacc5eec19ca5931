import { stagesOf, type LoopInput, type Stage, type StageInput } from "@anneal/core/loop/contract";
import { CancellationScope, executeChild, isCancellation, proxyActivities, workflowInfo } from "@temporalio/workflow";
import type { RunActivities } from "../activities/run.ts";
import { clean } from "./clean.ts";
import { connect } from "./connect.ts";
import { dataset } from "./dataset.ts";
import { dedupe } from "./dedupe.ts";
import { deployStage } from "./deploy.ts";
import { failWith, reportOf } from "./failure.ts";
import { indexing } from "./indexing.ts";
import { register } from "./register.ts";
import { train } from "./train.ts";

const { openRun, dropRun, closeRun } = proxyActivities<RunActivities>({
  startToCloseTimeout: "1 minute",
  retry: { maximumInterval: "10 seconds" },
});

const stageWorkflows = {
  connect,
  clean,
  dedupe,
  dataset,
  train,
  register,
  deploy: deployStage,
  index: indexing,
} satisfies Record<Stage, (input: StageInput) => Promise<void>>;

/** One trip round the loop, or the part of it that the run is for: a child workflow per stage, so that each has its own history and can be retried alone. */
export async function loop(input: LoopInput): Promise<void> {
  const { workflowId } = workflowInfo();
  const run = await openRun({ ...input, workflowId }).catch(async (error: unknown) => {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => dropRun({ ...input, workflowId }));
    throw error;
  });
  const stageInput: StageInput = { workspaceId: input.workspaceId, runId: run.runId, settings: run.settings };
  for (const stage of stagesOf(run.settings, input.fromStage)) {
    try {
      await executeChild(stageWorkflows[stage], { workflowId: `${workflowId}-${stage}`, args: [stageInput] });
    } catch (error) {
      const cancelled = isCancellation(error);
      await CancellationScope.nonCancellable(() =>
        closeRun({
          ...stageInput,
          end: cancelled ? { status: "cancelled" } : { status: "failed", error: { ...reportOf(error), stage } },
        }),
      );
      throw cancelled ? error : failWith(reportOf(error));
    }
  }
  await closeRun({ ...stageInput, end: { status: "done" } });
}
