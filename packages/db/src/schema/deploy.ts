import type { DeployStepState } from "@anneal/core/deploy/contract";
import type { ErrorReport } from "@anneal/core/errors";
import type { ServingProfile } from "@anneal/sizing/autoscale/controller-settings";
import {
  bigint,
  bigserial,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { at, createdAt, id } from "./columns.ts";
import { workspaces } from "./access.ts";

export const adapters = pgTable(
  "adapters",
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    name: text().notNull(),
    baseModel: text().notNull(),
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex("adapters_name").on(table.workspaceId, table.name)],
);

/** What an adapter version came from: enough to make it again and to answer "which documents taught it this". */
export type Lineage = {
  baseModel: string;
  baseDigest: string;
  datasetVersionId: string;
  datasetDigest: string;
  trainingRunId: string;
  config: Record<string, unknown>;
};

export const adapterVersions = pgTable(
  "adapter_versions",
  {
    id: id(),
    workspaceId: uuid().notNull(),
    adapterId: uuid()
      .notNull()
      .references(() => adapters.id, { onDelete: "cascade" }),
    version: integer().notNull(),
    /** SHA-256 over the safetensors and the adapter's configuration. */
    digest: text().notNull(),
    objectPrefix: text().notNull(),
    rank: integer().notNull(),
    sizeBytes: bigint({ mode: "number" }).notNull(),
    lineage: jsonb().$type<Lineage>().notNull(),
    metrics: jsonb().$type<Record<string, unknown>>().notNull(),
    card: text().notNull(),
    createdAt: createdAt(),
  },
  (table) => [
    uniqueIndex("adapter_versions_number").on(table.adapterId, table.version),
    uniqueIndex("adapter_versions_digest").on(table.adapterId, table.digest),
  ],
);

/** Append-only: the newest row of (adapter, alias) is where the alias points. */
export const aliasHistory = pgTable(
  "alias_history",
  {
    /** Also the routing epoch: a gateway that has seen it routes by it. */
    seq: bigserial({ mode: "number" }).primaryKey(),
    workspaceId: uuid().notNull(),
    adapterId: uuid()
      .notNull()
      .references(() => adapters.id, { onDelete: "cascade" }),
    alias: text().notNull(),
    adapterVersionId: uuid().notNull(),
    servingName: text().notNull(),
    deploymentId: uuid().notNull(),
    by: text().notNull(),
    at: createdAt(),
  },
  (table) => [index("alias_history_alias").on(table.adapterId, table.alias, table.seq)],
);

export const deployments = pgTable(
  "deployments",
  {
    id: id(),
    workspaceId: uuid().notNull(),
    adapterVersionId: uuid()
      .notNull()
      .references(() => adapterVersions.id, { onDelete: "cascade" }),
    /** Who works on it: when that workflow has ended without a word here, the deployment is dead. */
    workflowId: text(),
    alias: text().notNull(),
    servingName: text().notNull(),
    status: text({ enum: ["running", "done", "failed"] }).notNull(),
    /** load, probe, flip, drain, unload: each with its time and, per replica, what happened. */
    steps: jsonb().$type<DeployStepState[]>().notNull(),
    swapMs: integer(),
    replicaCount: integer(),
    error: jsonb().$type<ErrorReport>(),
    by: text().notNull(),
    createdAt: createdAt(),
    endedAt: at(),
  },
  (table) => [index("deployments_workspace").on(table.workspaceId, table.createdAt)],
);

/** Inference engines. Shared by all workspaces. */
export const replicas = pgTable("replicas", {
  id: id(),
  url: text().notNull().unique(),
  baseModel: text().notNull(),
  /** Draining: no gateway sends it anything new; drained: nothing runs on it any more, and who started it may end it. */
  status: text({ enum: ["starting", "ready", "down", "draining", "drained"] }).notNull(),
  /** When it began to drain. */
  drainingSince: at(),
  /** The platform started it and ends it as its serving target says; others come from ANNEAL_INFERENCE_URLS. */
  managed: boolean().notNull().default(false),
  /** Told apart by the engine's start, so that a restarted replica is known to be empty. */
  engineStartedAt: at(),
  maxLoraRank: integer(),
  maxLoras: integer(),
  /** What it can do, by measurement or by the sizing model; null when neither knows its hardware. */
  servingProfile: jsonb().$type<ServingProfile>(),
  checkedAt: at(),
  error: text(),
});

/** Our own ledger of what each replica holds: the engine's metrics show activity, not residency. */
export const residencies = pgTable(
  "residencies",
  {
    replicaId: uuid()
      .notNull()
      .references(() => replicas.id, { onDelete: "cascade" }),
    servingName: text().notNull(),
    objectPrefix: text().notNull(),
    workspaceId: uuid().notNull(),
    desired: text({ enum: ["resident", "absent"] }).notNull(),
    observed: text({ enum: ["loading", "resident", "absent", "failed"] }).notNull(),
    error: text(),
    updatedAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.replicaId, table.servingName] })],
);

/** One row per running gateway process: which alias epoch it routes by and what it still has in flight. */
export const gateways = pgTable("gateways", {
  id: uuid().primaryKey(),
  epoch: bigint({ mode: "number" }).notNull(),
  inFlight: jsonb().$type<Record<string, number>>().notNull(),
  seenAt: at().notNull(),
});
