import { WorkflowExecutionAlreadyStartedError } from "@temporalio/client";
import { syncWorkflowId, syncWorkflowName, type SyncInput } from "@anneal/core/connect/contract";
import { AnnealError } from "@anneal/core/errors";
import { recordAudit } from "@anneal/db/queries/audit";
import { getSource, listSources, type Source } from "@anneal/db/queries/sources";
import { retryFailures } from "@anneal/db/queries/retry-failures";
import { abandonSync, findOpenSync, requestPause, type SourceSync } from "@anneal/db/queries/source-syncs";
import type { MemberContext } from "#server/context.ts";
import { cancelWorkflow, readWorkflowState, startWorkflow } from "#server/temporal.ts";

type Actor = Pick<MemberContext, "scope" | "identity">;

/** Reads what has changed. @throws AnnealError ALREADY_RUNNING */
export async function startSync(
  { scope, identity }: Actor,
  input: { sourceId: string; confirmDeletions: boolean },
): Promise<void> {
  const source = await getSource(scope, input.sourceId);
  await refuseSecond({ scope, identity }, source);
  await record({ scope, identity }, "source.sync", source, { ...input });
  await launch(source, { workspaceId: scope.workspaceId, ...input, startedBy: identity.email });
}

/** The sync stops at its next checkpoint, which is kept, or where it would go on after a wait. @throws AnnealError CONFLICT when there is none to pause */
export async function pauseSync({ scope, identity }: Actor, sourceId: string): Promise<void> {
  const source = await getSource(scope, sourceId);
  const open = await findOpenSync(scope, sourceId);
  if (open?.status === "paused") return;
  refuseInRun(source, open);
  if (open === undefined) throw notRead(source);
  await record({ scope, identity }, "source.pause", source);
  if (!(await requestPause(scope, sourceId))) throw notRead(source);
}

/** Goes on from the last checkpoint, in the same sync. @throws AnnealError CONFLICT when none is paused */
export async function resumeSync({ scope, identity }: Actor, sourceId: string): Promise<void> {
  const source = await getSource(scope, sourceId);
  const open = await findOpenSync(scope, sourceId);
  if (open?.status !== "paused")
    throw new AnnealError("CONFLICT", `No sync of “${source.name}” is paused.`, {
      action: "Read it now, to begin a new one.",
    });
  await record({ scope, identity }, "source.resume", source);
  await launch(source, {
    workspaceId: scope.workspaceId,
    sourceId,
    // Deletions come last: were they confirmed before the pause, the sync holds them back and asks again.
    confirmDeletions: false,
    startedBy: open.startedBy,
    continues: open.id,
  });
}

/**
 * Ends a sync that reads, waits to begin or is paused. What it has read stays, and the next one goes on from there.
 * @throws AnnealError CONFLICT when there is none to cancel
 */
export async function cancelSync({ scope, identity }: Actor, sourceId: string): Promise<void> {
  const source = await getSource(scope, sourceId);
  const open = await findOpenSync(scope, sourceId);
  refuseInRun(source, open);
  const isPaused = open?.status === "paused";
  // Of a schedule's firing the workflow has a name of its own, until it is resumed. What is about to begin has no row yet.
  const workflowId = (isPaused ? null : open?.workflowId) ?? syncWorkflowId(sourceId);
  // Asked first, as Temporal takes a request to cancel what has ended.
  const state = await readWorkflowState(workflowId);
  if (open === undefined && state === "gone") throw notRead(source);
  await record({ scope, identity }, "source.cancel", source);
  if (isPaused) {
    await abandonSync(scope, open.id);
    // Somebody has resumed it, and it has not begun.
    if (state === "running") await cancelWorkflow(workflowId);
    return;
  }
  if (state !== "gone" && (await cancelWorkflow(workflowId)) === "asked") return;
  // A workflow that is gone (its service lost its state) can close no row.
  if (open === undefined || !(await abandonSync(scope, open.id))) throw notRead(source);
}

/**
 * Reads again what could not be read: one document, or all of the source's.
 * @returns how many are taken out of quarantine for it
 * @throws AnnealError ALREADY_RUNNING; NOT_FOUND for a document that the source does not have
 */
export async function retryFailed(
  { scope, identity }: Actor,
  { sourceId, documentId }: { sourceId: string; documentId: string | null },
): Promise<{ count: number }> {
  const source = await getSource(scope, sourceId);
  // One that reads now would lose all that it has gone through, and begin anew.
  await refuseSecond({ scope, identity }, source);
  await record({ scope, identity }, "source.retry", source, documentId === null ? {} : { documentId });
  const count = await retryFailures(scope, sourceId, documentId);
  await launch(source, {
    workspaceId: scope.workspaceId,
    sourceId,
    confirmDeletions: false,
    startedBy: identity.email,
  });
  return { count };
}

async function record(
  { scope, identity }: Actor,
  action: string,
  { id }: Source,
  details?: Record<string, unknown>,
): Promise<void> {
  await recordAudit(scope, {
    actor: identity.email,
    action,
    subject: `source:${id}`,
    ...(details ? { details } : {}),
  });
}

async function launch(source: Source, input: SyncInput): Promise<void> {
  try {
    await startWorkflow(syncWorkflowName, syncWorkflowId(source.id), input);
  } catch (error) {
    throw error instanceof WorkflowExecutionAlreadyStartedError ? beingRead(source.name) : error;
  }
}

async function refuseSecond({ scope }: Actor, source: Source): Promise<void> {
  const [sources, open] = await Promise.all([listSources(scope), findOpenSync(scope, source.id)]);
  if (open?.status === "waiting" && open.waitsUntil !== null && open.waitsUntil > new Date())
    throw isWaiting(source.name, open.waitsUntil);
  if (sources.some(({ id, syncing }) => id === source.id && syncing)) throw beingRead(source.name, open?.startedBy);
}

/** A run's later stages need all of its sources. */
function refuseInRun({ name }: Source, open: SourceSync | undefined): void {
  if (open === undefined || open.runId === null) return;
  throw new AnnealError("CONFLICT", `“${name}” is read within a run, which needs all of it.`, {
    action: "Stop the run; it can be retried from where it was.",
    details: { runId: open.runId },
  });
}

function isWaiting(name: string, until: Date): AnnealError {
  const time = until.toISOString().slice(0, 16).replace("T", " ");
  return new AnnealError("ALREADY_RUNNING", `“${name}” asked for a wait, and is being read again at ${time} UTC.`, {
    action: "Wait until then, or cancel that read first; it would be refused before.",
  });
}

function notRead({ name }: Source): AnnealError {
  return new AnnealError("CONFLICT", `“${name}” is not being read.`, { action: "Nothing is to be done." });
}

function beingRead(name: string, startedBy?: string): AnnealError {
  const who = startedBy === undefined ? "" : `, started by ${startedBy === "schedule" ? "its schedule" : startedBy}`;
  return new AnnealError("ALREADY_RUNNING", `“${name}” is being read already${who}.`, {
    action: "Wait until it is done.",
  });
}
