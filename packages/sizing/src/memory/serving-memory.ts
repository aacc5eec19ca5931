import { countActiveParameters, countParameters } from "../models/model.ts";
import { estimateActivationPeak } from "./activation-peak.ts";
import { estimateCudaGraphs, estimateNonTorch } from "./engine-overheads.ts";
import { chooseBatchLimits, chooseBlockSize } from "./engine-releases.ts";
import { explainMisfit } from "./explain-misfit.ts";
import { countBlockBytes, type KvLimits, planKvCache, reportKvCapacity } from "./kv-cache.ts";
import { listKvLayers } from "./kv-layers.ts";
import { countLoraBytes } from "./lora-slots.ts";
import { checkParallelism, splitLayers } from "./parallelism.ts";
import { estimateResidentWeights } from "./resident-weights.ts";
import { readServingRequest, type ServingSetup } from "./serving-request.ts";
import { chooseWeightFormat, countWeightBytes } from "./weight-bytes.ts";

const gib = 1024 ** 3;

export type ServingMemory = {
  /** The formula set that was used, e.g. "vllm@0.19.0". */
  engine: string;
  parameters: number;
  activeParameters: number;
  /** Figures of one GPU of the first pipeline stage, as its engine prints them, in GiB. */
  weightsGibPerGpu: number;
  loraGib: number;
  activationPeakGib: number;
  nonTorchGib: number;
  cudaGraphGib: number;
  kvCacheGib: number;
  /** Of the replica, by the stage that has room for the fewest blocks. */
  kvCacheTokens: number;
  /** Sequences of `maxModelLen` tokens at once. */
  maxConcurrency: number;
  /** The cache holds at least one sequence of `maxModelLen` tokens, with a reserve. */
  fits: boolean;
  /** Why it does not fit, with the numbers and what would help. */
  reason?: string;
  /** What the figures leave out. */
  notes: readonly string[];
};

/**
 * Memory of a serving replica from the model's config.json and the engine's options.
 * @throws SizingError for what cannot be read, does not divide, or exceeds what the model allows; see
 * `readServingRequest` for the fields.
 */
export function estimateServingMemory(request: unknown): ServingMemory {
  return sizeServing(readServingRequest(request));
}

/** The same for a setup that is already read. */
export function sizeServing(setup: ServingSetup): ServingMemory {
  const { model, release, parallelism } = setup;
  checkParallelism(model, parallelism);
  const limits = chooseLimits(setup);
  const { weights, lora, peaks, nonTorch, graphs, free } = splitBudget(setup, limits);
  const plan = planKvCache(listKvLayers(model, { ...setup, tensorParallel: parallelism.tensorParallel }), limits);
  const stages = splitLayers(model.layerOrder.length, parallelism.pipelineParallel);
  const blockBytes = stages.map((stage) => countBlockBytes(plan, stage));
  const blocks = Math.min(...free.map((bytes, stage) => countBlocksIn(bytes, blockBytes[stage] ?? 0)));
  const capacity = reportKvCapacity(plan, blocks, limits);
  const reason = explainMisfit(setup, { plan, blockBytes, free, weights, limits, graphs });
  return {
    engine: `${release.engine}@${release.version}`,
    parameters: countParameters(model),
    activeParameters: countActiveParameters(model),
    weightsGibPerGpu: toGib(weights[0]),
    loraGib: toGib(lora),
    activationPeakGib: toGib(peaks[0]),
    nonTorchGib: toGib(nonTorch),
    cudaGraphGib: toGib(graphs),
    kvCacheGib: Math.max(0, toGib(free[0])),
    kvCacheTokens: capacity.tokens,
    maxConcurrency: Math.round(capacity.maxConcurrency * 100) / 100,
    fits: reason === null,
    ...(reason === null ? {} : { reason }),
    notes: model.notes,
  };
}

/** A stage whose layers cache nothing sets no limit. */
function countBlocksIn(bytes: number, blockBytes: number): number {
  return blockBytes === 0 ? Number.POSITIVE_INFINITY : Math.floor(Math.max(0, bytes) / blockBytes);
}

function chooseLimits(setup: ServingSetup): KvLimits & { maxSequences: number } {
  const { model, release, gpu, parallelism } = setup;
  const isLatent = model.groups.some((group) => group.mixer.kind === "mla");
  const gpus = parallelism.tensorParallel * parallelism.pipelineParallel;
  return {
    release,
    blockSize: chooseBlockSize(release, gpu, { isLatent, isFp8: setup.kvCacheDtype === "fp8" }),
    maxModelLen: setup.maxModelLen,
    ...chooseBatchLimits(release, gpu, { ...setup, gpus }),
    pipelineParallel: parallelism.pipelineParallel,
  };
}

/** Bytes of each part of a GPU's memory; lists have one entry for each pipeline stage. */
type Budget = {
  weights: number[];
  lora: number;
  peaks: number[];
  nonTorch: number;
  graphs: number;
  /** For the KV cache; negative where the rest is already too much. */
  free: number[];
};

function splitBudget(setup: ServingSetup, limits: KvLimits & { maxSequences: number }): Budget {
  const { model, release, gpu, parallelism } = setup;
  const format = chooseWeightFormat(model, setup.dtype, setup.quantization);
  const architecture = gpu?.architecture ?? null;
  const estimated = estimateResidentWeights(model, format, parallelism, architecture);
  const correction = countCorrection(setup, countWeightBytes(model, format));
  const weights = shiftTo(
    estimated.map((bytes) => bytes * correction),
    setup.weightsGibPerGpu,
  );
  const lora = setup.lora ? countLoraBytes(model, setup.lora, format, parallelism) : 0;
  const peaks = estimateActivationPeak(model, format, parallelism, limits, architecture);
  const nonTorch = gpu === null ? 0 : estimateNonTorch(model, parallelism);
  const graphs = gpu === null ? 0 : estimateCudaGraphs(model, parallelism);
  const allowed = gpu === null ? 0 : gpu.memoryGib * gib * setup.gpuMemoryUtilization;
  const fixed = nonTorch + lora + (release.reservesGraphs ? graphs : 0);
  const left = weights.map((bytes, stage) => allowed - bytes - (peaks[stage] ?? 0) - fixed);
  return { weights, lora, peaks, nonTorch, graphs, free: shiftTo(left, setup.kvCacheGib) };
}

/**
 * A checkpoint that weighs more or less than its config says (mixed formats, heads of its own) is loaded as it is;
 * one that the engine converts is not.
 */
function countCorrection({ model, quantization, checkpointBytes }: ServingSetup, bytes: number): number {
  const isConverted = quantization !== null && quantization !== model.quantization;
  return checkpointBytes === undefined || isConverted ? 1 : checkpointBytes / bytes;
}

/** A measured figure of the first stage moves the estimates of the others by as much; in whole bytes. */
function shiftTo(estimates: readonly number[], measuredGib: number | undefined): number[] {
  const difference = measuredGib === undefined ? 0 : measuredGib * gib - (estimates[0] ?? 0);
  return estimates.map((bytes) => Math.round(bytes + difference));
}

function toGib(bytes = 0): number {
  return Math.round((bytes / gib) * 1e4) / 1e4;
}
