import type { ErrorReport } from "@anneal/core/errors";
import { and, asc, desc, eq, gt, inArray, lt, ne, sql } from "drizzle-orm";
import { inWorkspace, requireRow, type Database, type Scope } from "../database.ts";
import {
  adapters,
  adapterVersions,
  aliasHistory,
  deployments,
  gateways,
  replicas,
  residencies,
  type Lineage,
} from "../schema.ts";

export type Adapter = typeof adapters.$inferSelect;
export type AdapterVersion = typeof adapterVersions.$inferSelect;
export type AliasEntry = typeof aliasHistory.$inferSelect;
export type Deployment = typeof deployments.$inferSelect;
export type Replica = typeof replicas.$inferSelect;
export type Residency = typeof residencies.$inferSelect;

/** Registers a version under its digest; an equal one that exists already is returned as it is. */
export async function saveAdapterVersion(
  scope: Scope,
  adapter: { name: string; baseModel: string },
  version: {
    id: string;
    digest: string;
    objectPrefix: string;
    rank: number;
    sizeBytes: number;
    lineage: Lineage;
    metrics: Record<string, unknown>;
    card: string;
  },
): Promise<{ adapter: Adapter; version: AdapterVersion; created: boolean }> {
  return inWorkspace(scope, async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${`${scope.workspaceId}:adapter:${adapter.name}`}))`);
    await tx
      .insert(adapters)
      .values({ ...adapter, workspaceId: scope.workspaceId })
      .onConflictDoNothing({ target: [adapters.workspaceId, adapters.name] });
    const [parent] = await tx
      .select()
      .from(adapters)
      .where(and(eq(adapters.workspaceId, scope.workspaceId), eq(adapters.name, adapter.name)));
    const [existing] = await tx
      .select()
      .from(adapterVersions)
      .where(and(eq(adapterVersions.adapterId, parent!.id), eq(adapterVersions.digest, version.digest)));
    if (existing) return { adapter: parent!, version: existing, created: false };
    const [last] = await tx
      .select({ version: sql<number>`coalesce(max(${adapterVersions.version}), 0)::int` })
      .from(adapterVersions)
      .where(eq(adapterVersions.adapterId, parent!.id));
    const [row] = await tx
      .insert(adapterVersions)
      .values({
        ...version,
        workspaceId: scope.workspaceId,
        adapterId: parent!.id,
        version: (last?.version ?? 0) + 1,
      })
      .returning();
    return { adapter: parent!, version: row!, created: true };
  });
}

export async function getAdapterVersion(scope: Scope, adapterVersionId: string) {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select({ version: adapterVersions, adapter: adapters })
      .from(adapterVersions)
      .innerJoin(adapters, eq(adapters.id, adapterVersions.adapterId))
      .where(and(eq(adapterVersions.id, adapterVersionId), eq(adapterVersions.workspaceId, scope.workspaceId))),
  );
  return requireRow(row, "adapter version", adapterVersionId);
}

export async function listAdapterVersions(scope: Scope) {
  return inWorkspace(scope, (tx) =>
    tx
      .select({ version: adapterVersions, adapter: adapters })
      .from(adapterVersions)
      .innerJoin(adapters, eq(adapters.id, adapterVersions.adapterId))
      .where(eq(adapterVersions.workspaceId, scope.workspaceId))
      .orderBy(asc(adapters.name), desc(adapterVersions.version)),
  );
}

export async function getAdapter(scope: Scope, adapterId: string): Promise<Adapter> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(adapters)
      .where(and(eq(adapters.id, adapterId), eq(adapters.workspaceId, scope.workspaceId))),
  );
  return requireRow(row, "adapter", adapterId);
}

/** Where every alias of the workspace points now. */
export async function listCurrentAliases(scope: Scope): Promise<(AliasEntry & { adapterName: string })[]> {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .selectDistinctOn([aliasHistory.adapterId, aliasHistory.alias], {
        entry: aliasHistory,
        adapterName: adapters.name,
      })
      .from(aliasHistory)
      .innerJoin(adapters, eq(adapters.id, aliasHistory.adapterId))
      .where(eq(aliasHistory.workspaceId, scope.workspaceId))
      .orderBy(aliasHistory.adapterId, aliasHistory.alias, desc(aliasHistory.seq)),
  );
  return rows.map(({ entry, adapterName }) => ({ ...entry, adapterName }));
}

export async function listAliasHistory(scope: Scope, adapterId: string) {
  return inWorkspace(scope, (tx) =>
    tx
      .select({ entry: aliasHistory, version: adapterVersions.version, digest: adapterVersions.digest })
      .from(aliasHistory)
      .innerJoin(adapterVersions, eq(adapterVersions.id, aliasHistory.adapterVersionId))
      .where(and(eq(aliasHistory.adapterId, adapterId), eq(aliasHistory.workspaceId, scope.workspaceId)))
      .orderBy(desc(aliasHistory.seq)),
  );
}

/** Points the alias at a version. Idempotent by deployment; returns the routing epoch and what was served before. */
export async function flipAlias(
  scope: Scope,
  flip: {
    adapterId: string;
    alias: string;
    adapterVersionId: string;
    servingName: string;
    deploymentId: string;
    by: string;
  },
): Promise<{ epoch: number; previousServingName: string | null }> {
  return inWorkspace(scope, async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${`${flip.adapterId}:${flip.alias}`}))`);
    const history = await tx
      .select()
      .from(aliasHistory)
      .where(and(eq(aliasHistory.adapterId, flip.adapterId), eq(aliasHistory.alias, flip.alias)))
      .orderBy(desc(aliasHistory.seq));
    const mine = history.findIndex((entry) => entry.deploymentId === flip.deploymentId);
    if (mine >= 0) {
      return { epoch: history[mine]!.seq, previousServingName: history[mine + 1]?.servingName ?? null };
    }
    const [row] = await tx
      .insert(aliasHistory)
      .values({ ...flip, workspaceId: scope.workspaceId })
      .returning({ seq: aliasHistory.seq });
    return { epoch: row!.seq, previousServingName: history[0]?.servingName ?? null };
  });
}

