import { createHash } from "node:crypto";
import { and, asc, desc, eq, gt, ilike, inArray, ne, or, sql } from "drizzle-orm";
import { canonicalEvent, genesisHash, type AuditEvent } from "@anneal/core/audit/chain";
import { inWorkspace, type RecordedEvent, type Scope, type Transaction } from "../database.ts";
import { auditEvents } from "../schema.ts";

export type AuditEntry = {
  actor: string;
  action: string;
  subject: string;
  details?: Record<string, unknown>;
  allowed?: boolean;
};

/** Appends to the workspace's chain, one writer at a time. Throws when it cannot be written: no record, no action. */
export async function recordAudit(scope: Scope, event: AuditEntry): Promise<void> {
  const hash = await inWorkspace(scope, (tx) => appendAudit(scope, tx, event));
  const { actor, action, subject } = event;
  scope.recorded?.push({ hash, actor, action, subject });
}

/** How what was recorded first went on, when it was not done. */
export type AuditOutcome = { outcome: "refused" | "failed"; code: string };

/** The action of the events that tell it; `details.of` is the hash of the event whose outcome they are. */
const outcomeAction = "audit.outcome";

/** Says in the chain that what an earlier event announced was not done: that event itself can never change. */
export async function recordOutcome(scope: Scope, event: RecordedEvent, outcome: AuditOutcome): Promise<void> {
  const { hash: of, actor, action, subject } = event;
  const details = { of, action, ...outcome };
  await inWorkspace(scope, (tx) =>
    appendAudit(scope, tx, { actor, action: outcomeAction, subject, details, allowed: false }),
  );
}

/**
 * Within the transaction of what it records (of `inWorkspace`): there are both or neither.
 * @returns the event's hash
 */
export async function appendAudit(scope: Scope, tx: Transaction, event: AuditEntry): Promise<string> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${`audit:${scope.workspaceId}`}))`);
  const [last] = await tx
    .select({ hash: auditEvents.hash, at: auditEvents.at })
    .from(auditEvents)
    .where(eq(auditEvents.workspaceId, scope.workspaceId))
    .orderBy(desc(auditEvents.at))
    .limit(1);
  // Strictly increasing, so that time is the chain's order even within one millisecond.
  const at = new Date(Math.max(Date.now(), (last?.at.getTime() ?? 0) + 1));
  const full: AuditEvent = {
    at: at.toISOString(),
    workspaceId: scope.workspaceId,
    actor: event.actor,
    action: event.action,
    subject: event.subject,
    details: event.details ?? {},
    allowed: event.allowed ?? true,
    prevHash: last?.hash ?? genesisHash,
  };
  const hash = createHash("sha256").update(canonicalEvent(full)).digest("hex");
  await tx.insert(auditEvents).values({ ...full, at, hash });
  return hash;
}

/** Newest first, each with how it ended; the events that tell that do not stand for themselves here. */
export async function listAuditEvents(
  scope: Scope,
  filter: { search?: string },
  page: { limit: number; offset: number },
) {
  const pattern = `%${(filter.search ?? "").replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
  const where = and(
    eq(auditEvents.workspaceId, scope.workspaceId),
    ne(auditEvents.action, outcomeAction),
    filter.search
      ? or(ilike(auditEvents.actor, pattern), ilike(auditEvents.action, pattern), ilike(auditEvents.subject, pattern))
      : undefined,
  );
  return inWorkspace(scope, async (tx) => {
    const rows = await tx
      .select()
      .from(auditEvents)
      .where(where)
      .orderBy(desc(auditEvents.at))
      .limit(page.limit)
      .offset(page.offset);
    const [count] = await tx
      .select({ total: sql<number>`count(*)::int` })
      .from(auditEvents)
      .where(where);
    const outcomes = await listOutcomes(scope, tx, rows);
    return { rows: rows.map((row) => ({ ...row, outcome: outcomes.get(row.hash) ?? null })), total: count?.total ?? 0 };
  });
}

/** How these events ended, by their hashes; none of what was done. */
async function listOutcomes(
  scope: Scope,
  tx: Transaction,
  events: readonly { hash: string; at: Date }[],
): Promise<ReadonlyMap<string, AuditOutcome>> {
  const oldest = events.at(-1);
  if (!oldest) return new Map();
  const of = sql<string>`${auditEvents.details}->>'of'`;
  const rows = await tx
    .select({ of, details: auditEvents.details })
    .from(auditEvents)
    .where(
      and(
        eq(auditEvents.workspaceId, scope.workspaceId),
        eq(auditEvents.action, outcomeAction),
        gt(auditEvents.at, oldest.at),
        inArray(
          of,
          events.map(({ hash }) => hash),
        ),
      ),
    );
  return new Map(
    rows.map(({ of: hash, details }) => [
      hash,
      { outcome: details["outcome"] === "refused" ? "refused" : "failed", code: String(details["code"]) },
    ]),
  );
}

/** The whole chain, oldest first, in the form that `verifyChain` of core/audit takes. */
export async function exportAuditChain(scope: Scope): Promise<(AuditEvent & { hash: string })[]> {
  const rows = await inWorkspace(scope, (tx) =>
    tx.select().from(auditEvents).where(eq(auditEvents.workspaceId, scope.workspaceId)).orderBy(asc(auditEvents.at)),
  );
  return rows.map(({ id: _, at, ...row }) => ({ ...row, at: at.toISOString() }));
}
