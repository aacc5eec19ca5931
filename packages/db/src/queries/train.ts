import type { ErrorReport } from "@anneal/core/errors";
import type { TrainingSample } from "@anneal/core/train/trainer-events";
import { and, asc, desc, eq, gt, inArray, isNotNull, sql, type SQL } from "drizzle-orm";
import { inWorkspace, requireRow, type Scope } from "../database.ts";
import {
  datasetVersions,
  trainingLog,
  trainingMetrics,
  trainingRuns,
  trainingSamples,
  type TrainingStatus,
} from "../schema.ts";

export type TrainingRun = typeof trainingRuns.$inferSelect;
export type TrainingMetric = typeof trainingMetrics.$inferSelect;

export async function createTrainingRun(
  scope: Scope,
  run: {
    id: string;
    runId: string | null;
    datasetVersionId: string;
    baseModel: string;
    inputDigest: string;
    config: Record<string, unknown>;
  },
): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .insert(trainingRuns)
      .values({ ...run, workspaceId: scope.workspaceId, status: "queued" })
      .onConflictDoNothing(),
  );
}

/** A finished run of the same base, dataset and configuration, whose adapter can be used as it is. */
export async function findFinishedTraining(scope: Scope, inputDigest: string): Promise<TrainingRun | undefined> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(trainingRuns)
      .where(
        and(
          eq(trainingRuns.workspaceId, scope.workspaceId),
          eq(trainingRuns.inputDigest, inputDigest),
          eq(trainingRuns.status, "done"),
        ),
      )
      .orderBy(desc(trainingRuns.createdAt))
      .limit(1),
  );
  return row;
}

export async function updateTrainingRun(
  scope: Scope,
  trainingRunId: string,
  changes: Partial<Pick<TrainingRun, "admission" | "started" | "result" | "adapterKey" | "startedAt" | "endedAt">> & {
    status?: TrainingStatus;
    error?: ErrorReport | null;
  },
): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .update(trainingRuns)
      .set(changes)
      .where(and(eq(trainingRuns.id, trainingRunId), eq(trainingRuns.workspaceId, scope.workspaceId))),
  );
}

export async function getTrainingRun(scope: Scope, trainingRunId: string) {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select({
        run: trainingRuns,
        datasetName: datasetVersions.name,
        datasetVersion: datasetVersions.version,
        datasetDigest: datasetVersions.digest,
      })
      .from(trainingRuns)
      .innerJoin(datasetVersions, eq(datasetVersions.id, trainingRuns.datasetVersionId))
      .where(and(eq(trainingRuns.id, trainingRunId), eq(trainingRuns.workspaceId, scope.workspaceId))),
  );
  const { run, ...dataset } = requireRow(row, "training run", trainingRunId);
  return { ...run, ...dataset };
}

export async function listTrainingRuns(scope: Scope, limit = 100) {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .select({
        run: trainingRuns,
        datasetName: datasetVersions.name,
        datasetVersion: datasetVersions.version,
        lastStep: sql<
          number | null
        >`(select max(step) from ${trainingMetrics} where ${trainingMetrics.trainingRunId} = ${trainingRuns.id})`,
      })
      .from(trainingRuns)
      .innerJoin(datasetVersions, eq(datasetVersions.id, trainingRuns.datasetVersionId))
      .where(eq(trainingRuns.workspaceId, scope.workspaceId))
      .orderBy(desc(trainingRuns.createdAt))
      .limit(limit),
  );
  return rows.map(({ run, ...rest }) => ({ ...run, ...rest }));
}

/** Merges what is known of a step: training and evaluation report the same step apart. */
export async function saveTrainingMetric(
  scope: Scope,
  trainingRunId: string,
  metric: { step: number; at: Date } & Partial<Omit<TrainingMetric, "trainingRunId" | "workspaceId" | "step" | "at">>,
): Promise<void> {
  const { step, ...columns } = metric;
  await inWorkspace(scope, (tx) =>
    tx
      .insert(trainingMetrics)
      .values({ ...metric, trainingRunId, workspaceId: scope.workspaceId })
      .onConflictDoUpdate({ target: [trainingMetrics.trainingRunId, trainingMetrics.step], set: columns }),
  );
}