export async function createDeployment(
  scope: Scope,
  deployment: { id: string; adapterVersionId: string; alias: string; servingName: string; by: string },
): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .insert(deployments)
      .values({ ...deployment, workspaceId: scope.workspaceId, status: "running", steps: [] })
      .onConflictDoNothing(),
  );
}

export async function updateDeployment(
  scope: Scope,
  deploymentId: string,
  changes: Partial<Pick<Deployment, "status" | "steps" | "swapMs" | "replicaCount" | "endedAt">> & {
    error?: ErrorReport | null;
  },
): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .update(deployments)
      .set(changes)
      .where(and(eq(deployments.id, deploymentId), eq(deployments.workspaceId, scope.workspaceId))),
  );
}

export async function getDeployment(scope: Scope, deploymentId: string): Promise<Deployment> {
  return requireRow(await findDeployment(scope, deploymentId), "deployment", deploymentId);
}

export async function listDeployments(scope: Scope, limit = 50): Promise<Deployment[]> {
  return inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(deployments)
      .where(eq(deployments.workspaceId, scope.workspaceId))
      .orderBy(desc(deployments.createdAt))
      .limit(limit),
  );
}

export async function listDeploymentsOfAdapter(scope: Scope, adapterId: string, limit = 50) {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .select({ deployment: deployments, version: adapterVersions.version })
      .from(deployments)
      .innerJoin(adapterVersions, eq(adapterVersions.id, deployments.adapterVersionId))
      .where(and(eq(adapterVersions.adapterId, adapterId), eq(deployments.workspaceId, scope.workspaceId)))
      .orderBy(desc(deployments.createdAt))
      .limit(limit),
  );
  return rows.map(({ deployment, version }) => ({ ...deployment, version }));
}

/** Undefined while the workflow has not written it yet. */
export async function findDeployment(scope: Scope, deploymentId: string): Promise<Deployment | undefined> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(deployments)
      .where(and(eq(deployments.id, deploymentId), eq(deployments.workspaceId, scope.workspaceId))),
  );
  return row;
}

// Replicas, residencies and gateways are shared infrastructure: no workspace.

export async function saveReplica(db: Database, replica: { url: string; baseModel: string }): Promise<Replica> {
  const [row] = await db
    .insert(replicas)
    .values({ ...replica, status: "starting" })
    .onConflictDoUpdate({ target: replicas.url, set: { baseModel: replica.baseModel } })
    .returning();
  return row!;
}

export async function removeReplicasExcept(db: Database, urls: string[]): Promise<void> {
  await db.delete(replicas).where(urls.length === 0 ? sql`true` : sql`${replicas.url} not in ${urls}`);
}

export async function listReplicas(db: Database): Promise<Replica[]> {
  return db.select().from(replicas).orderBy(asc(replicas.url));
}

/** Writes only what changed, so that a quiet replica causes no live traffic. */
export async function updateReplica(
  db: Database,
  replicaId: string,
  changes: Partial<Pick<Replica, "status" | "engineStartedAt" | "maxLoraRank" | "maxLoras" | "error" | "checkedAt">>,
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

export async function removeResidency(db: Database, replicaId: string, servingName: string): Promise<void> {
  await db
    .delete(residencies)
    .where(and(eq(residencies.replicaId, replicaId), eq(residencies.servingName, servingName)));
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

/** The newest epoch given out; a gateway reads it when it starts or has lost its connection. */
export async function readAliasEpoch(db: Database): Promise<number> {
  const result = await db.execute<{ last: string }>(
    sql`select case when is_called then last_value else 0 end as last from alias_history_seq_seq`,
  );
  return Number(result.rows[0]?.last ?? 0);
}

export async function removeSilentGateways(db: Database): Promise<void> {
  await db.delete(gateways).where(lt(gateways.seenAt, sql`now() - interval '1 day'`));
}

/** Whether any alias of the workspace still points at this serving name. */
export async function isServingNameUsed(scope: Scope, servingName: string): Promise<boolean> {
  const current = await listCurrentAliases(scope);
  return current.some((entry) => entry.servingName === servingName);
}

/** Other running deployments of the same alias: two at once would race. */
export async function findRunningDeployment(scope: Scope, adapterId: string, alias: string, exceptId: string) {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select({ id: deployments.id })
      .from(deployments)
      .innerJoin(adapterVersions, eq(adapterVersions.id, deployments.adapterVersionId))
      .where(
        and(
          eq(adapterVersions.adapterId, adapterId),
          eq(deployments.alias, alias),
          inArray(deployments.status, ["running"]),
          ne(deployments.id, exceptId),
        ),
      ),
  );
  return row;
}
