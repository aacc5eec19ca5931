import { estimateActivationPeak } from "../memory/activation-peak.ts";
import { estimateNonTorch } from "../memory/engine-overheads.ts";
import type { KvCacheDtype } from "../memory/kv-layers.ts";
import { countSequenceKvBytes } from "../memory/kv-per-user.ts";
import { estimateResidentWeights } from "../memory/resident-weights.ts";
import type { Model } from "../models/model.ts";
import { SizingError } from "../sizing-error.ts";
import type { EngineFamily } from "./speed-constants.ts";
import { type Replica, stepTokenBudget } from "./step-time.ts";

const gib = 1024 ** 3;

/**
 * How engines admit sequences by default. `memoryShare`: of the GPU's memory for everything (vLLM's
 * `gpu_memory_utilization`, SGLang's `mem_fraction_static`), or of what is left beside weights and activations
 * (TensorRT-LLM's `free_gpu_memory_fraction`). `reserved`: part of the output that a running sequence has room for on
 * average. TensorRT-LLM keeps room for all of it (GUARANTEED_NO_EVICT); the others fill as they go and sequences are at
 * different points of it, with some lost to preemption: fitted on 14 saturated runs in ai-dynamo/aiconfigurator.
 */
const admission: Record<
  EngineFamily,
  { memoryShare: number; ofFree: boolean; reserved: number; maxSequences: number }
> = {
  vllm: { memoryShare: 0.9, ofFree: false, reserved: 0.6, maxSequences: 1024 },
  trtllm: { memoryShare: 0.9, ofFree: true, reserved: 1, maxSequences: 2048 },
  sglang: { memoryShare: 0.88, ofFree: false, reserved: 0.6, maxSequences: 4096 },
};

export type CacheCapacity = {
  /** Of one GPU of the tightest pipeline stage. */
  cacheGib: number;
  /** Of the replica, held by sequences of this length. */
  tokens: number;
  /** Sequences of this length that run at the same time; at least one, so that the time of a single one is told. */
  sequences: number;
  limit: "kv-cache" | "engine-limit";
};

/**
 * @param cacheGib what the engine itself printed, per GPU, instead of the estimate
 * @throws SizingError DOES_NOT_FIT where the weights alone are larger than the GPUs
 */
export function estimateCacheCapacity(
  model: Model,
  replica: Replica,
  length: { inputTokens: number; outputTokens: number },
  cacheGib?: number,
): CacheCapacity {
  const { engine, parallelism, cacheElementBytes } = replica;
  const rules = admission[engine.family];
  const bytes = cacheGib === undefined ? estimateCacheBytes(model, replica) : cacheGib * gib;
  const kvCacheDtype: KvCacheDtype = cacheElementBytes === 1 ? "fp8" : "auto";
  const tokens = length.inputTokens + rules.reserved * length.outputTokens;
  const options = { dtype: model.dtype, kvCacheDtype, tensorParallel: parallelism.tensorParallel };
  const perSequence = countSequenceKvBytes(model, tokens, options) / parallelism.pipelineParallel;
  const held = perSequence === 0 ? Number.POSITIVE_INFINITY : bytes / perSequence;
  const limit = held <= rules.maxSequences ? "kv-cache" : "engine-limit";
  return {
    cacheGib: bytes / gib,
    tokens: held * tokens,
    sequences: Math.max(1, Math.min(held, rules.maxSequences)),
    limit,
  };
}

function estimateCacheBytes(model: Model, replica: Replica): number {
  const { engine, gpu, parallelism, format } = replica;
  const rules = admission[engine.family];
  const total = gpu.memoryGib * gib;
  const weights = Math.max(...estimateResidentWeights(model, format, parallelism, gpu.architecture));
  if (weights >= total) {
    const gpus = parallelism.tensorParallel * parallelism.pipelineParallel;
    throw new SizingError(
      "DOES_NOT_FIT",
      `The weights take ${(weights / gib).toFixed(1)} GiB of each of ${gpus} GPUs, and ${gpu.id} has ${gpu.memoryGib} GiB. Raise tensorParallel, take a larger GPU or fewer bits per weight.`,
      { weightsGibPerGpu: weights / gib, memoryGib: gpu.memoryGib },
    );
  }
  const limits = {
    maxSequences: 256,
    maxBatchedTokens: stepTokenBudget(gpu),
    maxModelLen: model.maxPositions,
    blockSize: 16,
  };
  const peak = Math.max(...estimateActivationPeak(model, format, parallelism, limits, gpu.architecture));
  const rest = weights + peak + estimateNonTorch(model, parallelism);
  return Math.max(0, rules.ofFree ? rules.memoryShare * (total - rest) : rules.memoryShare * total - rest);
}
