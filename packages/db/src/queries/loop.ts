import type { Principal } from "@anneal/core/access/acl";
import type { ErrorReport } from "@anneal/core/errors";
import {
  stages,
  stagesOf,
  stagesOfDocuments,
  type Drop,
  type Progress,
  type RunSummary,
  type Stage,
} from "@anneal/core/loop/contract";
import type { RunPurpose } from "@anneal/core/loop/settings";
import { holdsDocuments, mayNotBegin, mayNotGoOn, purposeOf } from "@anneal/core/loop/turns";
import { and, asc, desc, eq, getTableColumns, inArray, isNull, ne, or, sql, type SQL } from "drizzle-orm";
import { inWorkspace, requireRow, type Scope, type Transaction } from "../database.ts";
import { documents, runDrops, runs, runStages, sources, type RunOutputs, type RunStatus } from "../schema.ts";
import { readableBy } from "./documents.ts";

export type Run = typeof runs.$inferSelect;
export type RunStage = typeof runStages.$inferSelect;
export type RunWithStages = Run & { stages: RunStage[] };

const isRun = (scope: Scope, runId: string) => and(eq(runs.id, runId), eq(runs.workspaceId, scope.workspaceId));
const isStageOf = (scope: Scope, runId: string) =>
  and(eq(runStages.runId, runId), eq(runStages.workspaceId, scope.workspaceId));
const dropsOf = (scope: Scope, runId: string) =>
  and(eq(runDrops.runId, runId), eq(runDrops.workspaceId, scope.workspaceId));

type NewRun = {
  id: string;
  workflowId: string;
  startedBy: string;
  /** Each stage that they name has a row. */
  settings: Record<string, unknown> & { purpose?: RunPurpose };
  /** Stages before it are skipped; `outputs` has what they would have made. */
  fromStage?: Stage;
  outputs?: RunOutputs;
};

export async function createRun(scope: Scope, run: NewRun): Promise<void> {
  await inWorkspace(scope, (tx) => insertRun(tx, scope, run));
}

/** @returns null when the run was made, else the one that is for the same, has not ended, and is in its way */
export async function createOnlyRun(scope: Scope, run: NewRun): Promise<Run | null> {
  return inWorkspace(scope, async (tx) => {
    const others = await lockOtherRuns(tx, scope, run.id, ["waiting", "running"]);
    const other = others.find(({ settings }) => purposeOf(settings) === purposeOf(run.settings)) ?? null;
    if (other === null) await insertRun(tx, scope, run);
    return other;
  });
}

async function insertRun(tx: Transaction, scope: Scope, { fromStage = "connect", ...run }: NewRun): Promise<void> {
  const wanted = new Set(stagesOf(run.settings, fromStage));
  await tx
    .insert(runs)
    .values({ ...run, workspaceId: scope.workspaceId, status: "waiting" })
    .onConflictDoNothing();
  await tx
    .insert(runStages)
    .values(
      stagesOf(run.settings).map((stage) => ({
        runId: run.id,
        workspaceId: scope.workspaceId,
        stage,
        status: wanted.has(stage) ? ("waiting" as const) : ("skipped" as const),
      })),
    )
    .onConflictDoNothing();
}

