import { z } from "zod";
import { gangMemberSchema, invalidInput, placementRequestSchema, workKinds } from "./placement-request.ts";

const count = (least: number, most: number) => z.number().int().min(least).max(most);
const milliseconds = z.number().min(0).max(8.64e15);
const name = z.string().min(1).max(200);

const migProfileSchema = z.strictObject({
  /** As NVIDIA spells it, e.g. "3g.40gb". */
  name,
  memoryGib: z.number().min(0).max(1e6),
  /** Of the GPU's compute units, from 0 to 1. */
  computeShare: z.number().gt(0).max(1),
  /** How many of them one GPU holds. */
  perGpu: count(1, 8),
});

export const nodeSchema = z.strictObject({
  name,
  pool: name.default("default"),
  /** Null on a machine without GPUs. */
  gpuModel: z.string().min(1).nullable().default(null),
  gpus: count(0, 64).default(0),
  gpuMemoryGib: z.number().min(0).max(1e6).default(0),
  /** Nodes with the same name here share one NVLink domain (rack-scale systems); null: NVLink ends at the node. */
  nvlinkDomain: name.nullable().default(null),
  /** GPUs of the node that reach each other over NVLink: absent, all; 2 for bridged pairs; 1 where there is none. */
  nvlinkGpus: count(1, 64).optional(),
  /** Nodes behind the same rail switches; null: a rail group of its own. */
  railGroup: name.nullable().default(null),
  /** GPUs are numbered NUMA node by NUMA node, equally many in each. */
  numaNodes: count(1, 16).default(1),
  /** Empty: its GPUs are not partitioned. */
  migProfiles: z.array(migProfileSchema).default([]),
  cpuMilli: count(0, 1e9),
  memoryMib: count(0, 1e12),
  labels: z.record(z.string(), z.string()).default({}),
  costPerHour: z.number().min(0).max(1e9).default(0),
  /** Takes no new work; what runs there goes on. */
  cordoned: z.boolean().default(false),
  /** It no longer answers; quotas still count it, since it may come back. */
  lost: z.boolean().default(false),
});

const poolSchema = z.strictObject({
  name,
  /** The work that it takes. */
  kinds: z
    .array(z.enum(workKinds))
    .min(1)
    .default([...workKinds]),
  /** GPUs, in thousandths, that training and batch never use even when serving needs none of them now. */
  servingReserveGpuMilli: count(0, 1e12).default(0),
});

const budgetSchema = z.strictObject({
  unit: z.enum(["gpu-hours", "tokens"]),
  limit: z.number().min(0).max(1e18),
  /** In the period that ends at `renewsAtMs`; past it, nothing of the next period. */
  spent: z.number().min(0).max(1e18).default(0),
  renewsAtMs: milliseconds,
  periodMs: z.number().min(60_000).max(1e13),
});

export const teamSchema = z.strictObject({
  name,
  /** Its own share of the GPUs in thousandths; null: no limit. */
  nominalGpuMilli: count(0, 1e12).nullable().default(null),
  /** What it may use above that while others leave it idle; null: all of it. */
  borrowingLimitGpuMilli: count(0, 1e12).nullable().default(null),
  /** Of the fair share. */
  weight: z.number().gt(0).max(1e6).default(1),
  budgets: z.array(budgetSchema).default([]),
});

export const settingsSchema = z.strictObject({
  /** Waiting this long is worth one step of priority in the queue. */
  agingMs: z.number().min(1000).max(1e12).default(3_600_000),
  /** After waiting this long at the head of the queue, nodes are kept free for a request. */
  holdAfterMs: z.number().min(0).max(1e12).default(7_200_000),
});

const memberPlacementSchema = z.strictObject({
  /** Position in the request's gang. */
  member: count(0, 63),
  node: name,
  /** `milli` of the GPU with that number; with MIG, the instance's first memory slice. */
  gpus: z.array(z.strictObject({ index: count(0, 63), milli: count(1, 1000), slice: count(0, 7).optional() })),
});

export const bookingSchema = z.strictObject({
  request: placementRequestSchema,
  placements: z.array(memberPlacementSchema).min(1),
  startedAtMs: milliseconds,
  /** When it came into the queue; absent: when it started. */
  waitedSinceMs: milliseconds.optional(),
  /** Its priority with what it had gained by waiting when it started; absent: its priority. */
  standing: count(-1e9, 1e9).optional(),
});

export const clusterSnapshotSchema = z.strictObject({
  /** The latest time that the cluster has seen; it never goes back. */
  nowMs: milliseconds.default(0),
  nodes: z.array(nodeSchema).max(100_000),
  /** Pools that are not listed take every kind and reserve nothing. */
  pools: z.array(poolSchema).default([]),
  teams: z.array(teamSchema).max(100_000),
  bookings: z.array(bookingSchema).default([]),
  pending: z.array(z.strictObject({ request: placementRequestSchema, sinceMs: milliseconds })).default([]),
  /** Ids that ended lately, so that a repeated submission does not run twice. */
  finished: z.array(name).default([]),
  /** What was asked for so far, as the packing has learned it. */
  demand: z
    .array(
      z.strictObject({
        kind: z.enum(workKinds),
        member: gangMemberSchema,
        pools: z.array(name).optional(),
        count: z.number().gt(0),
        votes: z.number().min(0),
        weight: z.number().min(0),
      }),
    )
    .default([]),
  settings: settingsSchema.prefault({}),
});

export type MigProfile = z.infer<typeof migProfileSchema>;
export type NodeSpec = z.infer<typeof nodeSchema>;
export type PoolSpec = z.infer<typeof poolSchema>;
export type Budget = z.infer<typeof budgetSchema>;
export type TeamSpec = z.infer<typeof teamSchema>;
export type SchedulerSettings = z.infer<typeof settingsSchema>;
export type MemberPlacement = z.infer<typeof memberPlacementSchema>;
export type Booking = z.infer<typeof bookingSchema>;
export type ClusterSnapshot = z.infer<typeof clusterSnapshotSchema>;
/** What a person writes: everything with a default may be left out. */
export type ClusterInput = z.input<typeof clusterSnapshotSchema>;

/** @throws SizingError INVALID_REQUEST that names the field and what would be right */
export function parseClusterSnapshot(input: unknown): ClusterSnapshot {
  const { data, error } = clusterSnapshotSchema.safeParse(input);
  if (error) throw invalidInput("cluster", error);
  return data as ClusterSnapshot;
}
