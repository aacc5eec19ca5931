import type { Gpu } from "../gpus/gpu.ts";
import type { WeightFormat } from "../memory/weight-bytes.ts";

/** Which unit multiplies; "weightOnly" unpacks the weights and multiplies in 16 bits, where the GPU lacks their format. */
export type ComputeKind = "bf16" | "fp8" | "int8" | "fp4" | "weightOnly";

/** The unit that multiplies such weights on this GPU, and its peak in FLOP/s. */
export function findComputeUnit(format: WeightFormat, gpu: Gpu): { kind: ComputeKind; peak: number } {
  const { flops } = gpu;
  const weightOnly = { kind: "weightOnly", peak: flops.bf16 } as const;
  switch (format.scheme?.format) {
    case undefined:
      return { kind: "bf16", peak: flops.bf16 };
    case "fp8":
      return flops.fp8 === null ? weightOnly : { kind: "fp8", peak: flops.fp8 };
    case "int8":
      return flops.int8 === null || flops.int8 <= flops.bf16 ? weightOnly : { kind: "int8", peak: flops.int8 };
    case "nvfp4":
      return flops.fp4 === null ? weightOnly : { kind: "fp4", peak: flops.fp4 };
    case "mxfp4":
      // gpt-oss: activations in 8 bits where there are FP4 units, in 16 elsewhere (vLLM and TensorRT-LLM alike).
      return flops.fp4 === null || flops.fp8 === null ? weightOnly : { kind: "fp8", peak: flops.fp8 };
    case "int4":
    case "nf4":
      return weightOnly;
  }
}
