import { AnnealError } from "@anneal/core/errors";
import type { TrainingSettings } from "@anneal/core/loop/settings";
import { gpuCatalogue } from "@anneal/sizing/gpus/catalogue";
import type { Gpu } from "@anneal/sizing/gpus/gpu";
import type { GangMember } from "@anneal/sizing/placement/placement-request";
import { SizingError } from "@anneal/sizing/sizing-error";
import { estimateCpuTraining } from "@anneal/sizing/training/estimate-cpu-training";
import { estimateTraining, type TrainingMemoryEstimate } from "@anneal/sizing/training/estimate-training";
import type { BaseModel } from "../base-model.ts";

type Model = Pick<BaseModel, "config" | "weightBytes">;

/** What a training takes of a machine, and what the scheduler is asked for. */
export type TrainingDemand = {
  /** As the training's page shows it: of the GPU where it runs on one, else of main memory. */
  estimate: { totalBytes: number; breakdown: Record<string, number>; trainableParameters: number };
  member: GangMember;
  /** What it has in use of a GPU at its peak: the rest is room in which the allocator may leave gaps. Null on a CPU. */
  leastGpuBytes: number | null;
};

const mib = 2 ** 20;
const gib = 2 ** 30;

/** Assumed, not measured here: main memory of Python, torch with CUDA's libraries and the driver's pinned buffers. */
const cudaProcessBytes = 3 * gib;

/** Tokens of one pass: the trainer cuts batches by tokens, and its longest example fits one. */
export const tokensPerPassOf = ({ batchTokens, maxLength }: TrainingSettings) => Math.max(batchTokens, maxLength);

/**
 * As `apps/trainer` runs it: on one device, LoRA on all linear layers, no checkpointing of activations, batches cut by
 * tokens and padded.
 * @param gpu of the machine that trains; null: its CPU does
 * @throws AnnealError INVALID_INPUT for settings that cannot be sized, or not be trained there
 */
export function sizeTraining(model: Model, training: TrainingSettings, gpu: Gpu | null): TrainingDemand {
  try {
    return gpu === null ? sizeOnCpu(model, training) : sizeOnGpu(model, training, gpu);
  } catch (error) {
    if (!(error instanceof SizingError)) throw error;
    throw new AnnealError("INVALID_INPUT", error.message, {
      action: "Change the training's settings, then train again.",
      details: error.details,
    });
  }
}

/** The smallest GPU of the catalogue that holds it alone. */
export function findGpuThatHolds(model: Model, training: TrainingSettings): Gpu | undefined {
  return gpuCatalogue
    .toSorted((left, right) => left.memoryGib - right.memoryGib)
    .find((gpu) => {
      try {
        return estimateOnGpu(model, training, gpu).fits;
      } catch (error) {
        // Beyond what can be sized is beyond what fits.
        if (error instanceof SizingError) return false;
        throw error;
      }
    });
}

function sizeOnCpu(model: Model, training: TrainingSettings): TrainingDemand {
  const estimate = estimateCpuTraining({
    model: model.config,
    method: training.method,
    loraRank: training.rank,
    maxLength: training.maxLength,
    batchTokens: tokensPerPassOf(training),
    weightBytes: model.weightBytes,
    boundedKernelCaches: true,
  });
  const memoryMib = Math.ceil(estimate.totalBytes / mib);
  return { estimate, member: { count: 1, gpus: 0, gpuMilli: 1000, cpuMilli: 0, memoryMib }, leastGpuBytes: null };
}

function sizeOnGpu(model: Model, training: TrainingSettings, gpu: Gpu): TrainingDemand {
  const estimate = estimateOnGpu(model, training, gpu);
  const { allocatorGib: _, ...live } = estimate.breakdown;
  const liveGib = Object.values(live).reduce((sum, part) => sum + part, 0);
  const breakdown = {
    weightsBytes: estimate.breakdown.weightsGib * gib,
    adapterBytes: estimate.breakdown.adapterGib * gib,
    gradientsBytes: estimate.breakdown.gradientsGib * gib,
    optimizerBytes: estimate.breakdown.optimizerGib * gib,
    activationsBytes: estimate.breakdown.activationsGib * gib,
    logitsBytes: estimate.breakdown.logitsGib * gib,
    temporaryBytes: estimate.breakdown.temporaryGib * gib,
    marginBytes: (estimate.requiredGib - liveGib - estimate.contextGib) * gib,
    contextBytes: estimate.contextGib * gib,
  };
  const totalBytes = Math.ceil(estimate.requiredGib * gib);
  // All weights pass through main memory: in float32 when they are trained themselves, else as they are stored.
  const loadedBytes = training.method === "full" ? 4 * estimate.trainableParameters : model.weightBytes;
  return {
    estimate: { totalBytes, breakdown, trainableParameters: estimate.trainableParameters },
    member: {
      count: 1,
      gpus: 1,
      // More than a whole one is more than the machine has: the scheduler then refuses it by the memory asked for.
      gpuMilli: Math.min(1000, Math.ceil((estimate.requiredGib / gpu.memoryGib) * 1000)),
      gpuMemoryGib: Math.floor(estimate.requiredGib * 1000) / 1000,
      cpuMilli: 0,
      memoryMib: Math.ceil((cudaProcessBytes + loadedBytes) / mib),
    },
    leastGpuBytes: Math.ceil((liveGib + estimate.contextGib) * gib),
  };
}

function estimateOnGpu(model: Model, training: TrainingSettings, gpu: Gpu): TrainingMemoryEstimate {
  return estimateTraining({
    model: model.config,
    gpu,
    method: training.method,
    quantization: null,
    loraRank: training.rank,
    loraTargets: "all-linear",
    maxLength: training.maxLength,
    batch: Math.ceil(tokensPerPassOf(training) / training.maxLength),
    gradientCheckpointing: false,
    flashAttention: true,
    gpus: 1,
    sharding: null,
    // With method full the trainer keeps weights, gradients and moments in float32 under autocast.
    masterWeights: training.method === "full",
  });
}
