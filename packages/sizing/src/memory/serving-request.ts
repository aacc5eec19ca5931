import { z } from "zod";
import { findGpu } from "../gpus/catalogue.ts";
import type { Gpu } from "../gpus/gpu.ts";
import type { Dtype, Model, Quantization } from "../models/model.ts";
import { readModel } from "../models/read-model.ts";
import { readSafetensorsIndex } from "../models/safetensors.ts";
import { SizingError } from "../sizing-error.ts";
import { type EngineRelease, findEngineRelease } from "./engine-releases.ts";
import type { KvCacheDtype } from "./kv-layers.ts";
import type { LoraSlots } from "./lora-slots.ts";
import type { Parallelism } from "./parallelism.ts";

/** A serving replica as it is to be started: what the engine's options say, read and checked. */
export type ServingSetup = {
  model: Model;
  release: EngineRelease;
  /** Null where the engine runs on the CPU. */
  gpu: Gpu | null;
  dtype: Dtype;
  quantization: Quantization | null;
  kvCacheDtype: KvCacheDtype;
  maxModelLen: number;
  parallelism: Parallelism;
  gpuMemoryUtilization: number;
  maxNumSeqs?: number;
  maxNumBatchedTokens?: number;
  lora: LoraSlots | null;
  /** Of all shards of the checkpoint, where its index is at hand: corrects what config.json cannot say. */
  checkpointBytes?: number;
  /** Measured figures, taken as they are in place of the estimate. */
  weightsGibPerGpu?: number;
  kvCacheGib?: number;
};

const count = z.number().int().positive();

const dtypes: Readonly<Record<string, Dtype | null>> = {
  auto: null,
  bfloat16: "bfloat16",
  bf16: "bfloat16",
  float16: "float16",
  fp16: "float16",
  half: "float16",
  float32: "float32",
  fp32: "float32",
  float: "float32",
};

/** Formats, and the engine's names of methods that mean one of them. */
const quantizations: Readonly<Record<string, Quantization>> = {
  fp8: "fp8",
  int8: "int8",
  int4: "int4",
  awq: "int4",
  awq_marlin: "int4",
  gptq: "int4",
  gptq_marlin: "int4",
  nvfp4: "nvfp4",
  modelopt_fp4: "nvfp4",
  mxfp4: "mxfp4",
  nf4: "nf4",
  bitsandbytes: "nf4",
};

/** Methods of the engine that say nothing of the format: config.json must. */
const selfDescribed: readonly string[] = ["compressed-tensors", "modelopt", "quark", "torchao"];

const kvDtypes: Readonly<Record<string, KvCacheDtype>> = {
  auto: "auto",
  fp8: "fp8",
  fp8_e4m3: "fp8",
  fp8_e5m2: "fp8",
};

const requestSchema = z.object({
  model: z.unknown().optional(),
  gpu: z.unknown().optional(),
  engine: z.string().default("vllm"),
  dtype: z.string().default("auto"),
  quantization: z.string().nullish(),
  kvCacheDtype: z.string().default("auto"),
  maxModelLen: count.optional(),
  tensorParallel: count.max(1024).default(1),
  pipelineParallel: count.max(1024).default(1),
  expertParallel: z.union([z.boolean(), count.max(1024)]).default(false),
  gpuMemoryUtilization: z.number().positive().max(1).default(0.9),
  weightsGibPerGpu: z.number().positive().optional(),
  kvCacheGib: z.number().positive().optional(),
  kvCacheSpaceGib: z.number().positive().optional(),
  maxNumSeqs: count.optional(),
  maxNumBatchedTokens: count.optional(),
  safetensorsIndex: z.unknown().optional(),
  lora: z.object({ maxLoras: count.max(10_000), maxRank: count.max(4096) }).nullish(),
});

