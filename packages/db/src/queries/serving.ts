import { and, asc, eq, gt, lt, ne, not, sql } from "drizzle-orm";
import type { Database, Transaction } from "../database.ts";
import { gateways, replicas, residencies } from "../schema.ts";

// Engines, what they hold and who routes to them: shared by all workspaces, so no query here takes a scope.

export type Replica = typeof replicas.$inferSelect;
export type Residency = typeof residencies.$inferSelect;

export async function saveReplica(
  db: Database,
  replica: { url: string; baseModel: string; managed?: boolean },
): Promise<Replica> {
  const [row] = await db
    .insert(replicas)
    .values({ ...replica, status: "starting" })
    .onConflictDoUpdate({ target: replicas.url, set: { baseModel: replica.baseModel } })
    .returning();
  return row!;
}

/** Forgets the engines that the settings name no longer; those that the platform started are not theirs to name. */
export async function removeReplicasExcept(db: Database, urls: string[]): Promise<void> {
  const named = urls.length === 0 ? undefined : sql`${replicas.url} in ${urls}`;
  await db.delete(replicas).where(and(eq(replicas.managed, false), named === undefined ? undefined : not(named)));
}

/** Of a stack that starts: the engines that the one before had added ended with it. */
export async function removeManagedReplicas(db: Database): Promise<void> {
  await db.delete(replicas).where(eq(replicas.managed, true));
}

export async function removeReplica(db: Database, replicaId: string): Promise<void> {
  await db.delete(replicas).where(eq(replicas.id, replicaId));
}

export async function listReplicas(db: Database): Promise<Replica[]> {
  return db.select().from(replicas).orderBy(asc(replicas.url));
}

/** Writes only what changed, so that a quiet replica causes no live traffic. */
export async function updateReplica(
  db: Database,
  replicaId: string,
  changes: Partial<
    Pick<
      Replica,
      | "status"
      | "baseModel"
      | "engineStartedAt"
      | "maxLoraRank"
      | "maxLoras"
      | "servingProfile"
      | "error"
      | "checkedAt"
      | "drainingSince"
    >
  >,
): Promise<void> {
  await db.update(replicas).set(changes).where(eq(replicas.id, replicaId));
}

export async function listResidencies(db: Database, replicaId?: string): Promise<Residency[]> {
  return db
    .select()
    .from(residencies)
    .where(replicaId === undefined ? undefined : eq(residencies.replicaId, replicaId))
    .orderBy(asc(residencies.servingName));
}

export async function saveResidency(
  db: Database,
  residency: Omit<Residency, "updatedAt" | "error"> & { error?: string | null },
): Promise<void> {
  const row = { ...residency, error: residency.error ?? null, updatedAt: new Date() };
  await db
    .insert(residencies)
    .values(row)
    .onConflictDoUpdate({ target: [residencies.replicaId, residencies.servingName], set: row });
}

export type ServedName = Pick<Residency, "servingName" | "objectPrefix" | "workspaceId">;

/** An engine should hold these, of which it may know nothing yet: it came, or came back, after they were deployed. */
export async function wantResidencies(db: Database, replicaId: string, names: readonly ServedName[]): Promise<void> {
  for (const name of names) {
    await db
      .insert(residencies)
      .values({ ...name, replicaId, desired: "resident", observed: "absent" })
      .onConflictDoUpdate({
        target: [residencies.replicaId, residencies.servingName],
        set: { desired: "resident", updatedAt: new Date() },
        setWhere: ne(residencies.desired, "resident"),
      });
  }
}

/** What the engine did with a name. Whether it should hold it stays as it is: that may have changed meanwhile. */
export async function observeResidency(
  db: Database,
  { replicaId, servingName }: Pick<Residency, "replicaId" | "servingName">,
  observed: Residency["observed"],
  error: string | null = null,
): Promise<void> {
  await db
    .update(residencies)
    .set({ observed, error, updatedAt: new Date() })
    .where(and(eq(residencies.replicaId, replicaId), eq(residencies.servingName, servingName)));
}

/** No engine should hold it any more; the reconciler sees to it, also on engines that do not answer now. */
export async function releaseServingName(db: Database | Transaction, servingName: string): Promise<void> {
  await db
    .update(residencies)
    .set({ desired: "absent", updatedAt: new Date() })
    .where(eq(residencies.servingName, servingName));
}

/**
 * Forgets a name that this replica should not hold, once `unload` has taken it off the engine. Whoever wants it there
 * again meanwhile waits, and loads it anew; when somebody wants it already, nothing happens.
 */
export async function removeResidency(
  db: Database,
  replicaId: string,
  servingName: string,
  unload: () => Promise<void>,
): Promise<void> {
  const row = and(eq(residencies.replicaId, replicaId), eq(residencies.servingName, servingName));
  await db.transaction(async (tx) => {
    const [held] = await tx.select({ desired: residencies.desired }).from(residencies).where(row).for("update");
    if (held?.desired !== "absent") return;
    await unload();
    await tx.delete(residencies).where(row);
  });
}

export async function beatGateway(
  db: Database,
  gateway: { id: string; epoch: number; inFlight: Record<string, number> },
): Promise<void> {
  const row = { ...gateway, seenAt: new Date() };
  await db.insert(gateways).values(row).onConflictDoUpdate({ target: gateways.id, set: row });
}

export async function removeGateway(db: Database, gatewayId: string): Promise<void> {
  await db.delete(gateways).where(eq(gateways.id, gatewayId));
}

/** How many seconds a gateway may be silent before it counts as gone. */
export const gatewaySilenceSeconds = 30;

/** Requests that may still run on `servingName`: those in flight, and gateways that have not seen `epoch` yet. */
export async function countInFlight(
  db: Database,
  servingName: string,
  epoch: number,
): Promise<{ inFlight: number; gatewaysBehind: number }> {
  const rows = await db
    .select()
    .from(gateways)
    .where(gt(gateways.seenAt, sql`now() - make_interval(secs => ${gatewaySilenceSeconds})`));
  return {
    inFlight: rows.reduce((sum, row) => sum + (row.inFlight[servingName] ?? 0), 0),
    gatewaysBehind: rows.filter((row) => row.epoch < epoch).length,
  };
}

/**
 * Whether every gateway that lives has been heard since `since`. A gateway hears of a change of the replicas before it
 * next reports, so none of them sends anything new to one that was taken out of service before then.
 */
export async function haveGatewaysReportedSince(db: Database, since: Date): Promise<boolean> {
  const behind = await db
    .select({ id: gateways.id })
    .from(gateways)
    .where(
      and(
        gt(gateways.seenAt, sql`now() - make_interval(secs => ${gatewaySilenceSeconds})`),
        lt(gateways.seenAt, since),
      ),
    );
  return behind.length === 0;
}

export async function removeSilentGateways(db: Database): Promise<void> {
  await db.delete(gateways).where(lt(gateways.seenAt, sql`now() - interval '1 day'`));
}

/** The newest epoch given out; a gateway reads it when it starts or has lost its connection. */
export async function readAliasEpoch(db: Database): Promise<number> {
  const result = await db.execute<{ last: string }>(
    sql`select case when is_called then last_value else 0 end as last from alias_history_seq_seq`,
  );
  return Number(result.rows[0]?.last ?? 0);
}
