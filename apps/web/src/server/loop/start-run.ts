import { randomUUID } from "node:crypto";
import { AnnealError } from "@anneal/core/errors";
import { loopWorkflowId, loopWorkflowName, stagesOf, type LoopInput, type Stage } from "@anneal/core/loop/contract";
import { loopSettingsSchema, type LoopSettings } from "@anneal/core/loop/settings";
import { purposeOf } from "@anneal/core/loop/turns";
import { assertTrainingServeable, engineLimitsOf } from "@anneal/core/register/serveability";
import { recordAudit } from "@anneal/db/queries/audit";
import type { Scope } from "@anneal/db/database";
import { createOnlyRun, endRun, getRun, reopenRun, type Run } from "@anneal/db/queries/loop";
import type { RunOutputs } from "@anneal/db/schema";
import { listReplicas } from "@anneal/db/queries/serving";
import { env } from "#env.ts";
import type { MemberContext } from "#server/context.ts";
import { cancelWorkflow, startWorkflow } from "#server/temporal.ts";

type Actor = Pick<MemberContext, "scope" | "identity">;

const unfinished: ReadonlySet<string> = new Set(["waiting", "running"]);

type Begin = {
  /** Stages before it are skipped: `outputs` has what they would have made. */
  fromStage: Stage;
  outputs: RunOutputs;
};

/** One run for the same at a time in a workspace; one for something else waits for its turn by itself. */
export async function startRun(
  { scope, identity }: Actor,
  settings: LoopSettings,
  { fromStage, outputs }: Begin = { fromStage: "connect", outputs: {} },
): Promise<{ runId: string }> {
  await refuseUnserveable(scope, settings, fromStage);
  const runId = randomUUID();
  await recordAudit(scope, { actor: identity.email, action: "loop.start", subject: `run:${runId}` });
  const workflowId = loopWorkflowId(runId, 1);
  const run = { id: runId, workflowId, startedBy: identity.email, settings, fromStage, outputs };
  refuseSecond(await createOnlyRun(scope, run));
  await launch({ scope, identity }, { runId, workflowId, settings, fromStage, startedBy: identity.email });
  return { runId };
}

/** Goes on with a run that failed or was stopped, from the given stage; earlier stages keep their results. */
export async function retryRun({ scope, identity }: Actor, runId: string, fromStage: Stage): Promise<void> {
  const run = await getRun(scope, runId);
  if (unfinished.has(run.status)) refuseSecond(run);
  const settings = loopSettingsSchema.parse(run.settings);
  if (!run.stages.some(({ stage }) => stage === fromStage))
    throw new AnnealError("INVALID_INPUT", `This run has no stage “${fromStage}”.`, {
      action: `Go on from one of: ${run.stages.map(({ stage }) => stage).join(", ")}.`,
    });
  await refuseUnserveable(scope, settings, fromStage);
  await recordAudit(scope, {
    actor: identity.email,
    action: "loop.retry",
    subject: `run:${runId}`,
    details: { fromStage },
  });
  const attempt = Number(/-(\d+)$/.exec(run.workflowId)?.[1] ?? "1") + 1;
  const workflowId = loopWorkflowId(runId, attempt);
  refuseSecond(await reopenRun(scope, runId, workflowId, fromStage));
  await launch({ scope, identity }, { runId, workflowId, settings, fromStage, startedBy: run.startedBy });
}

export async function cancelRun({ scope, identity }: Actor, runId: string): Promise<void> {
  const run = await getRun(scope, runId);
  if (!unfinished.has(run.status)) return;
  await recordAudit(scope, { actor: identity.email, action: "loop.cancel", subject: `run:${runId}` });
  if ((await cancelWorkflow(run.workflowId)) !== "gone") return;
  // It may have ended between the two looks; else its service lost it, and it can close no row.
  if (unfinished.has((await getRun(scope, runId)).status)) await endRun(scope, runId, { status: "cancelled" });
}

function refuseSecond(other: Run | null): void {
  if (other === null) return;
  const what = purposeOf(other.settings) === "search" ? "A run that makes documents findable" : "A run for everything";
  throw new AnnealError(
    "ALREADY_RUNNING",
    `${what} is in progress, started by ${other.startedBy === "schedule" ? "its schedule" : other.startedBy}.`,
    { action: "Wait until it ends, or stop it first.", details: { runId: other.id } },
  );
}

/** Said now, before documents are read and questions are made for a training that could not be used. */
async function refuseUnserveable(scope: Scope, settings: LoopSettings, fromStage: Stage): Promise<void> {
  if (!stagesOf(settings, fromStage).includes("train")) return;
  const { ANNEAL_BASE_MODEL: baseModel, ANNEAL_MAX_LORA_RANK: configuredRank } = env();
  const limits = engineLimitsOf(await listReplicas(scope.db), configuredRank ?? null);
  assertTrainingServeable(settings.training, baseModel?.split("/").filter(Boolean).at(-1) ?? null, limits);
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
      await endRun(scope, run.runId, { status: "failed", error: { ...error.toReport(), stage: run.fromStage } });
    throw error;
  }
}
