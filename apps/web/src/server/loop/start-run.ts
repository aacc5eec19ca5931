import { randomUUID } from "node:crypto";
import { AnnealError } from "@anneal/core/errors";
import { loopWorkflowId, loopWorkflowName, type LoopInput, type Stage } from "@anneal/core/loop/contract";
import { loopSettingsSchema, type LoopSettings } from "@anneal/core/loop/settings";
import { recordAudit } from "@anneal/db/queries/audit";
import { createRun, getRun, listRuns, reopenRun, setRunStatus } from "@anneal/db/queries/loop";
import type { MemberContext } from "#server/context.ts";
import { cancelWorkflow, startWorkflow } from "#server/temporal.ts";

type Actor = Pick<MemberContext, "scope" | "identity">;

const unfinished: ReadonlySet<string> = new Set(["waiting", "running"]);

/** One run at a time in a workspace: two would fetch, train and deploy the same things against each other. */
export async function startRun({ scope, identity }: Actor, settings: LoopSettings): Promise<{ runId: string }> {
  const running = (await listRuns(scope, 10)).find((run) => unfinished.has(run.status));
  if (running)
    throw new AnnealError("ALREADY_RUNNING", "A run of this workspace is in progress.", {
      action: "Wait until it ends, or stop it first.",
      details: { runId: running.id },
    });
  const runId = randomUUID();
  await recordAudit(scope, { actor: identity.email, action: "loop.start", subject: `run:${runId}` });
  const workflowId = loopWorkflowId(runId, 1);
  await createRun(scope, { id: runId, workflowId, startedBy: identity.email, settings });
  await launch({ scope, identity }, { runId, workflowId, settings, fromStage: "connect", startedBy: identity.email });
  return { runId };
}

/** Goes on with a run that failed or was stopped, from the given stage; earlier stages keep their results. */
export async function retryRun({ scope, identity }: Actor, runId: string, fromStage: Stage): Promise<void> {
  const run = await getRun(scope, runId);
  if (unfinished.has(run.status))
    throw new AnnealError("ALREADY_RUNNING", "This run is in progress.", {
      action: "Wait until it ends, or stop it first.",
    });
  await recordAudit(scope, {
    actor: identity.email,
    action: "loop.retry",
    subject: `run:${runId}`,
    details: { fromStage },
  });
  const attempt = Number(/-(\d+)$/.exec(run.workflowId)?.[1] ?? "1") + 1;
  const workflowId = loopWorkflowId(runId, attempt);
  await reopenRun(scope, runId, workflowId, fromStage);
  const settings = loopSettingsSchema.parse(run.settings);
  await launch({ scope, identity }, { runId, workflowId, settings, fromStage, startedBy: run.startedBy });
}

export async function cancelRun({ scope, identity }: Actor, runId: string): Promise<void> {
  const run = await getRun(scope, runId);
  if (!unfinished.has(run.status)) return;
  await recordAudit(scope, { actor: identity.email, action: "loop.cancel", subject: `run:${runId}` });
  await cancelWorkflow(run.workflowId);
}

/** Starts the workflow; when that fails the run's row says so, instead of waiting for ever. */
async function launch(
  { scope }: Actor,
  { workflowId, ...run }: Omit<LoopInput, "workspaceId"> & { workflowId: string },
): Promise<void> {
  try {
    await startWorkflow(loopWorkflowName, workflowId, { ...run, workspaceId: scope.workspaceId } satisfies LoopInput);
  } catch (error) {
    if (error instanceof AnnealError)
      await setRunStatus(scope, run.runId, { status: "failed", error: { ...error.toReport(), stage: run.fromStage } });
    throw error;
  }
}
