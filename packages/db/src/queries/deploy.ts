import type { DeployStepState } from "@anneal/core/deploy/contract";
import { withStep } from "@anneal/core/deploy/step-states";
import type { ErrorReport } from "@anneal/core/errors";
import { and, desc, eq, sql } from "drizzle-orm";
import { inWorkspace, requireRow, type Scope } from "../database.ts";
import { adapters, adapterVersions, aliasHistory, deployments } from "../schema.ts";
import { releaseServingName } from "./serving.ts";

export type AliasEntry = typeof aliasHistory.$inferSelect;
export type Deployment = typeof deployments.$inferSelect;

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
  await inWorkspace(scope, (tx) =>
    tx
      .insert(deployments)
      .values({ ...deployment, ...begun, workspaceId: scope.workspaceId })
      .onConflictDoUpdate({ target: deployments.id, set: begun }),
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

/** Whether any alias of the workspace still points at this serving name. */
export async function isServingNameUsed(scope: Scope, servingName: string): Promise<boolean> {
  const current = await listCurrentAliases(scope);
  return current.some((entry) => entry.servingName === servingName);
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
 * given back unless an alias points at it. False when it had ended.
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
  const { servingName } = deployment;
  if (!(await isServingNameUsed(scope, servingName))) await releaseServingName(scope.db, servingName);
  return true;
}
