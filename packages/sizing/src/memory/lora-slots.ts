import type { Model } from "../models/model.ts";
import type { Parallelism } from "./parallelism.ts";
import { dtypeBytes, shardTensor, type WeightFormat } from "./weight-bytes.ts";

/** Adapters that stay loaded beside each other, and the largest rank of them (`--max-loras`, `--max-lora-rank`). */
export type LoraSlots = { maxLoras: number; maxRank: number };

/**
 * Bytes of empty LoRA slots on one GPU: vLLM reserves `maxLoras` pairs of matrices of the largest rank for every linear
 * layer, embedding and output head, whatever adapters come (`lora/layers`). Matrix A of a layer that is cut by rows of
 * its output is whole on each GPU; for the others, B is.
 */
export function countLoraBytes(model: Model, slots: LoraSlots, format: WeightFormat, parallelism: Parallelism): number {
  const all = [
    ...model.outer.filter((tensor) => tensor.role !== "vision").map((tensor) => ({ tensor, group: null, count: 1 })),
    ...model.groups.flatMap((group) => group.tensors.map((tensor) => ({ tensor, group, count: group.count }))),
  ];
  const elements = all.reduce((sum, { tensor, group, count }) => {
    if (tensor.in === 1 || tensor.role === "router") return sum;
    const shard = shardTensor(tensor, group, parallelism);
    return sum + count * shard.copies * slots.maxRank * (shard.in + shard.out);
  }, 0);
  const bytes = dtypeBytes[format.dtype === "float32" ? "float32" : "bfloat16"];
  return (slots.maxLoras * elements * bytes) / parallelism.pipelineParallel;
}
