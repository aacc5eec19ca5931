import { z } from "zod";
import { SizingError } from "../sizing-error.ts";

/** Where the members of a gang may lie apart, the tightest first. */
export const topologyLevels = ["nvlink", "node", "rail", "pool", "any"] as const;
export type TopologyLevel = (typeof topologyLevels)[number];

export const workKinds = ["serving", "training", "batch"] as const;
export type WorkKind = (typeof workKinds)[number];

const count = (least: number, most: number) => z.number().int().min(least).max(most);
const milliseconds = z.number().min(0).max(8.64e15);

export const gangMemberSchema = z
  .strictObject({
    /** Equal members: pods of a job, replicas of a model. */
    count: count(1, 100_000),
    /** GPUs of one member, all on one node; with `migProfile`, MIG instances. */
    gpus: count(0, 1024),
    /** Share of a GPU in thousandths; less than 1000 only where `gpus` is 1. */
    gpuMilli: count(1, 1000).default(1000),
    migProfile: z.string().min(1).optional(),
    /** What one GPU (or the share of it) must have at least. */
    gpuMemoryGib: z.number().min(0).max(1e6).optional(),
    cpuMilli: count(0, 1e9),
    memoryMib: count(0, 1e12),
    /** Any of these; absent or empty: any model. */
    gpuModels: z.array(z.string().min(1)).optional(),
    /** Labels that the node must carry. */
    labels: z.record(z.string(), z.string()).optional(),
  })
  .refine((member) => member.gpuMilli === 1000 || (member.gpus === 1 && member.migProfile === undefined), {
    error: "may be below 1000 only for one GPU without a MIG profile",
    path: ["gpuMilli"],
  })
  .refine((member) => member.migProfile === undefined || member.gpus > 0, {
    error: "must be at least 1 where a MIG profile is asked for",
    path: ["gpus"],
  });

export const placementRequestSchema = z.strictObject({
  /** Of the caller's choice; the same id is the same request. */
  id: z.string().min(1).max(200),
  team: z.string().min(1).max(200),
  kind: z.enum(workKinds),
  /** The higher the sooner. */
  priority: count(-1_000_000, 1_000_000).default(0),
  /** All members start, or none does. */
  gang: z.array(gangMemberSchema).min(1).max(64),
  topology: z
    .strictObject({
      /** The gang waits rather than lie further apart. */
      required: z.enum(topologyLevels).default("any"),
      /** Tried first. */
      preferred: z.enum(topologyLevels).optional(),
      /** Each pod on a node of its own, so that one lost node does not take them all. */
      apart: z.boolean().default(false),
    })
    .optional(),
  /** Pools that may host it; absent: any pool that takes its kind. */
  pools: z.array(z.string().min(1)).min(1).optional(),
  /** Whether it may be stopped for other work; absent: all but serving. */
  preemptible: z.boolean().optional(),
  /** When its last checkpoint was written: what stopping it now would not lose. */
  checkpointedAtMs: milliseconds.optional(),
  /** How long it is expected to hold its GPUs: counted against GPU-hour budgets at admission. */
  expectedHours: z.number().min(0).max(1e6).optional(),
  /** Tokens that it may spend, counted against token budgets at admission. */
  tokens: z.number().min(0).max(1e18).optional(),
  /** When it was first asked for; absent: now. */
  submittedAtMs: milliseconds.optional(),
});

export type PlacementRequest = z.infer<typeof placementRequestSchema>;
export type GangMember = PlacementRequest["gang"][number];

/** @throws SizingError INVALID_REQUEST that names the field and what would be right */
export function parsePlacementRequest(input: unknown): PlacementRequest {
  const { data, error } = placementRequestSchema.safeParse(input);
  if (error) throw invalidInput("request", error);
  return data as PlacementRequest;
}

export function invalidInput(what: string, error: z.ZodError): SizingError {
  const [issue] = error.issues;
  const path = issue?.path.map(String).join(".") ?? "";
  return new SizingError("INVALID_REQUEST", `The ${what}'s ${path || "content"} is wrong: ${issue?.message}.`, {
    path,
    issues: error.issues.map((each) => ({ path: each.path.map(String).join("."), message: each.message })),
  });
}

export const isPreemptible = (request: PlacementRequest) => request.preemptible ?? request.kind !== "serving";

/** Thousandths of GPUs over the whole gang; MIG instances count with the share of the compute units that they hold. */
export function countGpuMilli(request: PlacementRequest, migShare: (profile: string) => number): number {
  return request.gang.reduce((sum, member) => sum + member.count * memberGpuMilli(member, migShare), 0);
}

export function memberGpuMilli(member: GangMember, migShare: (profile: string) => number): number {
  return (
    member.gpus * (member.migProfile === undefined ? member.gpuMilli : Math.ceil(migShare(member.migProfile) * 1000))
  );
}
