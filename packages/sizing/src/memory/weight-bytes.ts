import type { Dtype, LayerGroup, Model, Quantization, QuantizationScheme, Tensor } from "../models/model.ts";
import { defaultSchemes } from "../models/quantization.ts";
import { countKvHeadsPerGpu, padVocabulary, type Parallelism } from "./parallelism.ts";

export const dtypeBytes: Readonly<Record<Dtype, number>> = { float32: 4, bfloat16: 2, float16: 2 };

/** How weights are kept: what is quantised by `scheme`, everything else in `dtype`. */
export type WeightFormat = { dtype: Dtype; scheme: QuantizationScheme | null };

/**
 * `null` keeps the checkpoint's own format; a format that the checkpoint already has keeps its group sizes, another one
 * takes the engine's default.
 */
export function chooseWeightFormat(model: Model, dtype: Dtype | null, quantization: Quantization | null): WeightFormat {
  const own = model.quantizationScheme ?? null;
  const scheme = quantization === null || quantization === own?.format ? own : defaultSchemes[quantization];
  return { dtype: dtype ?? model.dtype, scheme };
}

/** Bytes of one matrix [out, in] (`copies` times), with its scales and zero points, without its bias. */
export function countMatrixBytes(
  shape: { in: number; out: number; copies: number },
  scheme: QuantizationScheme,
): number {
  const { in: input, out, copies } = shape;
  const data = (input * out * scheme.weightBits) / 8;
  const scales = (countScales(shape, scheme) * (scheme.scaleBits + scheme.zeroBits)) / 8;
  return copies * (data + scales);
}

function countScales({ in: input, out }: { in: number; out: number }, { group }: QuantizationScheme): number {
  switch (group.kind) {
    case "tensor":
      return 1;
    case "channel":
      return out;
    case "group":
      return out * Math.ceil(input / group.size);
    case "block":
      return Math.ceil(out / group.out) * Math.ceil(input / group.in);
  }
}

export function isQuantized(tensor: Tensor, format: WeightFormat): boolean {
  return format.scheme !== null && tensor.quantizable;
}

/** Bytes of the whole model on one GPU, nothing cut, without what an engine adds. */
export function countWeightBytes(model: Model, format: WeightFormat): number {
  const all = [...model.outer.map((tensor) => ({ tensor, count: 1 })), ...model.groups.flatMap(countTensors)];
  return all.reduce((sum, { tensor, count }) => sum + count * countTensorBytes(tensor, format), 0);
}

function countTensors(group: LayerGroup): { tensor: Tensor; count: number }[] {
  return group.tensors.map((tensor) => ({ tensor, count: group.count }));
}

export function countTensorBytes(tensor: Tensor, format: WeightFormat): number {
  const bias = tensor.bias * dtypeBytes[format.dtype];
  if (format.scheme !== null && isQuantized(tensor, format)) return countMatrixBytes(tensor, format.scheme) + bias;
  return tensor.copies * tensor.in * tensor.out * dtypeBytes[format.dtype] + bias;
}

/** A tensor as one GPU of a tensor-parallel group holds it. */
export function shardTensor(tensor: Tensor, group: LayerGroup | null, parallelism: Parallelism): Tensor {
  const { tensorParallel: gpus, expertParallel } = parallelism;
  const cut = (size: number, parts: number) => Math.ceil(size / parts);
  switch (tensor.shard) {
    case "replicated":
      return tensor;
    case "column":
      return { ...tensor, out: shardFused(tensor, group, gpus) ?? cut(tensor.out, gpus), bias: cut(tensor.bias, gpus) };
    case "row":
      return { ...tensor, in: cut(tensor.in, gpus) };
    case "kv": {
      const kvHeads = group?.mixer.kind === "attention" ? group.mixer.kvHeads : gpus;
      const share = countKvHeadsPerGpu(kvHeads, gpus) / kvHeads;
      return { ...tensor, out: tensor.out * share, bias: tensor.bias * share };
    }
    case "vocabulary":
      return { ...tensor, out: cut(padVocabulary(tensor.out), gpus), bias: cut(tensor.bias, gpus) };
    case "expert": {
      const copies = cut(tensor.copies, expertParallel);
      const parts = gpus / expertParallel;
      const isDown = /down|w2|output/.test(tensor.module);
      return isDown
        ? { ...tensor, copies, in: cut(tensor.in, parts), bias: cut(tensor.bias, expertParallel) }
        : { ...tensor, copies, out: cut(tensor.out, parts), bias: cut(tensor.bias, gpus) };
    }
  }
}

/** Queries, keys and values in one matrix: queries are divided, keys and values replicated where heads are too few. */
function shardFused(tensor: Tensor, group: LayerGroup | null, gpus: number): number | null {
  const mixer = group?.mixer;
  if (mixer?.kind !== "attention" || tensor.role !== "attention") return null;
  const keyValue = mixer.headSize + mixer.valueHeadSize;
  if (tensor.out !== mixer.heads * mixer.headSize + mixer.kvHeads * keyValue) return null;
  return (mixer.heads * mixer.headSize) / gpus + countKvHeadsPerGpu(mixer.kvHeads, gpus) * keyValue;
}
