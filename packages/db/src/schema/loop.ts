import type { ErrorReport } from "@anneal/core/errors";
import { stageStatuses, stages, type Progress, type RunSummary } from "@anneal/core/loop/contract";
import type { RunPurpose } from "@anneal/core/loop/settings";
import { bigserial, index, integer, jsonb, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { at, createdAt, id } from "./columns.ts";
import { workspaces } from "./access.ts";

export const runStatuses = ["waiting", "running", "done", "failed", "cancelled"] as const;
export type RunStatus = (typeof runStatuses)[number];

export type RunOutputs = {
  datasetVersionId?: string;
  trainingRunId?: string;
  adapterVersionId?: string;
  deploymentId?: string;
  collectionId?: string;
  assistantId?: string;
};

/** One trip round the loop. */
export const runs = pgTable(
  "runs",
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    workflowId: text().notNull(),
    /** Who or what asked for it: a user's e-mail, "schedule". */
    startedBy: text().notNull(),
    settings: jsonb().$type<Record<string, unknown> & { purpose?: RunPurpose }>().notNull(),
    status: text({ enum: runStatuses }).notNull(),
    error: jsonb().$type<ErrorReport & { stage: string }>(),
    /** What the stages made, by id: the later ones, and a retry, find it here. */
    outputs: jsonb().$type<RunOutputs>().notNull().default({}),
    report: jsonb().$type<RunSummary>(),
    createdAt: createdAt(),
    endedAt: at(),
  },
  (table) => [index("runs_workspace").on(table.workspaceId, table.createdAt)],
);

export const runStages = pgTable(
  "run_stages",
  {
    runId: uuid()
      .notNull()
      .references(() => runs.id, { onDelete: "cascade" }),
    workspaceId: uuid().notNull(),
    stage: text({ enum: stages }).notNull(),
    status: text({ enum: stageStatuses }).notNull(),
    startedAt: at(),
    endedAt: at(),
    inCount: integer().notNull().default(0),
    outCount: integer().notNull().default(0),
    droppedCount: integer().notNull().default(0),
    progress: jsonb().$type<Progress>(),
    /** What the stage has to say when done, for example "nothing changed". */
    note: text(),
    error: jsonb().$type<ErrorReport>(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.stage] })],
);

export const runDrops = pgTable(
  "run_drops",
  {
    seq: bigserial({ mode: "number" }).primaryKey(),
    runId: uuid()
      .notNull()
      .references(() => runs.id, { onDelete: "cascade" }),
    workspaceId: uuid().notNull(),
    stage: text({ enum: stages }).notNull(),
    ref: text().notNull(),
    documentId: uuid(),
    code: text().notNull(),
    reason: text().notNull(),
  },
  (table) => [index("run_drops_run").on(table.runId, table.stage)],
);
