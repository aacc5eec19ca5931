import { createHash } from "node:crypto";
import { and, asc, desc, eq, ilike, or, sql } from "drizzle-orm";
import { canonicalEvent, genesisHash, type AuditEvent } from "@anneal/core/audit/chain";
import { inWorkspace, type Scope, type Transaction } from "../database.ts";
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
  await inWorkspace(scope, (tx) => appendAudit(scope, tx, event));
}

/** Within the transaction of what it records (of `inWorkspace`): there are both or neither. */
export async function appendAudit(scope: Scope, tx: Transaction, event: AuditEntry): Promise<void> {
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
}

export async function listAuditEvents(
  scope: Scope,
  filter: { search?: string },
  page: { limit: number; offset: number },
) {
  const pattern = `%${(filter.search ?? "").replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
  const where = and(
    eq(auditEvents.workspaceId, scope.workspaceId),
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
    return { rows, total: count?.total ?? 0 };
  });
}

/** The whole chain, oldest first, in the form that `verifyChain` of core/audit takes. */
export async function exportAuditChain(scope: Scope): Promise<(AuditEvent & { hash: string })[]> {
  const rows = await inWorkspace(scope, (tx) =>
    tx.select().from(auditEvents).where(eq(auditEvents.workspaceId, scope.workspaceId)).orderBy(asc(auditEvents.at)),
  );
  return rows.map(({ id: _, at, ...row }) => ({ ...row, at: at.toISOString() }));
}
