import { Client, Connection, WorkflowNotFoundError } from "@temporalio/client";
import { taskQueue } from "@anneal/core/loop/contract";
import { AnnealError } from "@anneal/core/errors";
import { env } from "#env.ts";

const connectTimeoutMs = 5_000;
const shared = globalThis as typeof globalThis & { annealTemporal?: Promise<Client> };

/** @throws AnnealError ENGINE_UNAVAILABLE */
export async function temporal(): Promise<Client> {
  shared.annealTemporal ??= connect();
  try {
    return await shared.annealTemporal;
  } catch (cause) {
    // The next call tries anew.
    delete shared.annealTemporal;
    throw unavailable(cause);
  }
}

async function connect(): Promise<Client> {
  const { ANNEAL_TEMPORAL_ADDRESS: address, ANNEAL_TEMPORAL_NAMESPACE: namespace } = env();
  return new Client({ connection: await Connection.connect({ address, connectTimeout: connectTimeoutMs }), namespace });
}

function unavailable(cause: unknown): AnnealError {
  return new AnnealError("ENGINE_UNAVAILABLE", "The workflow service does not answer, so nothing can be started.", {
    action: "Wait a moment and try again; if it lasts, check that Temporal runs (`npm start` starts it).",
    retryable: true,
    cause,
  });
}

/** @throws AnnealError ENGINE_UNAVAILABLE; Temporal's own error when the workflow exists already. */
export async function startWorkflow(name: string, workflowId: string, input: unknown): Promise<void> {
  const client = await temporal();
  await client.connection.withDeadline(Date.now() + connectTimeoutMs, () =>
    client.workflow.start(name, { workflowId, taskQueue, args: [input] }),
  );
}

/** Asks a workflow to stop; one that has ended already is no failure. */
export async function cancelWorkflow(workflowId: string): Promise<void> {
  const client = await temporal();
  try {
    await client.workflow.getHandle(workflowId).cancel();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

/** Ends a workflow at once, also when no worker is there to hear of it; one that has ended already is no failure. */
export async function terminateWorkflow(workflowId: string, reason: string): Promise<void> {
  const client = await temporal();
  try {
    await client.workflow.getHandle(workflowId).terminate(reason);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

/** False also when nobody can be asked: a page that only shows it must not fail for it. */
export async function isWorkflowRunning(workflowId: string): Promise<boolean> {
  return (await readWorkflowState(workflowId)) === "running";
}

/** "gone" when it has ended in whatever way or Temporal does not know it; "unknown" when nobody can be asked. */
export async function readWorkflowState(workflowId: string): Promise<"running" | "gone" | "unknown"> {
  try {
    const client = await temporal();
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === "RUNNING" ? "running" : "gone";
  } catch (error) {
    return error instanceof WorkflowNotFoundError ? "gone" : "unknown";
  }
}
