import { setTimeout as sleep } from "node:timers/promises";
import { Client, Connection, ServiceError, WorkflowFailedError, WorkflowNotFoundError } from "@temporalio/client";
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
    action:
      "Wait a moment and try again; if it lasts, check that Temporal runs (`npm start` starts it) and that its disk has room.",
    retryable: true,
    cause,
  });
}

/** @throws AnnealError ENGINE_UNAVAILABLE; Temporal's own error when the workflow exists already. */
export async function startWorkflow(name: string, workflowId: string, input: unknown): Promise<void> {
  const client = await temporal();
  try {
    await client.connection.withDeadline(Date.now() + connectTimeoutMs, () =>
      client.workflow.start(name, { workflowId, taskQueue, args: [input] }),
    );
  } catch (error) {
    // It answers, and cannot write: so it is on a full disk, for example.
    throw error instanceof ServiceError ? unavailable(error) : error;
  }
}

/** Asks a workflow to stop; one that has ended already, or was never there, is gone, which is no failure. */
export async function cancelWorkflow(workflowId: string): Promise<"asked" | "gone"> {
  const client = await temporal();
  try {
    await client.workflow.getHandle(workflowId).cancel();
    return "asked";
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return "gone";
    throw error;
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

/**
 * Starts a workflow and waits for what it returns: for work of seconds that a person waits for. Once `signal` says that
 * nobody waits any more, it is cancelled.
 * @throws AnnealError ENGINE_UNAVAILABLE when nothing came back in time, CANCELLED when nobody waited for it
 */
export async function runWorkflow(
  name: string,
  workflowId: string,
  input: unknown,
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
) {
  await startWorkflow(name, workflowId, input);
  const handle = (await temporal()).workflow.getHandle(workflowId);
  const answered = new AbortController();
  const waits = AbortSignal.any([answered.signal, ...(signal ? [signal] : [])]);
  const late = sleep(timeoutMs, undefined, { signal: waits }).then(
    () => "late" as const,
    () => "left" as const,
  );
  try {
    const result: unknown = await Promise.race([handle.result(), late]);
    if (result !== "late" && result !== "left") return result;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
  } finally {
    answered.abort();
  }
  await handle.cancel().catch(() => undefined);
  if (signal?.aborted)
    throw new AnnealError("CANCELLED", "Nobody waited for the answer.", { action: "Try again to have one." });
  throw new AnnealError("ENGINE_UNAVAILABLE", "The worker did not answer in time.", {
    action: "Check that the worker runs (`npm start` starts it), then try again.",
    retryable: true,
  });
}
