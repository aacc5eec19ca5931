import { z } from "zod";
import { findGpu } from "../gpus/catalogue.ts";
import { checkParallelism, type Parallelism } from "../memory/parallelism.ts";
import type { WeightFormat } from "../memory/weight-bytes.ts";
import type { Model } from "../models/model.ts";
import { readModel } from "../models/read-model.ts";
import { SizingError } from "../sizing-error.ts";
import { findEngineProfile } from "./engine-profile.ts";
import { measureWork } from "./model-work.ts";
import type { SpeedConstants } from "./speed-constants.ts";
import type { Replica } from "./step-time.ts";
import { readPrecision } from "./weight-format.ts";

/** Of drafts that are accepted on average in each step, and the time of drafting as a share of a step's. */
export type Speculation = { acceptedTokens: number; draftShare: number };

export type ReplicaRequest = {
  /** A Hugging Face config.json object, or a model that is read already. */
  model: unknown;
  /** Catalogue id, or an object of its fields. */
  gpu: unknown;
  /** "vllm@0.12.0", "trtllm@1.2.0", "sglang@0.5.6"; without a version the usual constants. */
  engine: string;
  /** Format of the weights in the matrix products; the checkpoint's own where it is not given. */
  precision?: string | null;
  tensorParallel?: number;
  pipelineParallel?: number;
  /** GPUs that experts are spread over whole, or true for all of the tensor-parallel group; 0, 1 and false are off. */
  expertParallel?: number | boolean;
  /**
   * "auto" is the model's dtype. Left out, it is what the vendors' serving recipes take: 8 bits under vLLM and
   * TensorRT-LLM with weights in FP8 or FP4, else 16.
   */
  kvCacheDtype?: "auto" | "fp8" | "bf16";
  /** KV cache of one GPU in GiB as the engine printed it, instead of an estimate. */
  cacheGibPerGpu?: number;
};

export type LatencyRequest = ReplicaRequest & {
  /** Requests in flight all the time. */
  batch: number;
  /** Tokens of a prompt and of an answer. */
  isl: number;
  osl: number;
  /** Share of the prompt whose keys and values are cached from earlier requests. */
  prefixCacheHitRate?: number;
  speculative?: Speculation | null;
  /** Prompts are computed on other GPUs of the same kind; `networkGbps` carries the cache over (a GPU's share). */
  disaggregated?: { networkGbps: number } | boolean | null;
};

const count = z.number().int().positive();
const gpus = count.max(1024).default(1);

const replicaSchema = z.object({
  model: z.unknown(),
  gpu: z.unknown(),
  engine: z.string().default("vllm"),
  precision: z.string().nullish(),
  tensorParallel: gpus,
  pipelineParallel: gpus,
  expertParallel: z.union([z.boolean(), z.number().int().min(0).max(1024)]).default(1),
  kvCacheDtype: z.enum(["auto", "fp8", "bf16"]).optional(),
  cacheGibPerGpu: z.number().positive().optional(),
});

const demandSchema = z.object({
  batch: count.max(65_536),
  isl: count,
  osl: count,
  prefixCacheHitRate: z.number().min(0).max(1).default(0),
  speculative: z
    .object({ acceptedTokens: z.number().min(0).max(64), draftShare: z.number().min(0).max(10).default(0) })
    .nullish(),
  disaggregated: z.union([z.boolean(), z.object({ networkGbps: z.number().positive() })]).nullish(),
});

export type DemandFields = z.output<typeof demandSchema>;
export type ResolvedReplica = { model: Model; replica: Replica; cacheGibPerGpu?: number };

/**
 * @throws SizingError INVALID_REQUEST for a field that is wrong, UNKNOWN_GPU, UNKNOWN_ENGINE, UNKNOWN_ARCHITECTURE, and
 * DOES_NOT_DIVIDE where the model cannot be cut like that
 */
export function resolveReplica(request: unknown, constants: SpeedConstants): ResolvedReplica {
  const fields = parse(replicaSchema, request);
  const model = isModel(fields.model) ? fields.model : readModel(fields.model);
  const gpu = findGpu(fields.gpu);
  const engine = findEngineProfile(fields.engine, constants);
  const format = readPrecision(fields.precision, model);
  const { tensorParallel, pipelineParallel } = fields;
  const spread = fields.expertParallel === true ? tensorParallel : Number(fields.expertParallel);
  const expertParallel = Math.max(1, spread);
  const parallelism: Parallelism = { tensorParallel, pipelineParallel, expertParallel };
  // That a GPU's part of an expert must be whole blocks of weights is a rule of vLLM's kernels only.
  const { quantizationScheme: _, ...unquantized } = model;
  const scheme = engine.family === "vllm" ? format.scheme : null;
  checkParallelism(scheme === null ? unquantized : { ...unquantized, quantizationScheme: scheme }, parallelism);
  if (expertParallel > 1 && !model.groups.some(({ mlp }) => mlp.kind === "moe")) {
    throw wrong("expertParallel", expertParallel, "the model has no experts, so it must be 1");
  }
  const cacheElementBytes = chooseCacheBytes(fields.kvCacheDtype, format, engine.family);
  const work = measureWork(model, parallelism, format);
  return {
    model,
    replica: { work, gpu, parallelism, format, cacheElementBytes, engine, constants },
    ...(fields.cacheGibPerGpu === undefined ? {} : { cacheGibPerGpu: fields.cacheGibPerGpu }),
  };
}

/** @throws SizingError INVALID_REQUEST, also for a context longer than the model allows */
export function readDemand(request: unknown, model: Model): DemandFields {
  const fields = parse(demandSchema, request);
  if (fields.isl + fields.osl > model.maxPositions) {
    const length = fields.isl + fields.osl;
    throw wrong("isl + osl", length, `the model allows at most ${model.maxPositions} tokens`);
  }
  return fields;
}

function chooseCacheBytes(
  dtype: "auto" | "fp8" | "bf16" | undefined,
  format: WeightFormat,
  family: Replica["engine"]["family"],
): number {
  if (dtype !== undefined) return dtype === "fp8" ? 1 : 2;
  const isFloat = ["fp8", "nvfp4", "mxfp4"].includes(format.scheme?.format ?? "");
  return isFloat && family !== "sglang" ? 1 : 2;
}

function isModel(model: unknown): model is Model {
  return typeof model === "object" && model !== null && "groups" in model && "outer" in model && "layerOrder" in model;
}

function parse<Output>(schema: z.ZodType<Output>, request: unknown): Output {
  const parsed = schema.safeParse(request);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join(".") || "request";
  const given = issue?.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], request);
  throw wrong(field, given, issue?.message ?? "it cannot be read");
}

function wrong(field: string, value: unknown, rule: string): SizingError {
  const given = value === undefined ? "is missing" : `is ${JSON.stringify(value)}`;
  return new SizingError("INVALID_REQUEST", `The field ${field} ${given}: ${rule}.`, { field, value });
}
