import type { Model } from "../models/model.ts";
import { countLayers } from "../models/model.ts";
import type { Parallelism } from "./parallelism.ts";

const gib = 1024 ** 3;

/**
 * Memory of the process that PyTorch does not manage, in bytes: modules loaded on first use, and between GPUs the
 * buffers of NCCL and of vLLM's all-reduce, which grow with the hidden size and the number of peers.
 * Fitted on 28 boots of vLLM 0.19 on H100 (0.24 to 0.26 GiB on one GPU, 2.06 to 2.21 on two and four); within 0.03 GiB.
 */
export function estimateNonTorch(model: Model, parallelism: Parallelism): number {
  const { tensorParallel, pipelineParallel } = parallelism;
  if (tensorParallel > 1) return 2.045 * gib + 7000 * (tensorParallel - 1) * model.hiddenSize;
  return pipelineParallel > 1 ? 0.07 * gib : 0.25 * gib;
}

/**
 * Memory of captured CUDA graphs, in bytes: a part for each layer of the stage, more for experts. Fitted on the same
 * boots, within 0.15 GiB.
 */
export function estimateCudaGraphs(model: Model, parallelism: Parallelism): number {
  const layers = countLayers(model) / parallelism.pipelineParallel;
  const hasExperts = model.groups.some((group) => group.mlp.kind === "moe");
  return (0.38 + 0.0167 * layers + (hasExperts ? 0.75 : 0)) * gib;
}
