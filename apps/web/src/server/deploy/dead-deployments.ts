import { deadDeployment } from "@anneal/core/deploy/dead-deployment";
import type { Deployment } from "@anneal/db/queries/deploy";
import { readWorkflowState } from "#server/temporal.ts";

/** Whether it says that it runs while nobody works on it. When that cannot be found out, it is believed. */
export async function isDead({ status, workflowId }: Deployment): Promise<boolean> {
  return status === "running" && workflowId !== null && (await readWorkflowState(workflowId)) === "gone";
}

/** Shows a dead deployment as failed; the next deployment to its alias records it so. */
export async function tellDead<D extends Deployment>(deployment: D): Promise<D> {
  return (await isDead(deployment))
    ? { ...deployment, status: "failed", error: deadDeployment().toReport() }
    : deployment;
}
