import type { Tensor } from "./model.ts";

const parents: Readonly<Partial<Record<Tensor["role"], readonly string[]>>> = {
  attention: ["self_attn", "attn", "attention", "linear_attn", "mixer", "mamba", "self_attention"],
  mlp: ["mlp", "feed_forward", "mixer", "shared_mlp"],
  expert: ["mlp.experts", "mlp.experts.0", "block_sparse_moe.experts.0", "feed_forward.experts", "mixer.experts.0"],
  sharedExpert: ["mlp.shared_experts", "mlp.shared_expert", "feed_forward.shared_expert", "mixer.shared_experts"],
};

/**
 * The paths under which checkpoints of one family or another name this matrix of layer `layer`, without the leading
 * "model.": what the lists of modules that are not quantised are held against.
 */
export function listModulePaths(tensor: Tensor, layer: number): readonly string[] {
  return (parents[tensor.role] ?? []).map((parent) => `layers.${layer}.${parent}.${tensor.module}`);
}
