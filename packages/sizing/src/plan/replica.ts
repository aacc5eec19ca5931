import type { Gpu } from "../gpus/gpu.ts";
import { chooseBatchLimits, findEngineRelease } from "../memory/engine-releases.ts";
import { sizeServing, type ServingMemory } from "../memory/serving-memory.ts";
import type { ServingSetup } from "../memory/serving-request.ts";
import type { Model, Quantization } from "../models/model.ts";
import type { PlanPrecision } from "./brief-schema.ts";
import type { CapacityLimits } from "./capacity.ts";
import type { Workload } from "./concurrency.ts";
import type { MemoryBar, MemoryNeed } from "./plan-types.ts";
import { residentTokens99 } from "./resident-tokens.ts";

/** One way to run one replica of a model. */
export type ReplicaOption = {
  model: Model;
  precision: PlanPrecision;
  kvCacheDtype: "auto" | "fp8";
  gpu: Gpu;
  tensorParallel: number;
  pipelineParallel: number;
  expertParallel: number;
  engine: string;
  gpuMemoryUtilization: number;
};

export type ReplicaMemory = ServingMemory & CapacityLimits;

type EngineLimits = Pick<ServingSetup, "maxNumSeqs" | "maxNumBatchedTokens">;

const gib = 1024 ** 3;
/** What vLLM takes on GPUs of 70 to 160 GiB. */
const usualLimits: EngineLimits = { maxNumSeqs: 1024, maxNumBatchedTokens: 8192 };

const engineQuantization: Record<PlanPrecision, Quantization | null> = {
  bf16: null,
  fp8: "fp8",
  int8: "int8",
  int4: "int4",
  nvfp4: "nvfp4",
  mxfp4: "mxfp4",
};

/** @throws SizingError DOES_NOT_DIVIDE as the engine's own rules have it */
export function measureMemory(option: ReplicaOption, workload: Workload, engineLimits?: EngineLimits): ReplicaMemory {
  const setup = setUp(option, workload.contextTokens, engineLimits);
  const memory = sizeServing(setup);
  const length = Math.min(workload.contextTokens, Math.max(1, Math.ceil(workload.residentTokens)));
  // The same cache filled with requests of the mean length: windows and blocks make that more than a matter of ratio.
  const mean = memory.fits ? sizeServing({ ...setup, maxModelLen: length, kvCacheGib: memory.kvCacheGib }) : memory;
  const gpus = option.tensorParallel * option.pipelineParallel;
  const batch = chooseBatchLimits(setup.release, option.gpu, { maxModelLen: workload.contextTokens, gpus });
  return {
    ...memory,
    meanRequests: mean.maxConcurrency,
    fullRequests: memory.maxConcurrency,
    engineBatch: batch.maxSequences,
  };
}

function setUp(option: ReplicaOption, maxModelLen: number, limits: Partial<ServingSetup> = {}): ServingSetup {
  const { model, precision, tensorParallel, pipelineParallel, expertParallel } = option;
  return {
    model,
    release: findEngineRelease(option.engine),
    gpu: option.gpu,
    dtype: model.dtype,
    // A checkpoint's own format keeps its group sizes.
    quantization: model.quantization === null ? engineQuantization[precision] : null,
    kvCacheDtype: option.kvCacheDtype,
    maxModelLen,
    parallelism: { tensorParallel, pipelineParallel, expertParallel },
    gpuMemoryUtilization: option.gpuMemoryUtilization,
    lora: null,
    ...limits,
  };
}

/** @param requests in flight on the replica, of the workload's mean length */
export function drawMemoryBar(option: ReplicaOption, memory: ReplicaMemory, requests: number): MemoryBar {
  const weightsGib = memory.weightsGibPerGpu + memory.loraGib;
  const engineGib = memory.nonTorchGib + memory.cudaGraphGib;
  const kvUsedGib = memory.kvCacheGib * Math.min(1, requests / memory.meanRequests);
  const kvFreeGib = memory.kvCacheGib - kvUsedGib;
  const used = weightsGib + memory.activationPeakGib + engineGib + memory.kvCacheGib;
  const totalGib = option.gpu.memoryGib;
  return {
    totalGib,
    weightsGib,
    activationGib: memory.activationPeakGib,
    engineGib,
    kvUsedGib,
    kvFreeGib,
    unusedGib: Math.max(0, totalGib - used),
  };
}

/** Bytes of cache that one token takes over all GPUs of a replica, where the cache is full of requests of the mean length. */
function kvBytesPerToken(option: ReplicaOption, memory: ReplicaMemory, workload: Workload): number {
  const gpus = option.tensorParallel * option.pipelineParallel;
  return (memory.kvCacheGib * gib * gpus) / (memory.meanRequests * workload.residentTokens);
}

/**
 * What the load needs before anybody chose a GPU: weights once, the KV cache of the planned requests at their mean length,
 * and what one engine takes besides (activation peak, CUDA graphs, driver context). Splitting over GPUs repeats the last.
 */
export function measureNeed(option: ReplicaOption, workload: Workload, requests: number): MemoryNeed {
  const whole: ReplicaOption = {
    ...option,
    gpu: { ...option.gpu, memoryGib: 1e6 },
    tensorParallel: 1,
    pipelineParallel: 1,
    expertParallel: 1,
  };
  const memory = measureMemory(whole, workload, usualLimits);
  const gb = (bytes: number) => bytes / 1e9;
  const perToken = kvBytesPerToken(whole, memory, workload);
  const perFullRequest = (memory.kvCacheGib * gib) / memory.fullRequests;
  const weightsGb = gb((memory.weightsGibPerGpu + memory.loraGib) * gib);
  const kvCacheGb = gb(requests * workload.residentTokens * perToken);
  const kvCache99Gb = gb(
    residentTokens99(
      requests,
      workload.residentTokens * perToken,
      Math.max(perFullRequest, workload.residentTokens * perToken),
    ),
  );
  const overheadGb = gb((memory.activationPeakGib + memory.nonTorchGib + memory.cudaGraphGib) * gib);
  const totalGb = weightsGb + kvCacheGb + overheadGb;
  return {
    precision: option.precision,
    weightsGb,
    kvCacheGb,
    kvCache99Gb,
    kvCacheReservedGb: gb(requests * perFullRequest),
    overheadGb,
    totalGb,
    explanation:
      `${weightsGb.toFixed(1)} GB of weights + ${kvCacheGb.toFixed(1)} GB of KV cache (${requests} requests x ` +
      `${Math.round(workload.residentTokens)} tokens x ${Math.round(perToken / 1024)} KiB) + ${overheadGb.toFixed(1)} GB for the engine = ` +
      `${totalGb.toFixed(0)} GB. Were the whole context reserved for each request, the cache alone would take ` +
      `${gb(requests * perFullRequest).toFixed(0)} GB.`,
  };
}
