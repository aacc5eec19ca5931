import { deadDeployment } from "@anneal/core/deploy/dead-deployment";
import type { Scope } from "@anneal/db/database";
import { findDeployment, type Deployment } from "@anneal/db/queries/deploy";
import { readWorkflowState } from "#server/temporal.ts";

/**
 * As it stands now. One that says that it runs while nobody works on it is shown as failed; the next deployment to its
 * alias records it so. When that cannot be found out, it is believed.
 * @param read asks Temporal
 */
export async function readLive<D extends Deployment>(
  scope: Scope,
  deployment: D,
  read: typeof readWorkflowState = readWorkflowState,
): Promise<D> {
  const { id, status, workflowId } = deployment;
  if (status !== "running" || workflowId === null || (await read(workflowId)) !== "gone") return deployment;
  // Its workflow may have ended between the two looks: then the row says how.
  const now = { ...deployment, ...(await findDeployment(scope, id)) };
  return now.status === "running" ? { ...now, status: "failed", error: deadDeployment().toReport() } : now;
}
