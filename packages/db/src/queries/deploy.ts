import type { DeployStepState } from "@anneal/core/deploy/contract";
import { withStep } from "@anneal/core/deploy/step-states";
import { AnnealError, type ErrorReport } from "@anneal/core/errors";
import { and, desc, eq, sql } from "drizzle-orm";
import { inWorkspace, requireRow, type Database, type Scope, type Transaction } from "../database.ts";
import { adapters, adapterVersions, aliasHistory, deployments } from "../schema.ts";
import { listWorkspaces } from "./access.ts";
import { listAdapterVersions } from "./register.ts";
import { releaseServingName, type ServedName } from "./serving.ts";

export type AliasEntry = typeof aliasHistory.$inferSelect;
export type Deployment = typeof deployments.$inferSelect;

/** Where every alias of the workspace points now, and which dataset that version learned from. */
export async function listCurrentAliases(
  scope: Scope,
): Promise<(AliasEntry & { adapterName: string; datasetVersionId: string | null })[]> {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .selectDistinctOn([aliasHistory.adapterId, aliasHistory.alias], {
        entry: aliasHistory,
        adapterName: adapters.name,
        datasetVersionId: sql<string | null>`${adapterVersions.lineage}->>'datasetVersionId'`,
      })
      .from(aliasHistory)
      .innerJoin(adapters, eq(adapters.id, aliasHistory.adapterId))
      .leftJoin(adapterVersions, eq(adapterVersions.id, aliasHistory.adapterVersionId))
      .where(eq(aliasHistory.workspaceId, scope.workspaceId))
      .orderBy(aliasHistory.adapterId, aliasHistory.alias, desc(aliasHistory.seq)),
  );
  return rows.map(({ entry, ...facts }) => ({ ...entry, ...facts }));
}

/** Where the aliases of all workspaces point: what every engine should hold, whatever the ledger of a lost one said. */
export async function listServedNames(db: Database): Promise<ServedName[]> {
  const names = new Map<string, ServedName>();
  for (const { id: workspaceId } of await listWorkspaces(db)) {
    const scope = { db, workspaceId };
    const prefixes = new Map(
      (await listAdapterVersions(scope)).map(({ version }) => [version.id, version.objectPrefix]),
    );
    for (const { servingName, adapterVersionId } of await listCurrentAliases(scope)) {
      const objectPrefix = prefixes.get(adapterVersionId);
      if (objectPrefix !== undefined) names.set(servingName, { servingName, objectPrefix, workspaceId });
    }
  }
  return [...names.values()];
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

/**
 * Points the alias at a version; returns the routing epoch and what was served before. Idempotent by deployment while
 * the alias still points where it put it: a retry after somebody rolled it back flips again.
 * @throws AnnealError CONFLICT when the deployment has ended: it may not undo what came after it
 */
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
    if (history[0]?.deploymentId === flip.deploymentId) {
      return { epoch: history[0].seq, previousServingName: history[1]?.servingName ?? null };
    }
    const [deployment] = await tx
      .select({ status: deployments.status })
      .from(deployments)
      .where(eq(deployments.id, flip.deploymentId))
      .for("share");
    if (deployment?.status !== "running") {
      throw new AnnealError("CONFLICT", "This deployment has ended; it may not move the alias any more.", {
        action: "Deploy the version again.",
      });
    }
    const [row] = await tx
      .insert(aliasHistory)
      .values({ ...flip, workspaceId: scope.workspaceId })
      .returning({ seq: aliasHistory.seq });
    return { epoch: row!.seq, previousServingName: history[0]?.servingName ?? null };
  });
}

/** A retry of the same deployment begins it anew. */
export async function createDeployment(
  scope: Scope,
  deployment: {
    id: string;
    adapterVersionId: string;
    workflowId: string;
    alias: string;
    servingName: string;
    by: string;
  },
): Promise<void> {
  const begun = {
    workflowId: deployment.workflowId,
    status: "running" as const,
    steps: [],
    error: null,
    endedAt: null,
  };
  await inWorkspace(scope, async (tx) => {
    await lockServingName(tx, deployment.servingName);
    await tx
      .insert(deployments)
      .values({ ...deployment, ...begun, workspaceId: scope.workspaceId })
      .onConflictDoUpdate({ target: deployments.id, set: begun });
  });
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

/** What one step does now; all that is known of the others stays. Nothing once the deployment has ended. */
export async function recordDeployStep(scope: Scope, deploymentId: string, state: DeployStepState): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    const running = and(
      eq(deployments.id, deploymentId),
      eq(deployments.workspaceId, scope.workspaceId),
      eq(deployments.status, "running"),
    );
    const [row] = await tx.select({ steps: deployments.steps }).from(deployments).where(running).for("update");
    if (!row) return;
    await tx
      .update(deployments)
      .set({ steps: withStep(row.steps, state) })
      .where(running);
  });
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

/** Whether an alias points at this serving name or a running deployment brings it, in any workspace. */
export async function isServingNameUsed(scope: Scope, servingName: string): Promise<boolean> {
  return inWorkspace(scope, (tx) => isUsed(tx, servingName));
}

/** Gives the name back, so that no engine keeps it, unless something uses it. False when something does. */
export async function releaseUnusedServingName(scope: Scope, servingName: string): Promise<boolean> {
  return inWorkspace(scope, async (tx) => {
    await lockServingName(tx, servingName);
    if (await isUsed(tx, servingName)) return false;
    await releaseServingName(tx, servingName);
    return true;
  });
}

/** Until the transaction ends, no deployment of this name begins and nobody gives it back. */
async function lockServingName(tx: Transaction, servingName: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`serving:${servingName}`}, 0))`);
}

async function isUsed(tx: Transaction, servingName: string): Promise<boolean> {
  const { rows } = await tx.execute<{ used: boolean }>(sql`select serving_name_in_use(${servingName}) as used`);
  return rows[0]!.used;
}

/** Deployments to this alias that have not ended: two at once would race. */
export async function listRunningDeployments(scope: Scope, adapterId: string, alias: string): Promise<Deployment[]> {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .select({ deployment: deployments })
      .from(deployments)
      .innerJoin(adapterVersions, eq(adapterVersions.id, deployments.adapterVersionId))
      .where(
        and(
          eq(deployments.workspaceId, scope.workspaceId),
          eq(adapterVersions.adapterId, adapterId),
          eq(deployments.alias, alias),
          eq(deployments.status, "running"),
        ),
      ),
  );
  return rows.map(({ deployment }) => deployment);
}

/**
 * Ends a deployment that nobody works on any more; one that has ended meanwhile keeps its end. What it had loaded is
 * given back unless something else uses it. False when it had ended.
 */
export async function abandonDeployment(scope: Scope, deployment: Deployment, error: ErrorReport): Promise<boolean> {
  const ended = await inWorkspace(scope, (tx) =>
    tx
      .update(deployments)
      .set({ status: "failed", error, endedAt: new Date() })
      .where(and(eq(deployments.id, deployment.id), eq(deployments.status, "running")))
      .returning({ id: deployments.id }),
  );
  if (ended.length === 0) return false;
  await releaseUnusedServingName(scope, deployment.servingName);
  return true;
}
