import type { Mixer, Tensor } from "./model.ts";
import { linear, vector } from "./tensors.ts";

export type Span = Extract<Mixer, { kind: "attention" }>["span"];
export type MixerPart = { mixer: Mixer; tensors: Tensor[] };

export type AttentionShape = {
  hidden: number;
  heads: number;
  kvHeads: number;
  headSize: number;
  span: Span;
  qkvBias?: boolean;
  outBias?: boolean;
  /** Norms of queries and keys: one vector for all heads ("head"), or one value for each element of each head ("all"). */
  qkNorm?: "head" | "all" | null;
  qkNormBias?: boolean;
  /** The module that holds q, k and v in one matrix; absent where they are three. */
  fused?: string;
  out?: string;
  /** q_proj also yields a gate of the size of the query (Qwen3-Next). */
  gated?: boolean;
};

/** Softmax attention with its projections (Vaswani 2017; grouped keys and values: Ainslie 2023). */
export function buildAttention(shape: AttentionShape): MixerPart {
  const { hidden, heads, kvHeads, headSize, qkvBias: bias = false } = shape;
  const query = heads * headSize * (shape.gated ? 2 : 1);
  const keyValue = kvHeads * headSize;
  const project = (module: string, out: number, shard: Tensor["shard"]) =>
    linear(module, "attention", shard, { in: hidden, out }, { bias });
  const inputs = shape.fused
    ? [project(shape.fused, query + 2 * keyValue, "column")]
    : [project("q_proj", query, "column"), project("k_proj", keyValue, "kv"), project("v_proj", keyValue, "kv")];
  const norms =
    shape.qkNorm === "head"
      ? [vector("q_norm", headSize, { bias: shape.qkNormBias }), vector("k_norm", headSize, { bias: shape.qkNormBias })]
      : shape.qkNorm === "all"
        ? [vector("q_norm", heads * headSize), vector("k_norm", keyValue)]
        : [];
  const out = linear(
    shape.out ?? "o_proj",
    "attention",
    "row",
    { in: heads * headSize, out: hidden },
    { bias: shape.outBias ?? false },
  );
  return {
    mixer: { kind: "attention", heads, kvHeads, headSize, valueHeadSize: headSize, span: shape.span },
    tensors: [...inputs, ...norms, out],
  };
}

export type LatentAttentionShape = {
  hidden: number;
  heads: number;
  queryRank: number | null;
  latentRank: number;
  ropeHeadSize: number;
  nopeHeadSize: number;
  valueHeadSize: number;
  bias?: boolean;
};

/** Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1); the down-projections are on every GPU. */
export function buildLatentAttention(shape: LatentAttentionShape): MixerPart {
  const { hidden, heads, queryRank, latentRank, ropeHeadSize, nopeHeadSize, valueHeadSize, bias } = shape;
  const query = heads * (nopeHeadSize + ropeHeadSize);
  const queries =
    queryRank === null
      ? [linear("q_proj", "attention", "column", { in: hidden, out: query })]
      : [
          linear("q_a_proj", "attention", "replicated", { in: hidden, out: queryRank }, { bias }),
          vector("q_a_layernorm", queryRank),
          linear("q_b_proj", "attention", "column", { in: queryRank, out: query }),
        ];
  return {
    mixer: { kind: "mla", heads, latentRank, ropeHeadSize, nopeHeadSize, valueHeadSize },
    tensors: [
      ...queries,
      linear("kv_a_proj_with_mqa", "attention", "replicated", { in: hidden, out: latentRank + ropeHeadSize }, { bias }),
      vector("kv_a_layernorm", latentRank),
      linear("kv_b_proj", "attention", "column", { in: latentRank, out: heads * (nopeHeadSize + valueHeadSize) }),
      linear("o_proj", "attention", "row", { in: heads * valueHeadSize, out: hidden }, { bias }),
    ],
  };
}
