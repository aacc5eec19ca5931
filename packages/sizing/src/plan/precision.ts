import type { Gpu } from "../gpus/gpu.ts";
import type { Model, Quantization } from "../models/model.ts";
import type { PlanPrecision } from "./brief-schema.ts";

/**
 * Share of the unquantised model's benchmark scores that is left, on the careful side of what is published: FP8 without
 * loss and INT8 (W8A8) 1 to 3% below in "Give Me BF16 or Give Me Death?" (Kurtic et al., 2024, Llama-3.1 8B to 405B); 4-bit
 * weights keep 96 to 99% there and lose more in long contexts and small models. A checkpoint that was published in its
 * format is the model itself: nothing is taken off.
 */
export const qualityRetention: Record<PlanPrecision, number> = {
  bf16: 1,
  fp8: 0.995,
  int8: 0.985,
  nvfp4: 0.965,
  mxfp4: 0.96,
  int4: 0.96,
};

/** Where the brief sets no floor: 8 and 16 bits pass, 4 bits need somebody who says that it is good enough. */
export const defaultRetentionFloor = 0.98;

const ofCheckpoint: Record<Quantization, PlanPrecision> = {
  fp8: "fp8",
  int8: "int8",
  int4: "int4",
  nf4: "int4",
  nvfp4: "nvfp4",
  mxfp4: "mxfp4",
};

/** The formats that a checkpoint can be served in: any, if it is not quantised yet, else only its own. */
export function servablePrecisions(model: Model): readonly PlanPrecision[] {
  return model.quantization === null ? ["bf16", "fp8", "int8", "int4", "nvfp4"] : [ofCheckpoint[model.quantization]];
}

export type PrecisionSupport = { supported: true; note?: string } | { supported: false; reason: string };

/** Whether vLLM has kernels for the format on this GPU (its pages on quantization, releases 0.19 to 0.32). */
export function findPrecisionSupport(precision: PlanPrecision, gpu: Gpu): PrecisionSupport {
  if (gpu.vendor === "amd" && precision === "nvfp4") {
    return { supported: false, reason: `NVFP4 is a format of NVIDIA's; ${gpu.name} does not run it` };
  }
  if (precision === "int8" && gpu.architecture === "blackwell") {
    return {
      supported: true,
      note: "vLLM has no kernel for INT8 activations on Blackwell: 8-bit weights run with 16-bit arithmetic (W8A16). FP8 takes the same memory and computes in 8 bits.",
    };
  }
  if ((precision === "fp8" && gpu.flops.fp8 === null) || (precision === "nvfp4" && gpu.flops.fp4 === null)) {
    return {
      supported: true,
      note: `${gpu.name} has no ${precision.toUpperCase()} unit: the weights are unpacked and computed in 16 bits.`,
    };
  }
  return { supported: true };
}

/** The GPU as the engine uses it for this format: a unit without a kernel is as good as none. */
export function asUsedFor(precision: PlanPrecision, gpu: Gpu): Gpu {
  return precision === "int8" && gpu.architecture === "blackwell" && gpu.flops.int8 !== null
    ? { ...gpu, flops: { ...gpu.flops, int8: null } }
    : gpu;
}
