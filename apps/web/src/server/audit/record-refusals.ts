import type { Scope } from "@anneal/db/database";
import { recordAudit, recordOutcome, type AuditEntry } from "@anneal/db/queries/audit";
import { createEventLimiter } from "#server/audit/event-limiter.ts";
import { errorMap } from "#server/error-map.ts";
import { log } from "#server/log.ts";
import { expectedError } from "#server/report-error.ts";

const windowMs = 60_000;
const limiter = createEventLimiter({ windowMs });

/**
 * What was recorded first and then not done is told to be so. Nobody is answered otherwise because of it: a failure to
 * record is logged.
 */
export async function recordOutcomes(scope: Scope, error: unknown): Promise<void> {
  const code = expectedError(error)?.code;
  const outcome = code && errorMap[code].http < 500 ? "refused" : "failed";
  try {
    for (const event of scope.recorded ?? []) await recordOutcome(scope, event, { outcome, code: code ?? "INTERNAL" });
  } catch (failure) {
    log.error({ err: String(failure) }, "the outcome of a recorded action could not be recorded");
  }
}

/**
 * Records what was refused to somebody, who may try it as often as they like: a few a minute of each key, the others
 * as a number.
 * @param keys whose attempts are counted together, such as an address
 */
export async function recordRefusal(scope: Scope, keys: readonly string[], entry: AuditEntry): Promise<void> {
  try {
    if (limiter.admit(scope.workspaceId, keys, Date.now())) await recordAudit(scope, { ...entry, allowed: false });
    else setTimeout(() => void recordCounted(scope.db), windowMs).unref();
  } catch (failure) {
    log.error({ err: String(failure), action: entry.action }, "a refusal could not be recorded");
  }
}

async function recordCounted(db: Scope["db"]): Promise<void> {
  for (const { workspaceId, count } of limiter.drain(Date.now())) {
    const details = { refusals: count, withinSeconds: windowMs / 1000 };
    await recordAudit(
      { db, workspaceId },
      { actor: "anneal", action: "refusals.more", subject: `workspace:${workspaceId}`, details, allowed: false },
    ).catch((failure: unknown) => log.error({ err: String(failure), ...details }, "refusals could not be recorded"));
  }
}
