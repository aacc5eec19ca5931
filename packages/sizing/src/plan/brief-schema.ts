import { z } from "zod";
import { gpuSchema } from "../gpus/catalogue.ts";
import { workloadProfiles, type ProfileName } from "./workload-profile.ts";

const count = (most: number) => z.number().int().min(1).max(most);
const share = z.number().gt(0).max(1);
const money = z.number().positive().max(1e12);
const words = z.array(z.string().min(1)).min(1);

/** Weight formats that a plan may use; "bf16" stands for the 16-bit format of the checkpoint. */
export const planPrecisions = ["bf16", "fp8", "int8", "int4", "nvfp4", "mxfp4"] as const;
export type PlanPrecision = (typeof planPrecisions)[number];

export const candidateSchema = z.strictObject({
  id: z.string().min(1).optional(),
  /** The Hugging Face config.json as it is. */
  config: z.record(z.string(), z.unknown()),
  licence: z.string().min(1).optional(),
  languages: words.optional(),
  /** Where the model serves less than its config.json says. */
  context: count(10_000_000).optional(),
  toolUse: z.boolean().optional(),
  /** One score, or scores by benchmark, on one scale for the whole shortlist. */
  quality: z.union([z.number(), z.record(z.string(), z.number())]).optional(),
});

/** Fields of one workload; they stand in the brief itself where there is only one. */
export const workloadShape = {
  name: z.string().min(1).optional(),
  profile: z.enum(Object.keys(workloadProfiles) as [ProfileName, ...ProfileName[]]).optional(),
  /** People who have access; the rest of the load follows from shares. */
  headCount: count(10_000_000).optional(),
  /** Users at work with it in the worst minute; a part of them waits for an answer at any moment. */
  peakUsers: count(1_000_000).optional(),
  /** Requests that are being answered in the worst minute, where that is known. */
  requestsInFlight: count(1_000_000).optional(),
  documentsPerHour: z.number().positive().max(1e9).optional(),
  /** Of the heads, those at work with it at the peak. */
  activeShare: share.optional(),
  /** Of an active user's time, the part in which a single call is being answered. */
  inFlightShare: share.optional(),
  callsPerTask: z.number().min(1).max(1000).optional(),
  /** Factor on the expected load. */
  safety: z.number().min(1).max(20).optional(),
  /** Longest request with its answer, in tokens. */
  context: z.number().int().min(16).max(10_000_000).optional(),
  /** Of a mean request, in tokens. */
  inputTokens: count(10_000_000).optional(),
  outputTokens: count(1_000_000).optional(),
  prefixCacheHitRate: z.number().min(0).max(0.99).optional(),
  slos: z
    .strictObject({
      ttftMs: z.number().min(10).max(3_600_000).optional(),
      tokensPerSecondPerUser: z.number().positive().max(5000).optional(),
      firstSoundMs: z.number().min(100).max(60_000).optional(),
    })
    .optional(),
};

export const workloadSchema = z.strictObject({
  ...workloadShape,
  /** Where this work runs another model than the rest: embeddings, a smaller one for voice. */
  model: z.record(z.string(), z.unknown()).optional(),
});

export const briefSchema = z.strictObject({
  ...workloadShape,
  /** A config.json, or a candidate that has one as its `config`. */
  model: z.record(z.string(), z.unknown()).optional(),
  shortlist: z.array(candidateSchema).min(1).max(20).optional(),
  /** Several kinds of work, a pool for each; then the fields of one workload stand here and not above. */
  workloads: z.array(workloadSchema).min(1).max(8).optional(),
  languages: words.optional(),
  toolUse: z.boolean().optional(),
  /** Least score of a model after quantisation; for a model without scores the least share of its own that it must keep. */
  qualityFloor: z.number().positive().max(1e6).optional(),
  precisions: z.array(z.enum(planPrecisions)).min(1).optional(),
  kvCacheDtype: z.enum(["auto", "fp8"]).optional(),
  production: z.boolean().optional(),
  sovereignty: z
    .strictObject({
      /** No rented machine anywhere. */
      onPremises: z.boolean().optional(),
      regions: words.optional(),
      vendors: z
        .array(z.enum(["nvidia", "amd"]))
        .min(1)
        .optional(),
      licences: words.optional(),
    })
    .optional(),
  budget: z.strictObject({ perMonth: money.optional(), capex: money.optional() }).optional(),
  /** GPUs to choose from, by catalogue id or described; everything in the catalogue without it. */
  gpus: z
    .array(z.union([z.string(), gpuSchema]))
    .min(1)
    .max(50)
    .optional(),
  existingGpus: z
    .array(
      z.strictObject({
        gpu: z.union([z.string(), gpuSchema]),
        count: count(100_000),
        gpusPerNode: count(72).optional(),
        interconnect: z.enum(["nvlink", "pcie", "infinity-fabric"]).optional(),
        region: z.string().min(1).optional(),
        /** What an hour of one costs its owner; the electricity alone without it. */
        pricePerHour: z.number().min(0).max(1000).optional(),
      }),
    )
    .min(1)
    .max(50)
    .optional(),
  /** Plan on the existing GPUs and buy or rent nothing. */
  existingOnly: z.boolean().optional(),
  purchase: z.enum(["rent", "buy"]).optional(),
  /** By catalogue id: an hour of one GPU on demand, and one bought with its share of a server, in US dollars. */
  prices: z.record(z.string(), z.strictObject({ perHour: money.optional(), purchase: money.optional() })).optional(),
  electricityPerKwh: z.number().min(0).max(10).optional(),
  /** Load by hour of the day as a share of the peak, 24 numbers. */
  dailyLoad: z.array(z.number().min(0).max(1)).length(24).optional(),
  gpuMemoryUtilization: z.number().gt(0.1).max(0.99).optional(),
  engine: z.string().min(1).optional(),
});
