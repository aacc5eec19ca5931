import { randomUUID } from "node:crypto";
import { deployWorkflowName, type DeployInput } from "@anneal/core/deploy/contract";
import { AnnealError } from "@anneal/core/errors";
import { trainingResultSchema } from "@anneal/core/train/training-result";
import { recordAudit } from "@anneal/db/queries/audit";
import { listAssistants } from "@anneal/db/queries/chat";
import { getDatasetVersion } from "@anneal/db/queries/dataset";
import {
  abandonDeployment,
  getDeployment,
  listAliasHistory,
  listCurrentAliases,
  listRunningDeployments,
} from "@anneal/db/queries/deploy";
import { getAdapterVersion, type AdapterVersion } from "@anneal/db/queries/register";
import { listReplicas, listResidencies } from "@anneal/db/queries/serving";
import type { MemberContext } from "#server/context.ts";
import { readLive } from "#server/deploy/read-live.ts";
import { planDeployment, type DeploymentPlan, type Evaluation } from "#server/deploy/plan-deployment.ts";
import { startWorkflow, terminateWorkflow } from "#server/temporal.ts";

type Wanted = { adapterVersionId: string; alias: string };

export function deploymentWorkflowId(deploymentId: string): string {
  return `deploy-${deploymentId}`;
}

export async function loadPlan(
  { scope, db }: MemberContext,
  { adapterVersionId, alias }: Wanted,
): Promise<DeploymentPlan & { adapterName: string; version: number; underWay: string | null }> {
  const { adapter, version } = await getAdapterVersion(scope, adapterVersionId);
  const [aliases, history, replicas, residencies, running, assistants] = await Promise.all([
    listCurrentAliases(scope),
    listAliasHistory(scope, adapter.id),
    listReplicas(db),
    listResidencies(db),
    listRunningDeployments(scope, adapter.id, alias),
    listAssistants(scope),
  ]);
  const numberOf = new Map(history.map(({ entry, version: number }) => [entry.adapterVersionId, number]));
  const current = aliases
    .filter((entry) => entry.adapterId === adapter.id)
    .map((entry) => ({ ...entry, version: numberOf.get(entry.adapterVersionId) ?? 0 }));
  // What is dead does not stand in the way: the worker ends it when the next one begins.
  const live = await Promise.all(running.map((each) => readLive(scope, each)));
  const underWay = live.find(({ status }) => status === "running");
  const pointsAt = current.find((entry) => entry.alias === alias)?.adapterVersionId;
  const serving = pointsAt === undefined ? null : await getAdapterVersion(scope, pointsAt).catch(() => null);
  const [evaluationOfThis, evaluationOfCurrent] = await Promise.all([
    readEvaluation(scope, version),
    serving && readEvaluation(scope, serving.version),
  ]);
  const plan = planDeployment({
    adapter,
    version,
    alias,
    current,
    replicas,
    residencies,
    underWay: underWay !== undefined,
    evaluation: { version: evaluationOfThis, current: evaluationOfCurrent },
    assistants: assistants.filter(({ model }) => model === `${adapter.name}@${alias}`).map(({ name }) => name),
  });
  return { ...plan, adapterName: adapter.name, version: version.version, underWay: underWay?.id ?? null };
}

/** What training measured on the examples that it held out; null when there were none. */
async function readEvaluation(
  scope: MemberContext["scope"],
  { metrics, lineage: { datasetVersionId } }: AdapterVersion,
): Promise<Evaluation | null> {
  const result = trainingResultSchema.safeParse(metrics).data;
  if (result?.evalLoss === null || result?.evalLoss === undefined) return null;
  const dataset = await getDatasetVersion(scope, datasetVersionId).catch(() => null);
  const { evalLoss: loss, evalLossFirst: baseLoss } = result;
  return { loss, baseLoss, examples: dataset?.evalCount ?? null, datasetVersionId };
}

/** A deployment and a rollback are the same call: the version decides which. */
export async function startDeployment(ctx: MemberContext, wanted: Wanted): Promise<{ deploymentId: string }> {
  const plan = await loadPlan(ctx, wanted);
  const { scope, identity } = ctx;
  if (plan.blockers.length > 0)
    throw new AnnealError("CONFLICT", plan.blockers.join(" "), { action: "Choose another version, or another time." });
  const deploymentId = randomUUID();
  await recordAudit(scope, {
    actor: identity.email,
    action: plan.change === "back" ? "adapter.rollback.start" : "adapter.deploy.start",
    subject: `${plan.adapterName}@${wanted.alias}`,
    details: { deploymentId, servingName: plan.servingName, replaces: plan.replaces?.servingName ?? null },
  });
  const input: DeployInput = { workspaceId: scope.workspaceId, deploymentId, ...wanted, by: identity.email };
  await startWorkflow(deployWorkflowName, deploymentWorkflowId(deploymentId), input);
  return { deploymentId };
}

/** Ends a deployment that does not get on, so that its alias is free for another: what it has done so far stays. */
export async function abandonRunning({ scope, identity }: MemberContext, deploymentId: string): Promise<void> {
  const deployment = await getDeployment(scope, deploymentId);
  const ended = new AnnealError("CONFLICT", "This deployment has ended already.", {
    action: "Reload the page to see how.",
  });
  if (deployment.status !== "running") throw ended;
  await recordAudit(scope, {
    actor: identity.email,
    action: "adapter.deploy.abandon",
    subject: `deployment:${deploymentId}`,
    details: { servingName: deployment.servingName, alias: deployment.alias },
  });
  const workflowId = deployment.workflowId ?? deploymentWorkflowId(deploymentId);
  await terminateWorkflow(workflowId, `abandoned by ${identity.email}`);
  const error = new AnnealError("CANCELLED", `${identity.email} abandoned this deployment.`, {
    action: "Deploy again when what held it up is gone.",
  });
  if (!(await abandonDeployment(scope, deployment, error.toReport()))) throw ended;
}
