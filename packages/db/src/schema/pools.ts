import type { Gpu } from "@anneal/sizing/gpus/gpu";
import type { ClusterSnapshot, MemberPlacement, NodeSpec, TeamSpec } from "@anneal/sizing/placement/cluster-snapshot";
import type { PlacementRequest, WorkKind } from "@anneal/sizing/placement/placement-request";
import { bigint, index, integer, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { at, createdAt, id } from "./columns.ts";

/** The GPUs of a machine as programs are started on them, and as sizing counts each. */
export type NodeGpus = {
  /** By the scheduler's numbers, what CUDA_VISIBLE_DEVICES takes: UUIDs of GPUs or of MIG slices. */
  ids: string[];
  /** The catalogue's, or one of its own with the memory that the driver tells. */
  gpu: Gpu;
  /** A slice is used alone: CUDA shows a program one of them at most. */
  isSlice: boolean;
};

/** A machine as the scheduler sees it; the pool is the row that it stands in. */
export type PoolNode = Omit<NodeSpec, "pool"> & {
  /** Where somebody has looked: this machine's. The scheduler itself needs numbers only. */
  devices?: NodeGpus;
};

// Machines, quotas and what is placed where: shared by all workspaces, so nothing here is under row-level security.

export const pools = pgTable("pools", {
  id: id(),
  name: text().notNull().unique(),
  /** The work that it takes; null: every kind. */
  kinds: jsonb().$type<WorkKind[]>(),
  /** GPUs, in thousandths, that training never uses even when serving needs none of them now. */
  servingReserveGpuMilli: integer().notNull().default(0),
  nodes: jsonb().$type<PoolNode[]>().notNull(),
  createdAt: createdAt(),
});

/** Whose work counts against which quota. A workspace without a team of its own uses "default". */
export const teams = pgTable("teams", {
  name: text().primaryKey(),
  workspaceId: uuid(),
  spec: jsonb().$type<TeamSpec>().notNull(),
});

/** What the scheduler decided about a job or a replica, and since when. */
export const placements = pgTable(
  "placements",
  {
    /** "training:<id>" or "replica:<url>": asking again is the same request. */
    subject: text().primaryKey(),
    workspaceId: uuid(),
    status: text({ enum: ["waiting", "running", "refused", "ended"] }).notNull(),
    request: jsonb().$type<PlacementRequest>().notNull(),
    /** Where its members lie while it runs, and where they lay. */
    members: jsonb().$type<MemberPlacement[]>().notNull(),
    /** Why it is so, and what would change it, in words and numbers. */
    reason: text().notNull(),
    action: text(),
    /** What the sizing model said before, in bytes, beside what was measured after. */
    predictedBytes: bigint({ mode: "number" }).notNull(),
    breakdown: jsonb().$type<Record<string, number>>().notNull(),
    measuredBytes: bigint({ mode: "number" }),
    requestedAt: at().notNull(),
    startedAt: at(),
    endedAt: at(),
  },
  (table) => [index("placements_status").on(table.status)],
);

/** One row, locked for the length of each decision: two schedulers never see the same free GPU. */
export const scheduler = pgTable("scheduler", {
  id: integer().primaryKey(),
  /** The latest time that it has seen, Unix milliseconds; it never goes back. */
  nowMs: bigint({ mode: "number" }).notNull(),
  /** What was asked for so far, as the packing has learned it. */
  demand: jsonb().$type<ClusterSnapshot["demand"]>().notNull(),
});

/** How many replicas of a base model there should be. Whoever starts engines (this machine's stack, a cluster) makes it so. */
export const servingTargets = pgTable("serving_targets", {
  baseModel: text().primaryKey(),
  /** Manual: a person sets `desired`; automatic: the autoscaler does, within the bounds. */
  mode: text({ enum: ["manual", "automatic"] }).notNull(),
  desired: integer().notNull(),
  minReplicas: integer().notNull(),
  maxReplicas: integer().notNull(),
  /** Why it is as it is, in words, newest decision. */
  reasons: jsonb().$type<string[]>().notNull(),
  /** The controller's memory between two steps. */
  controller: jsonb().$type<unknown>(),
  decidedAt: at().notNull(),
});
