import { randomUUID } from "node:crypto";
import { failedCheckError, parseCheckOutcome, type FoundSource } from "@anneal/core/connect/check-outcome";
import { checkTimeoutMs, checkWorkflowName, type CheckInput } from "@anneal/core/connect/contract";
import { recordAudit } from "@anneal/db/queries/audit";
import { getSource } from "@anneal/db/queries/sources";
import { saveDraft } from "@anneal/db/queries/source-drafts";
import { describeSource } from "#server/connect/describe-kinds.ts";
import { openAccess, type AccessInput } from "#server/connect/save-source.ts";
import { requireFinishedSignIn } from "#server/connect/finished-sign-in.ts";
import type { MemberContext } from "#server/context.ts";
import { runWorkflow } from "#server/temporal.ts";

/** The worker's own limit, and time for it to begin. */
const answerTimeoutMs = checkTimeoutMs + 10_000;

/** @throws AnnealError that says why the source cannot be read, with the list of what was tried: `readFailedChecks` */
export async function checkStored(
  { scope, identity }: MemberContext,
  sourceId: string,
  signal?: AbortSignal,
): Promise<FoundSource> {
  const source = await getSource(scope, sourceId);
  await recordAudit(scope, { actor: identity.email, action: "source.check", subject: `source:${source.id}` });
  return check({ workspaceId: scope.workspaceId, of: { sourceId } }, signal);
}

/**
 * Tries what was entered and is not saved. Its credentials travel sealed, in a row that the worker takes out.
 * @param changed the source that is being changed: credentials left out are then its own
 * @param signal ends the try once nobody waits for it
 */
export async function checkDraft(
  { scope, identity }: MemberContext,
  input: AccessInput,
  changed: string | undefined,
  signal?: AbortSignal,
): Promise<FoundSource> {
  const stored = changed === undefined ? undefined : await getSource(scope, changed);
  const id = randomUUID();
  const signIn = input.signInId === undefined ? undefined : await requireFinishedSignIn(scope, input.signInId);
  const access = await openAccess(identity.role, input, stored, id, signIn);
  await recordAudit(scope, {
    actor: identity.email,
    action: "source.check",
    subject: stored ? `source:${stored.id}` : `draft:${id}`,
    details: { kind: access.kind, location: describeSource(access.kind, access.config).location },
  });
  await saveDraft(scope, { id, ...access });
  return check({ workspaceId: scope.workspaceId, of: { draftId: id } }, signal);
}

async function check(input: CheckInput, signal: AbortSignal | undefined): Promise<FoundSource> {
  const workflowId = `check-${randomUUID()}`;
  const outcome = parseCheckOutcome(
    await runWorkflow(checkWorkflowName, workflowId, input, { timeoutMs: answerTimeoutMs, signal }),
  );
  if (outcome.status === "failed") throw failedCheckError(outcome);
  return { summary: outcome.summary, checks: outcome.checks };
}