/** The other runs of the workspace in one of these states. Until the transaction ends, nobody else finds or changes one. */
async function lockOtherRuns(
  tx: Transaction,
  scope: Scope,
  runId: string,
  statuses: RunStatus[],
): Promise<RunWithStages[]> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`runs:${scope.workspaceId}`}, 0))`);
  return selectRuns(
    tx,
    and(eq(runs.workspaceId, scope.workspaceId), ne(runs.id, runId), inArray(runs.status, statuses)),
  );
}

/** @returns null when the run now runs, else the one that it has to wait for: see `turns.ts` */
export async function claimRunning(scope: Scope, runId: string): Promise<Run | null> {
  return inWorkspace(scope, async (tx) => {
    const others = await lockOtherRuns(tx, scope, runId, ["running"]);
    const run = requireRow((await selectRuns(tx, isRun(scope, runId)))[0], "run", runId);
    const other = others.find((each) => mayNotBegin(run, each)) ?? null;
    if (other === null) await tx.update(runs).set({ status: "running", endedAt: null }).where(isRun(scope, runId));
    return other;
  });
}

/**
 * Marks the run as waiting to run again from `fromStage` on; what came before keeps its result.
 * @returns null when it was, else the run that is for the same, has not ended, and is in its way
 */
export async function reopenRun(
  scope: Scope,
  runId: string,
  workflowId: string,
  fromStage: Stage,
): Promise<Run | null> {
  const again = stages.slice(stages.indexOf(fromStage));
  return inWorkspace(scope, async (tx) => {
    const others = await lockOtherRuns(tx, scope, runId, ["waiting", "running"]);
    const run = requireRow((await selectRuns(tx, isRun(scope, runId)))[0], "run", runId);
    const other = others.find(({ settings }) => purposeOf(settings) === purposeOf(run.settings));
    if (other !== undefined) return other;
    await tx.update(runs).set({ workflowId, status: "waiting", error: null, endedAt: null }).where(isRun(scope, runId));
    await tx
      .update(runStages)
      .set({ status: "waiting", startedAt: null, endedAt: null, progress: null, error: null, note: null })
      .where(and(isStageOf(scope, runId), inArray(runStages.stage, again)));
    return null;
  });
}

export async function endRun(
  scope: Scope,
  runId: string,
  change:
    | { status: "done"; report: RunSummary }
    | { status: "failed"; error: ErrorReport & { stage: string } }
    | { status: "cancelled" },
): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .update(runs)
      .set({ ...change, endedAt: new Date() })
      .where(isRun(scope, runId)),
  );
}

export async function addRunOutputs(scope: Scope, runId: string, outputs: RunOutputs): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .update(runs)
      .set({ outputs: sql`${runs.outputs} || ${JSON.stringify(outputs)}::jsonb` })
      .where(isRun(scope, runId)),
  );
}

/**
 * Starts the stage anew: counts and drops of an earlier attempt are gone, so that a retry counts nothing twice.
 * @returns null when it was, else the run that it has to wait for: see `turns.ts`
 */
export async function beginStage(scope: Scope, runId: string, stage: Stage): Promise<Run | null> {
  return inWorkspace(scope, async (tx) => {
    const others = await lockOtherRuns(tx, scope, runId, ["running"]);
    const other = others.find((each) => stagesOfDocuments.has(stage) && holdsDocuments(each));
    if (other !== undefined) return other;
    await tx.delete(runDrops).where(and(dropsOf(scope, runId), eq(runDrops.stage, stage)));
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
      .where(and(isStageOf(scope, runId), eq(runStages.stage, stage)));
    return null;
  });
}

export async function setStageProgress(scope: Scope, runId: string, stage: Stage, progress: Progress): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .update(runStages)
      .set({ progress })
      .where(and(isStageOf(scope, runId), eq(runStages.stage, stage), eq(runStages.status, "running"))),
  );
}

/** What the stage left out, all of it: when an activity is tried again, nothing is counted twice. */
export async function replaceDrops(
  scope: Scope,
  runId: string,
  stage: Stage,
  drops: (Drop & { documentId?: string })[],
): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    // An attempt that was given up may still be writing: one after the other.
    const [row] = await tx
      .select({ stage: runStages.stage })
      .from(runStages)
      .where(and(isStageOf(scope, runId), eq(runStages.stage, stage)))
      .for("update");
    requireRow(row, "run", runId);
    await tx.delete(runDrops).where(and(dropsOf(scope, runId), eq(runDrops.stage, stage)));
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
      .where(and(dropsOf(scope, runId), eq(runDrops.stage, stage)));
    await tx
      .update(runStages)
      .set({ ...end, endedAt: new Date(), droppedCount: dropped?.count ?? 0 })
      .where(and(isStageOf(scope, runId), eq(runStages.stage, stage)));
  });
}

export async function getRun(scope: Scope, runId: string): Promise<RunWithStages> {
  return inWorkspace(scope, async (tx) => requireRow((await selectRuns(tx, isRun(scope, runId)))[0], "run", runId));
}

/** The one that this one waits for now, to begin or to index; undefined when it waits for none. */
export async function findRunAwaited(scope: Scope, run: RunWithStages): Promise<Run | undefined> {
  if (run.status !== "waiting" && run.status !== "running") return undefined;
  const mustWaitFor = run.status === "waiting" ? mayNotBegin : mayNotGoOn;
  return inWorkspace(scope, async (tx) => {
    const running = and(eq(runs.workspaceId, scope.workspaceId), ne(runs.id, run.id), eq(runs.status, "running"));
    return (await selectRuns(tx, running)).find((each) => mustWaitFor(run, each));
  });
}

export async function listRuns(scope: Scope, limit = 50): Promise<RunWithStages[]> {
  return inWorkspace(scope, (tx) => selectRuns(tx, eq(runs.workspaceId, scope.workspaceId), limit));
}

/** For each purpose the run that has not ended, else the last one; none where there never was any. */
export async function listLatestRuns(scope: Scope): Promise<RunWithStages[]> {
  const purpose = sql`coalesce(${runs.settings}->>'purpose', 'everything')`;
  return inWorkspace(scope, async (tx) => {
    const latest = tx
      .selectDistinctOn([purpose], { id: runs.id })
      .from(runs)
      .where(eq(runs.workspaceId, scope.workspaceId))
      // One that is older may have been started again.
      .orderBy(purpose, sql`${runs.status} in ('waiting', 'running') desc`, desc(runs.createdAt));
    return selectRuns(tx, inArray(runs.id, latest));
  });
}

/** The newest first, each with its stages in the loop's order. */
async function selectRuns(tx: Transaction, where: SQL | undefined, limit?: number): Promise<RunWithStages[]> {
  const query = tx.select().from(runs).where(where).orderBy(desc(runs.createdAt));
  const rows = await (limit === undefined ? query : query.limit(limit));
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
}

/**
 * What a run left out. With a `reader`, what that person may see: a drop names its document, and one of the dataset
 * stage holds words of it, which administrators too may only see when its ACL lets them.
 */
export async function listDrops(
  scope: Scope,
  runId: string,
  options: {
    stage?: Stage;
    limit: number;
    offset: number;
    reader?: { principals: Principal[]; administrator: boolean };
  },
): Promise<{
  rows: (typeof runDrops.$inferSelect & { documentTitle: string | null; sourceName: string | null })[];
  total: number;
}> {
  const { reader } = options;
  const where = and(
    dropsOf(scope, runId),
    options.stage === undefined ? undefined : eq(runDrops.stage, options.stage),
    reader === undefined
      ? undefined
      : or(
          // About no document: a line of the training file, by its number.
          isNull(runDrops.documentId),
          readableBy(reader.principals),
          reader.administrator ? ne(runDrops.stage, "dataset") : undefined,
        ),
  );
  return inWorkspace(scope, async (tx) => {
    const rows = await tx
      .select({ ...getTableColumns(runDrops), documentTitle: documents.title, sourceName: sources.name })
      .from(runDrops)
      .leftJoin(documents, eq(documents.id, runDrops.documentId))
      .leftJoin(sources, eq(sources.id, documents.sourceId))
      .where(where)
      .orderBy(asc(runDrops.seq))
      .limit(options.limit)
      .offset(options.offset);
    const [count] = await tx
      .select({ total: sql<number>`count(*)::int` })
      .from(runDrops)
      .leftJoin(documents, eq(documents.id, runDrops.documentId))
      .where(where);
    return { rows, total: count?.total ?? 0 };
  });
}
