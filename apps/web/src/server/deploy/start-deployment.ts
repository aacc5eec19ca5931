import { randomUUID } from "node:crypto";
import { deployWorkflowName, type DeployInput } from "@anneal/core/deploy/contract";
import { AnnealError } from "@anneal/core/errors";
import { recordAudit } from "@anneal/db/queries/audit";
import { findRunningDeployment, listAliasHistory, listCurrentAliases } from "@anneal/db/queries/deploy";
import { getAdapterVersion } from "@anneal/db/queries/register";
import { listReplicas, listResidencies } from "@anneal/db/queries/serving";
import type { MemberContext } from "#server/context.ts";
import { planDeployment, type DeploymentPlan } from "#server/deploy/plan-deployment.ts";
import { startWorkflow } from "#server/temporal.ts";

type Wanted = { adapterVersionId: string; alias: string };

const noDeployment = "00000000-0000-0000-0000-000000000000";

export function deploymentWorkflowId(deploymentId: string): string {
  return `deploy-${deploymentId}`;
}

export async function loadPlan(
  { scope, db }: MemberContext,
  { adapterVersionId, alias }: Wanted,
): Promise<DeploymentPlan & { adapterName: string; version: number }> {
  const { adapter, version } = await getAdapterVersion(scope, adapterVersionId);
  const [aliases, history, replicas, residencies, running] = await Promise.all([
    listCurrentAliases(scope),
    listAliasHistory(scope, adapter.id),
    listReplicas(db),
    listResidencies(db),
    findRunningDeployment(scope, adapter.id, alias, noDeployment),
  ]);
  const numberOf = new Map(history.map(({ entry, version: number }) => [entry.adapterVersionId, number]));
  const current = aliases
    .filter((entry) => entry.adapterId === adapter.id)
    .map((entry) => ({ ...entry, version: numberOf.get(entry.adapterVersionId) ?? 0 }));
  const plan = planDeployment({
    adapter,
    version,
    alias,
    current,
    replicas,
    residencies,
    underWay: running !== undefined,
  });
  return { ...plan, adapterName: adapter.name, version: version.version };
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
