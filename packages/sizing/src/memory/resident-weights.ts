import type { Gpu } from "../gpus/gpu.ts";
import type { LayerGroup, Model, Tensor } from "../models/model.ts";
import { type Parallelism, splitLayers } from "./parallelism.ts";
import { countMatrixBytes, dtypeBytes, isQuantized, shardTensor, type WeightFormat } from "./weight-bytes.ts";

const mib = 1024 ** 2;

/**
 * What loading the model takes on one GPU of each pipeline stage, in bytes, as vLLM counts it ("Model loading took"):
 * its shard of the weights in blocks of PyTorch's allocator, the tables of rotary positions, and the copies that the
 * engine makes of some weights.
 */
export function estimateResidentWeights(
  model: Model,
  format: WeightFormat,
  parallelism: Parallelism,
  architecture: Gpu["architecture"] | null,
): number[] {
  const perLayer = model.groups.map((group) => countLayerBytes(group, format, parallelism, architecture));
  const stages = splitLayers(model.layerOrder.length, parallelism.pipelineParallel);
  const rotary = model.rotaryElements * countRotaryBytes(model, format);
  return stages.map(({ start, end }, stage) => {
    const layers = model.layerOrder.slice(start, end).reduce((sum, index) => sum + (perLayer[index] ?? 0), 0);
    const outer = listOuter(model, { isFirst: stage === 0, isLast: stage === stages.length - 1 });
    return layers + rotary + sum(outer.map((tensor) => countAllocated(shardTensor(tensor, null, parallelism), format)));
  });
}

/** In the model's dtype; FlashInfer's kernel for latent attention wants 32 bits (`deepseek_scaling_rope.py`). */
function countRotaryBytes(model: Model, format: WeightFormat): number {
  return model.groups.some((group) => group.mixer.kind === "mla") ? 4 : dtypeBytes[format.dtype];
}

/** The first stage embeds; the last one has the final norm and the output head, also where it is the embedding. */
function listOuter(model: Model, place: { isFirst: boolean; isLast: boolean }): Tensor[] {
  return model.outer.filter((tensor) => {
    if (tensor.role === "norm" || tensor.role === "head") return place.isLast;
    return place.isFirst || (place.isLast && model.tiedEmbeddings && tensor.module === "embed_tokens");
  });
}

function countLayerBytes(
  group: LayerGroup,
  format: WeightFormat,
  parallelism: Parallelism,
  architecture: Gpu["architecture"] | null,
): number {
  const shards = group.tensors.map((tensor) => shardTensor(tensor, group, parallelism));
  const padding = shards.reduce((total, tensor) => total + countTilePadding(tensor, format, architecture), 0);
  const matrices = sum(mergeMatrices(shards).map((parts) => countParts(parts, format)));
  return matrices + padding + countLatentCopy(group, format, parallelism);
}

/**
 * Kernels for MXFP4 experts want whole tiles (`fused_moe/oracle/mxfp4.py`): Triton's on Hopper pad the input of each
 * product to 256 elements, without scales; Marlin's on older GPUs the hidden size to 256 and an expert's width to 128,
 * those of Blackwell and AMD both to 256. gpt-oss-120b then takes 64.4 GiB and 65.9 GiB of an H100, as vLLM's logs have it.
 */
function countTilePadding(tensor: Tensor, format: WeightFormat, architecture: Gpu["architecture"] | null): number {
  const { scheme } = format;
  if (scheme?.format !== "mxfp4" || tensor.role !== "expert" || !tensor.quantizable || architecture === null) return 0;
  const { in: input, out, copies } = tensor;
  if (architecture === "hopper") return (copies * out * (roundUp(input, 256) - input) * scheme.weightBits) / 8;
  const width = architecture === "ampere" || architecture === "ada" ? 128 : 256;
  const halves = /gate_up|input/.test(tensor.module) ? 2 : 1;
  const padded = /down|w2|output/.test(tensor.module)
    ? { in: roundUp(input, width), out: roundUp(out, 256), copies }
    : { in: roundUp(input, 256), out: halves * roundUp(out / halves, width), copies };
  return countMatrixBytes(padded, scheme) - countMatrixBytes(tensor, scheme);
}

/** Matrices with the same input that the engine keeps as one: queries, keys and values; gate and up. */
const merged: readonly (readonly string[])[] = [
  ["q_proj", "k_proj", "v_proj"],
  ["gate_proj", "up_proj"],
  ["w1", "w3"],
  ["q_a_proj", "kv_a_proj_with_mqa"],
];

function mergeMatrices(tensors: readonly Tensor[]): Tensor[][] {
  const bins = new Map<string, Tensor[]>();
  for (const [index, tensor] of tensors.entries()) {
    const set = merged.findIndex((names) => names.includes(tensor.module));
    const key = set === -1 ? `${index}` : `${tensor.role} ${set}`;
    bins.set(key, [...(bins.get(key) ?? []), tensor]);
  }
  return [...bins.values()];
}

function countParts(parts: readonly Tensor[], format: WeightFormat): number {
  const [first] = parts;
  if (!first) return 0;
  if (first.role === "vision") return sum(parts.map((part) => part.copies * roundToBlock(countOne(part, format))));
  const data = sum(parts.map((part) => countData(part, format)));
  const rest = sum(parts.map((part) => countOne(part, format) - countData(part, format)));
  return roundToBlock(data) + rest;
}

function countAllocated(tensor: Tensor, format: WeightFormat): number {
  return countParts([tensor], format);
}

/** Weights alone, of all copies (experts are one block), or of one copy of a vision layer. */
function countData(tensor: Tensor, format: WeightFormat): number {
  const copies = tensor.role === "vision" ? 1 : tensor.copies;
  const bits = isQuantized(tensor, format) && format.scheme ? format.scheme.weightBits : dtypeBytes[format.dtype] * 8;
  return (copies * tensor.in * tensor.out * bits) / 8;
}

function countOne(tensor: Tensor, format: WeightFormat): number {
  const copies = tensor.role === "vision" ? 1 : tensor.copies;
  const bias = (tensor.bias * dtypeBytes[format.dtype]) / (tensor.role === "vision" ? tensor.copies : 1);
  const isPacked = isQuantized(tensor, format) && format.scheme;
  return (isPacked ? countMatrixBytes({ ...tensor, copies }, isPacked) : countData(tensor, format)) + bias;
}

/**
 * Multi-head latent attention multiplies by the two halves of kv_b_proj in 16 bits and keeps a copy of them for it
 * (`MLAAttention.process_weights_after_loading`; the weights of DeepSeek-V2-Lite, measured, hold one as well).
 */
function countLatentCopy(group: LayerGroup, format: WeightFormat, parallelism: Parallelism): number {
  const { mixer } = group;
  if (mixer.kind !== "mla") return 0;
  const heads = mixer.heads / parallelism.tensorParallel;
  return heads * (mixer.nopeHeadSize + mixer.valueHeadSize) * mixer.latentRank * dtypeBytes[format.dtype];
}

/**
 * PyTorch's caching allocator (`CUDACachingAllocator.cpp`): from 10 MiB on, a block is a multiple of 2 MiB, and what is
 * left of it counts as allocated unless it is more than 1 MiB and split off.
 */
export function roundToBlock(bytes: number): number {
  if (bytes < 10 * mib) return Math.ceil(bytes / 512) * 512;
  const block = roundUp(bytes, 2 * mib);
  return block - bytes > mib ? Math.ceil(bytes / 512) * 512 : block;
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
