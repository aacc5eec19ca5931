import type { ErrorReport } from "@anneal/core/errors";
import type { TrainingSample } from "@anneal/core/train/trainer-events";
import { bigint, bigserial, index, integer, jsonb, pgTable, primaryKey, real, text, uuid } from "drizzle-orm/pg-core";
import { at, createdAt, id } from "./columns.ts";
import { workspaces } from "./access.ts";
import { datasetVersions } from "./dataset.ts";

export const trainingStatuses = ["queued", "running", "stopping", "stopped", "done", "failed"] as const;
export type TrainingStatus = (typeof trainingStatuses)[number];

export const trainingRuns = pgTable(
  "training_runs",
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    runId: uuid(),
    datasetVersionId: uuid()
      .notNull()
      .references(() => datasetVersions.id),
    baseModel: text().notNull(),
    /** Digest of base, dataset and configuration: an equal one need not be trained again. */
    inputDigest: text().notNull(),
    config: jsonb().$type<Record<string, unknown>>().notNull(),
    status: text({ enum: trainingStatuses }).notNull(),
    /** The admission decision with its numbers. */
    admission: jsonb().$type<Record<string, unknown>>(),
    /** What the trainer said when it started and when it finished. */
    started: jsonb().$type<Record<string, unknown>>(),
    result: jsonb().$type<Record<string, unknown>>(),
    adapterKey: text(),
    error: jsonb().$type<ErrorReport>(),
    createdAt: createdAt(),
    startedAt: at(),
    endedAt: at(),
  },
  (table) => [index("training_runs_workspace").on(table.workspaceId, table.createdAt)],
);

export const trainingMetrics = pgTable(
  "training_metrics",
  {
    trainingRunId: uuid()
      .notNull()
      .references(() => trainingRuns.id, { onDelete: "cascade" }),
    workspaceId: uuid().notNull(),
    step: integer().notNull(),
    at: at().notNull(),
    loss: real(),
    evalLoss: real(),
    learningRate: real(),
    gradNorm: real(),
    tokensPerSecond: real(),
    memoryBytes: bigint({ mode: "number" }),
    etaMs: integer(),
    checkpoint: text(),
  },
  (table) => [primaryKey({ columns: [table.trainingRunId, table.step] })],
);

/** What the weights answered to the same held-out questions at each evaluation. */
export const trainingSamples = pgTable(
  "training_samples",
  {
    trainingRunId: uuid()
      .notNull()
      .references(() => trainingRuns.id, { onDelete: "cascade" }),
    workspaceId: uuid().notNull(),
    step: integer().notNull(),
    samples: jsonb().$type<TrainingSample[]>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.trainingRunId, table.step] })],
);

export const trainingLog = pgTable(
  "training_log",
  {
    seq: bigserial({ mode: "number" }).primaryKey(),
    trainingRunId: uuid()
      .notNull()
      .references(() => trainingRuns.id, { onDelete: "cascade" }),
    workspaceId: uuid().notNull(),
    at: at().notNull(),
    level: text({ enum: ["info", "warning", "error"] }).notNull(),
    message: text().notNull(),
  },
  (table) => [index("training_log_run").on(table.trainingRunId, table.seq)],
);
