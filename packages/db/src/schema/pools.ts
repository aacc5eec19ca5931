import { bigint, index, integer, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { at, createdAt, id } from "./columns.ts";

export type PoolNode = {
  name: string;
  cores: number;
  memoryBytes: number;
  gpus: { model: string; memoryBytes: number }[];
};

export const pools = pgTable("pools", {
  id: id(),
  name: text().notNull().unique(),
  profile: text({ enum: ["training", "serving", "embeddings", "mixed"] }).notNull(),
  nodes: jsonb().$type<PoolNode[]>().notNull(),
  createdAt: createdAt(),
});

export const allocations = pgTable(
  "allocations",
  {
    id: id(),
    poolId: uuid()
      .notNull()
      .references(() => pools.id, { onDelete: "cascade" }),
    workspaceId: uuid(),
    node: text().notNull(),
    /** "training:<id>" or "replica:<url>". */
    subject: text().notNull(),
    memoryBytes: bigint({ mode: "number" }).notNull(),
    /** What the sizing model said before, beside what was measured after. */
    measuredBytes: bigint({ mode: "number" }),
    explanation: jsonb().$type<Record<string, unknown>>().notNull(),
    createdAt: createdAt(),
    releasedAt: at(),
  },
  (table) => [
    index("allocations_pool").on(table.poolId, table.releasedAt),
    index("allocations_subject").on(table.subject),
  ],
);

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
