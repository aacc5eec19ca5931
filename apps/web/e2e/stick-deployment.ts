import { randomUUID } from "node:crypto";
import { Client, Connection } from "@temporalio/client";
import { deployWorkflowName, type DeployInput } from "@anneal/core/deploy/contract";
import { openDatabase } from "@anneal/db/database";
import { listWorkspaces } from "@anneal/db/queries/access";
import { createDeployment } from "@anneal/db/queries/deploy";
import { listAdapterVersions } from "@anneal/db/queries/register";
import { readPortalEnvironment } from "./portal-environment.ts";

/** Leaves a deployment to the alias that does not get on: Temporal has its workflow, and no worker will ever take it. */
export async function stickDeployment(stateDir: string, adapterName: string, alias: string): Promise<void> {
  const settings = await readPortalEnvironment(stateDir);
  const { db, close } = openDatabase(settings["ANNEAL_DATABASE_URL"] ?? "");
  const connection = await Connection.connect({ address: settings["ANNEAL_TEMPORAL_ADDRESS"] ?? "" });
  try {
    const workspace = (await listWorkspaces(db)).find(({ slug }) => slug === "default");
    const scope = { db, workspaceId: workspace?.id ?? "" };
    const newest = (await listAdapterVersions(scope)).find(({ adapter }) => adapter.name === adapterName);
    const deploymentId = randomUUID();
    const workflowId = `deploy-${deploymentId}`;
    const adapterVersionId = newest?.version.id ?? "";
    const input: DeployInput = { workspaceId: scope.workspaceId, deploymentId, adapterVersionId, alias, by: "nobody" };
    await new Client({ connection }).workflow.start(deployWorkflowName, {
      workflowId,
      taskQueue: "of-a-worker-that-died",
      args: [input],
    });
    const servingName = `${adapterName}@stuck`;
    await createDeployment(scope, { id: deploymentId, adapterVersionId, workflowId, alias, servingName, by: "nobody" });
  } finally {
    await connection.close();
    await close();
  }
}