/**
 * Reads a request: `model` is a config.json object, `gpu` a catalogue id or an object of its fields (not needed for
 * "vllm-cpu", which needs `kvCacheSpaceGib`, the engine's VLLM_CPU_KVCACHE_SPACE). Optional are `maxNumSeqs`,
 * `maxNumBatchedTokens`, `expertParallel` (true, or its GPUs), `lora`, the object of model.safetensors.index.json as
 * `safetensorsIndex`, and measured figures, taken as they are: `weightsGibPerGpu`, `kvCacheGib`.
 * @throws SizingError that names the field, its value and what would be right.
 */
export function readServingRequest(request: unknown): ServingSetup {
  const parsed = requestSchema.safeParse(request);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join(".") || "request";
    throw invalid(field, undefined, issue?.message ?? "it cannot be read");
  }
  const { data } = parsed;
  const model = readModel(data.model);
  const release = findEngineRelease(data.engine);
  const gpu = release.engine === "vllm-cpu" ? null : findGpu(data.gpu);
  const kvCacheGib = data.kvCacheGib ?? data.kvCacheSpaceGib;
  if (gpu === null && kvCacheGib === undefined) {
    throw invalid("kvCacheSpaceGib", undefined, "vllm-cpu keeps what it says, so it must be given (GiB)");
  }
  const maxModelLen = data.maxModelLen ?? model.maxPositions;
  if (maxModelLen > model.maxPositions) {
    throw invalid("maxModelLen", maxModelLen, `the model allows at most ${model.maxPositions} tokens`);
  }
  const whole = data.expertParallel === true ? data.tensorParallel : 1;
  return {
    model,
    release,
    gpu,
    dtype: readDtype(data.dtype, model),
    quantization: readQuantization(data.quantization ?? null, model),
    kvCacheDtype: choose("kvCacheDtype", data.kvCacheDtype, kvDtypes),
    maxModelLen,
    parallelism: {
      tensorParallel: data.tensorParallel,
      pipelineParallel: data.pipelineParallel,
      expertParallel: typeof data.expertParallel === "number" ? data.expertParallel : whole,
    },
    gpuMemoryUtilization: data.gpuMemoryUtilization,
    ...(data.maxNumSeqs === undefined ? {} : { maxNumSeqs: data.maxNumSeqs }),
    ...(data.maxNumBatchedTokens === undefined ? {} : { maxNumBatchedTokens: data.maxNumBatchedTokens }),
    ...(data.weightsGibPerGpu === undefined ? {} : { weightsGibPerGpu: data.weightsGibPerGpu }),
    ...(kvCacheGib === undefined ? {} : { kvCacheGib }),
    lora: data.lora ?? null,
    ...(data.safetensorsIndex === undefined
      ? {}
      : { checkpointBytes: readSafetensorsIndex(data.safetensorsIndex).totalBytes }),
  };
}

/** "auto" is the model's dtype, but 16 bits where that is float32 (vLLM, `_resolve_auto_dtype`). */
function readDtype(name: string, model: Model): Dtype {
  const dtype = choose("dtype", name, dtypes);
  return dtype ?? (model.dtype === "float32" ? "bfloat16" : model.dtype);
}

function readQuantization(name: string | null, model: Model): Quantization | null {
  if (name === null) return null;
  if (!selfDescribed.includes(name.toLowerCase())) return choose("quantization", name, quantizations);
  if (model.quantization !== null) return model.quantization;
  throw invalid("quantization", name, "the model's config.json has no quantization_config that says what it is");
}

function choose<Value>(field: string, name: string, known: Readonly<Record<string, Value>>): Value {
  const key = name.toLowerCase();
  const value = Object.hasOwn(known, key) ? known[key] : undefined;
  if (value !== undefined) return value;
  throw invalid(field, name, `it must be one of ${Object.keys(known).join(", ")}`);
}

function invalid(field: string, value: unknown, rule: string): SizingError {
  const given = value === undefined ? "is wrong or missing" : `is ${JSON.stringify(value)}`;
  return new SizingError("INVALID_REQUEST", `The field ${field} ${given}: ${rule}.`, { field, value });
}
