import { listTensors, type Model, type Tensor } from "../models/model.ts";
import type { TrainingRun } from "./training-request.ts";

export type WeightFormat = NonNullable<TrainingRun["quantization"]>;

/**
 * Bits a quantised weight takes with its scales.
 * - nf4, fp4: a 32-bit scale each 64 weights, itself quantised: 8 bits each 64 and 32 bits each 256 of them = 0.127 bits
 *   (QLoRA, arXiv 2305.14314, section 3, double quantisation).
 * - GPTQ and AWQ: groups of 128 with a 16-bit scale and a zero point of the weight's width (arXiv 2210.17323).
 * - LLM.int8(): one 32-bit scale a row (arXiv 2208.07339). - fp8: scales a block of 128 x 128.
 * - mxfp4: an 8-bit scale each 32 (OCP MX 1.0). - nvfp4: an 8-bit scale each 16.
 */
const bitsPerWeight: Record<WeightFormat, number> = {
  nf4: 4.127,
  fp4: 4.127,
  int4: 4.156,
  "gptq-int4": 4.156,
  "awq-int4": 4.156,
  int8: 8.188,
  "gptq-int8": 8.188,
  "bnb-int8": 8.01,
  fp8: 8.002,
  mxfp4: 4.25,
  nvfp4: 4.5,
};

/**
 * bitsandbytes models go through PEFT's `prepare_model_for_kbit_training`, which casts whatever is not quantised
 * (embeddings, head, norms) to float32, and with it the residual stream; GPTQ and AWQ models are left as they are.
 */
export function castsRestToFloat32(format: WeightFormat | null): boolean {
  return format === "nf4" || format === "fp4" || format === "bnb-int8";
}

export type FrozenWeights = {
  bytes: number;
  /** Of one decoder layer, the largest. */
  layerBytes: number;
  /** Of embeddings and head. */
  outerBytes: number;
  /** Made for one matrix product and dropped: the largest matrix in 16 bits, and the 16-bit copy of a float32 head. */
  workspaceBytes: number;
};

/** Weights as they are held while an adapter is trained on them, in bytes. */
export function sizeFrozenWeights(model: Model, format: WeightFormat | null, computeBytes: number): FrozenWeights {
  const restBytes = castsRestToFloat32(format) ? 4 : computeBytes;
  const sizeOf = (tensor: Tensor) => {
    const elements = tensor.copies * tensor.in * tensor.out;
    if (format === null || !tensor.quantizable) return (elements + tensor.bias) * restBytes;
    return (elements * bitsPerWeight[format]) / 8 + tensor.bias * restBytes;
  };
  const sum = (tensors: readonly Tensor[]) => tensors.reduce((total, tensor) => total + sizeOf(tensor), 0);
  const layerBytes = Math.max(0, ...model.groups.map((group) => sum(group.tensors)));
  const outerBytes = sum(model.outer);
  const bytes = outerBytes + model.groups.reduce((total, group) => total + group.count * sum(group.tensors), 0);
  return { bytes, layerBytes, outerBytes, workspaceBytes: format === null ? 0 : sizeWorkspace(model, restBytes) };
}

function sizeWorkspace(model: Model, restBytes: number): number {
  const largest = Math.max(...listTensors(model).map((each) => (each.quantizable ? each.in * each.out : 0)));
  const head = restBytes === 4 ? model.vocabularySize * model.hiddenSize : 0;
  return 2 * (largest + head);
}
