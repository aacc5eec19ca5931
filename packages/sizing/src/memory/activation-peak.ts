import type { Gpu } from "../gpus/gpu.ts";
import type { LayerGroup, Model, Tensor } from "../models/model.ts";
import { type Parallelism, splitLayers } from "./parallelism.ts";
import { dtypeBytes, shardTensor, type WeightFormat } from "./weight-bytes.ts";

const mib = 1024 ** 2;

/** cuBLAS keeps 32 MiB on Hopper (PyTorch, `CUDABlas.cpp`); vLLM's own small buffers come on top (fitted, 28 boots). */
const workspaceBytes = 32 * mib + 1.6 * mib;

/** Rows of the buffer of vLLM's top-k/top-p kernel: one for each multiprocessor, 132 on an H100 (`topk_topp_triton.py`). */
const samplerRows = 132;

/** Latent attention may expand this many cached tokens at once (`determine_chunked_prefill_workspace_size`). */
const latentPrefillTokens = 64 * 1024;

/** What a step may hold at most, as the engine was started. */
export type BatchLimits = { maxSequences: number; maxBatchedTokens: number; maxModelLen: number; blockSize: number };

/**
 * The most memory that a step takes beyond weights and cache, in bytes, for each pipeline stage: vLLM measures it with a
 * dummy batch of `maxBatchedTokens`, then by sampling `maxSequences` tokens from it (`profile_run`). The last stage
 * needs the larger of the two, the others compute only.
 */
export function estimateActivationPeak(
  model: Model,
  format: WeightFormat,
  parallelism: Parallelism,
  limits: BatchLimits,
  architecture: Gpu["architecture"] | null,
): number[] {
  const stages = splitLayers(model.layerOrder.length, parallelism.pipelineParallel);
  return stages.map(({ start, end }, stage) => {
    const indices = new Set(model.layerOrder.slice(start, end));
    const groups = model.groups.filter((_, index) => indices.has(index));
    const experts = Math.max(
      0,
      ...groups.map((group) => countExpertWorkspace(model, group, format, parallelism, limits, architecture)),
    );
    const compute = Math.max(0, ...groups.map((group) => countLayerPeak(model, group, format, parallelism, limits)));
    const images = stage === 0 ? countImagePeak(model, format, limits) : 0;
    const passed = stage > 0 ? 2 * limits.maxBatchedTokens * model.hiddenSize * dtypeBytes[format.dtype] : 0;
    const isLast = stage === stages.length - 1;
    const sampling = isLast ? countSamplerPeak(model, format, limits) : 0;
    return workspaceBytes + passed + experts + Math.max(compute, sampling, images);
  });
}

/**
 * Sampling holds, for each of `maxSequences` rows of the vocabulary, the logits as computed and three copies in 32 bits
 * (logits, probabilities, exponential noise; `v1/sample`), and the hidden states that they came from.
 */
function countSamplerPeak(model: Model, format: WeightFormat, limits: BatchLimits): number {
  const bytes = dtypeBytes[format.dtype];
  const copies = bytes === 4 ? 3 * 4 : bytes + 3 * 4;
  const logits = limits.maxSequences * model.vocabularySize * copies;
  const buffer = Math.min(samplerRows, limits.maxSequences) * model.vocabularySize * 4;
  const hidden = (limits.maxBatchedTokens + 2 * limits.maxSequences) * model.hiddenSize * bytes;
  return logits + buffer + hidden;
}

/**
 * While a layer computes, four vectors of the hidden size live for each token (two residuals, the normed input, the
 * output of attention), what its mixer projects to, and the MLP's products before and after the activation. Held against
 * the first of two and of four pipeline stages of Llama 3.1 8B, measured: 1.10 GiB for 1.10 and 1.05, and against the
 * same model in 32 bits: 2.16 for 2.21.
 */
function countLayerPeak(
  model: Model,
  group: LayerGroup,
  format: WeightFormat,
  parallelism: Parallelism,
  limits: BatchLimits,
): number {
  const bytes = dtypeBytes[format.dtype];
  const shards = group.tensors.map((tensor) => shardTensor(tensor, group, parallelism));
  const widths = (roles: readonly Tensor["role"][]) =>
    shards.filter((tensor) => roles.includes(tensor.role)).reduce((sum, tensor) => sum + countWidth(tensor), 0);
  const width = 4 * model.hiddenSize + widths(["attention"]) + widths(["mlp", "sharedExpert"]);
  return limits.maxBatchedTokens * width * bytes + countLatentPrefill(group, parallelism, limits) * bytes;
}

function countWidth(tensor: Tensor): number {
  if (tensor.in === 1) return 0;
  return tensor.shard === "row" ? tensor.in : tensor.out;
}

function countLatentPrefill({ mixer }: LayerGroup, parallelism: Parallelism, limits: BatchLimits): number {
  if (mixer.kind !== "mla") return 0;
  const wanted = Math.max(8 * limits.maxModelLen, 4 * limits.maxSequences * limits.blockSize);
  const tokens = Math.max(Math.min(wanted, latentPrefillTokens), limits.maxSequences * limits.blockSize);
  return (tokens * mixer.heads * (mixer.nopeHeadSize + mixer.valueHeadSize)) / parallelism.tensorParallel;
}

/**
 * Fused experts keep two buffers for good, with a row for each token and each of its experts: one for what goes into the
 * activation or out of the last product, one for what comes out of the activation (`fused_moe`, `workspace_shapes`).
 * Triton's MXFP4 kernels on Hopper keep only the latter, and the output.
 */
function countExpertWorkspace(
  model: Model,
  { mlp }: LayerGroup,
  format: WeightFormat,
  parallelism: Parallelism,
  limits: BatchLimits,
  architecture: Gpu["architecture"] | null,
): number {
  if (mlp.kind !== "moe") return 0;
  const width = mlp.intermediateSize / (parallelism.tensorParallel / parallelism.expertParallel);
  const rows = limits.maxBatchedTokens * mlp.expertsPerToken;
  const bytes = dtypeBytes[format.dtype];
  if (format.scheme?.format === "mxfp4" && architecture === "hopper") {
    return (rows * width + limits.maxBatchedTokens * model.hiddenSize) * bytes;
  }
  return rows * (Math.max(width, model.hiddenSize) + Math.max(2 * width, model.hiddenSize)) * bytes;
}

/**
 * Images are encoded in the same profile: as many patches as fill a batch, four to a token as most towers merge them,
 * through the widest layer of the tower. An estimate: no boot of such a model is among those measured.
 */
function countImagePeak(model: Model, format: WeightFormat, limits: BatchLimits): number {
  const vision = model.outer.filter((tensor) => tensor.role === "vision");
  if (vision.length === 0) return 0;
  const find = (module: string) => vision.find((tensor) => tensor.module === module);
  const width = (find("fc1")?.out ?? 0) + (find("fc2")?.in ?? 0) + 5 * (find("fc2")?.out ?? 0);
  const patches = 4 * limits.maxBatchedTokens;
  return (patches * width + limits.maxBatchedTokens * model.hiddenSize) * dtypeBytes[format.dtype];
}
