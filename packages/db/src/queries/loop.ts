import type { ErrorReport } from "@anneal/core/errors";
import { stages, type Drop, type LoopReport, type Progress, type Stage } from "@anneal/core/loop/contract";
import { and, asc, desc, eq, inArray, sql } from "drizzle-orm";
import { inWorkspace, requireRow, type Scope } from "../database.ts";
import { runDrops, runs, runStages, type RunOutputs } from "../schema.ts";

export type Run = typeof runs.$inferSelect;
export type RunStage = typeof runStages.$inferSelect;

/** Stages before `fromStage` are skipped; `outputs` has what they would have made. */
export async function createRun(
  scope: Scope,
  {
    fromStage = "connect",
    ...run
  }: {
    id: string;
    workflowId: string;
    startedBy: string;
    settings: Record<string, unknown>;
    fromStage?: Stage;
    outputs?: RunOutputs;
  },
): Promise<void> {
  const first = stages.indexOf(fromStage);
  await inWorkspace(scope, async (tx) => {
    await tx
      .insert(runs)
      .values({ ...run, workspaceId: scope.workspaceId, status: "waiting" })
      .onConflictDoNothing();
    await tx
      .insert(runStages)
      .values(
        stages.map((stage, index) => ({
          runId: run.id,
          workspaceId: scope.workspaceId,
          stage,
          status: index < first ? ("skipped" as const) : ("waiting" as const),
        })),
      )
      .onConflictDoNothing();
  });
}

/** Marks the run as running again from `fromStage` on; what came before keeps its result. */
export async function reopenRun(scope: Scope, runId: string, workflowId: string, fromStage: Stage): Promise<void> {
  const again = stages.slice(stages.indexOf(fromStage));
  await inWorkspace(scope, async (tx) => {
    await tx.update(runs).set({ workflowId, status: "waiting", error: null, endedAt: null }).where(eq(runs.id, runId));
    await tx
      .update(runStages)
      .set({ status: "waiting", startedAt: null, endedAt: null, progress: null, error: null, note: null })
      .where(and(eq(runStages.runId, runId), inArray(runStages.stage, again)));
  });
}

export async function setRunStatus(
  scope: Scope,
  runId: string,
  change:
    | { status: "running" }
    | { status: "done"; report: Omit<LoopReport, "answers"> }
    | { status: "failed"; error: ErrorReport & { stage: string } }
    | { status: "cancelled" },
): Promise<void> {
  const endedAt = change.status === "running" ? null : new Date();
  await inWorkspace(scope, (tx) =>
    tx
      .update(runs)
      .set({ ...change, endedAt })
      .where(eq(runs.id, runId)),
  );
}

export async function addRunOutputs(scope: Scope, runId: string, outputs: RunOutputs): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .update(runs)
      .set({ outputs: sql`${runs.outputs} || ${JSON.stringify(outputs)}::jsonb` })
      .where(and(eq(runs.id, runId), eq(runs.workspaceId, scope.workspaceId))),
  );
}

/** Starts the stage anew: counts and drops of an earlier attempt are gone, so that a retry counts nothing twice. */
export async function beginStage(scope: Scope, runId: string, stage: Stage): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    await tx.delete(runDrops).where(and(eq(runDrops.runId, runId), eq(runDrops.stage, stage)));
    await tx
      .update(runStages)
      .set({
        status: "running",
        startedAt: new Date(),
        endedAt: null,
        inCount: 0,
        outCount: 0,
        droppedCount: 0,
        progress: null,
        error: null,
        note: null,
      })
      .where(and(eq(runStages.runId, runId), eq(runStages.stage, stage)));
  });
}

export async function setStageProgress(scope: Scope, runId: string, stage: Stage, progress: Progress): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .update(runStages)
      .set({ progress })
      .where(and(eq(runStages.runId, runId), eq(runStages.stage, stage), eq(runStages.status, "running"))),
  );
}

export async function addDrops(
  scope: Scope,
  runId: string,
  stage: Stage,
  drops: (Drop & { documentId?: string })[],
): Promise<void> {
  if (drops.length === 0) return;
  await inWorkspace(scope, async (tx) => {
    for (let start = 0; start < drops.length; start += 500) {
      const page = drops.slice(start, start + 500);
      await tx.insert(runDrops).values(page.map((drop) => ({ ...drop, runId, stage, workspaceId: scope.workspaceId })));
    }
  });
}

export async function endStage(
  scope: Scope,
  runId: string,
  stage: Stage,
  end:
    | { status: "done"; inCount: number; outCount: number; note: string | null }
    | { status: "failed"; error: ErrorReport }
    | { status: "cancelled" | "skipped" },
): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    const [dropped] = await tx
      .select({ count: sql<number>`count(*)::int` })
      .from(runDrops)
      .where(and(eq(runDrops.runId, runId), eq(runDrops.stage, stage)));
    await tx
      .update(runStages)
      .set({ ...end, endedAt: new Date(), droppedCount: dropped?.count ?? 0 })
      .where(and(eq(runStages.runId, runId), eq(runStages.stage, stage)));
  });
}

export async function getRun(scope: Scope, runId: string): Promise<Run & { stages: RunStage[] }> {
  return inWorkspace(scope, async (tx) => {
    const [run] = await tx
      .select()
      .from(runs)
      .where(and(eq(runs.id, runId), eq(runs.workspaceId, scope.workspaceId)));
    const rows = await tx.select().from(runStages).where(eq(runStages.runId, runId));
    const ordered = rows.sort((left, right) => stages.indexOf(left.stage) - stages.indexOf(right.stage));
    return { ...requireRow(run, "run", runId), stages: ordered };
  });
}

export async function listRuns(scope: Scope, limit = 50): Promise<(Run & { stages: RunStage[] })[]> {
  return inWorkspace(scope, async (tx) => {
    const rows = await tx
      .select()
      .from(runs)
      .where(eq(runs.workspaceId, scope.workspaceId))
      .orderBy(desc(runs.createdAt))
      .limit(limit);
    if (rows.length === 0) return [];
    const stageRows = await tx
      .select()
      .from(runStages)
      .where(
        inArray(
          runStages.runId,
          rows.map((run) => run.id),
        ),
      );
    return rows.map((run) => ({
      ...run,
      stages: stageRows
        .filter((row) => row.runId === run.id)
        .sort((left, right) => stages.indexOf(left.stage) - stages.indexOf(right.stage)),
    }));
  });
}

export async function listDrops(
  scope: Scope,
  runId: string,
  options: { stage?: Stage; limit: number; offset: number },
): Promise<{ rows: (typeof runDrops.$inferSelect)[]; total: number }> {
  const where = and(
    eq(runDrops.runId, runId),
    eq(runDrops.workspaceId, scope.workspaceId),
    options.stage === undefined ? undefined : eq(runDrops.stage, options.stage),
  );
  return inWorkspace(scope, async (tx) => {
    const rows = await tx
      .select()
      .from(runDrops)
      .where(where)
      .orderBy(asc(runDrops.seq))
      .limit(options.limit)
      .offset(options.offset);
    const [count] = await tx
      .select({ total: sql<number>`count(*)::int` })
      .from(runDrops)
      .where(where);
    return { rows, total: count?.total ?? 0 };
  });
}