export async function listTrainingMetrics(
  scope: Scope,
  trainingRunId: string,
  afterStep = -1,
): Promise<TrainingMetric[]> {
  return inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(trainingMetrics)
      .where(and(eq(trainingMetrics.trainingRunId, trainingRunId), gt(trainingMetrics.step, afterStep)))
      .orderBy(asc(trainingMetrics.step)),
  );
}

/** A resumed training repeats a step with equal answers. */
export async function saveTrainingSamples(
  scope: Scope,
  trainingRunId: string,
  row: { step: number; samples: TrainingSample[] },
): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .insert(trainingSamples)
      .values({ ...row, trainingRunId, workspaceId: scope.workspaceId })
      .onConflictDoUpdate({
        target: [trainingSamples.trainingRunId, trainingSamples.step],
        set: { samples: row.samples },
      }),
  );
}

export async function listTrainingSamples(scope: Scope, trainingRunId: string) {
  return inWorkspace(scope, (tx) =>
    tx
      .select({ step: trainingSamples.step, samples: trainingSamples.samples })
      .from(trainingSamples)
      .where(and(eq(trainingSamples.trainingRunId, trainingRunId), eq(trainingSamples.workspaceId, scope.workspaceId)))
      .orderBy(asc(trainingSamples.step)),
  );
}

export async function addTrainingLog(
  scope: Scope,
  trainingRunId: string,
  line: { at: Date; level: "info" | "warning" | "error"; message: string },
): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx.insert(trainingLog).values({ ...line, trainingRunId, workspaceId: scope.workspaceId }),
  );
}

export async function listTrainingLog(scope: Scope, trainingRunId: string, limit = 500) {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(trainingLog)
      .where(and(eq(trainingLog.trainingRunId, trainingRunId), eq(trainingLog.workspaceId, scope.workspaceId)))
      .orderBy(desc(trainingLog.seq))
      .limit(limit),
  );
  return rows.reverse();
}

export type LatestMetrics = Pick<TrainingMetric, "step" | "evalLoss" | "tokensPerSecond" | "etaMs"> & {
  /** The losses of the first and of the newest steps, at most ten each, by step. */
  firstLosses: number[];
  newestLosses: number[];
};

/** The newest figures of each run, for runs that have no result yet. */
export async function listLatestMetrics(scope: Scope, trainingRunIds: string[]): Promise<Map<string, LatestMetrics>> {
  if (trainingRunIds.length === 0) return new Map();
  const ofRuns = inArray(trainingMetrics.trainingRunId, trainingRunIds);
  const tenLosses = (order: SQL) => sql<number[]>`(
    select array_agg(ten.loss order by ten.step)
    from (
      select loss, step from training_metrics as own
      where own.training_run_id = ${trainingMetrics}.training_run_id and own.loss is not null
      order by own.step ${order} limit 10
    ) as ten
  )`;
  const { trainingRunId, step, tokensPerSecond, etaMs } = trainingMetrics;
  const [steps, evaluations] = await inWorkspace(scope, async (tx) => [
    await tx
      .selectDistinctOn([trainingRunId], {
        trainingRunId,
        step,
        tokensPerSecond,
        etaMs,
        firstLosses: tenLosses(sql`asc`),
        newestLosses: tenLosses(sql`desc`),
      })
      .from(trainingMetrics)
      .where(and(ofRuns, isNotNull(trainingMetrics.loss)))
      .orderBy(trainingRunId, desc(step)),
    await tx
      .selectDistinctOn([trainingRunId], { trainingRunId, evalLoss: trainingMetrics.evalLoss })
      .from(trainingMetrics)
      .where(and(ofRuns, isNotNull(trainingMetrics.evalLoss)))
      .orderBy(trainingRunId, desc(step)),
  ]);
  const evalLossOf = new Map(evaluations.map((row) => [row.trainingRunId, row.evalLoss]));
  return new Map(
    steps.map(({ trainingRunId: id, ...newest }) => [id, { ...newest, evalLoss: evalLossOf.get(id) ?? null }]),
  );
}

/** Asks the worker to end a running training at a checkpoint. False when it is not running. */
export async function requestTrainingStop(scope: Scope, trainingRunId: string): Promise<boolean> {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .update(trainingRuns)
      .set({ status: "stopping" })
      .where(
        and(
          eq(trainingRuns.id, trainingRunId),
          eq(trainingRuns.workspaceId, scope.workspaceId),
          eq(trainingRuns.status, "running"),
        ),
      )
      .returning({ id: trainingRuns.id }),
  );
  return rows.length > 0;
}
