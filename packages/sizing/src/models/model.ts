/**
 * A model as sizing sees it: an inventory of its weight matrices, grouped by equal layers. What a model weighs, what it
 * computes for a token, what LoRA adds and how an engine splits it over GPUs all follow from this one list.
 */
export type Model = {
  /** `model_type` of config.json, e.g. "qwen3_moe". */
  type: string;
  hiddenSize: number;
  vocabularySize: number;
  /** `max_position_embeddings`, in tokens; what a context may never exceed. */
  maxPositions: number;
  /** Equal consecutive or interleaved layers are one group; groups stand in the order of their first layer. */
  groups: readonly LayerGroup[];
  /** For each layer in its order, the index of its group: pipeline stages of hybrid models differ by it. */
  layerOrder: readonly number[];
  /** Outside the layers: embeddings, output head, final norm, vision tower, multi-token-prediction heads, … */
  outer: readonly Tensor[];
  /** The output head reads the embedding matrix: counted once, computed with all the same. */
  tiedEmbeddings: boolean;
  /** Elements of the tables of sines and cosines that engines keep for rotary positions; 0 without such positions. */
  rotaryElements: number;
  /** `torch_dtype`/`dtype` of config.json: what "auto" means for weights that are not quantised, and for the KV cache. */
  dtype: Dtype;
  /** How the checkpoint itself is quantised, if config.json says so. */
  quantization: Quantization | null;
  /** How many bits those weights take with their scales; absent where the checkpoint is not quantised. */
  quantizationScheme?: QuantizationScheme;
  /** What the counts leave out, in words: a vision tower of unknown shape, multi-token-prediction layers, … */
  notes: readonly string[];
};

export type LayerGroup = { count: number; mixer: Mixer; mlp: Mlp; tensors: readonly Tensor[] };

/** What mixes tokens, as far as its state and its work depend on the context. */
export type Mixer =
  | {
      kind: "attention";
      heads: number;
      kvHeads: number;
      /** Of queries and keys. */
      headSize: number;
      valueHeadSize: number;
      /** Tokens that a query sees: all, the last `window`, or those of its own chunk. */
      span: { kind: "full" } | { kind: "sliding"; window: number } | { kind: "chunked"; chunk: number };
    }
  /** Multi-head latent attention (DeepSeek-V2, 2024): one compressed vector a token, the same on every GPU of a TP group. */
  | {
      kind: "mla";
      heads: number;
      latentRank: number;
      ropeHeadSize: number;
      nopeHeadSize: number;
      valueHeadSize: number;
    }
  /**
   * State-space and linear-attention layers: a state of fixed size a sequence, in bytes at the model's dtype. A layer
   * that mixes no tokens at all (Nemotron-H has layers that are only an MLP) is one without state.
   */
  | {
      kind: "recurrent";
      heads: number;
      stateElements: number;
      convolutionElements: number;
      /** Of the state, where the config fixes it (the convolution's part keeps the model's). */
      stateDtype?: Dtype;
    };

export type Mlp =
  | { kind: "dense"; intermediateSize: number }
  | { kind: "moe"; experts: number; expertsPerToken: number; intermediateSize: number; sharedIntermediateSize: number }
  | { kind: "none" };

/** One weight matrix [out, in], or `copies` of equal shape (experts). A vector (norm, bias) has `in` = 1. */
export type Tensor = {
  /** The module's name as checkpoints and PEFT spell it: "q_proj", "gate_up_proj", "embed_tokens", … */
  module: string;
  role: "attention" | "mlp" | "expert" | "sharedExpert" | "router" | "norm" | "embedding" | "head" | "vision" | "other";
  in: number;
  out: number;
  copies: number;
  /** Copies that one token passes through: 1 for dense matrices, experts per token for experts, 0 for an embedding look-up. */
  active: number;
  /** Elements of its bias, over all copies. */
  bias: number;
  /** How tensor parallelism splits it: by rows, columns or vocabulary it is divided by TP (`replicated` is not). */
  shard: "column" | "row" | "vocabulary" | "expert" | "replicated" | "kv";
  /** False for what quantisation leaves at the model's dtype: norms, routers, embeddings, listed modules. */
  quantizable: boolean;
};

export type Dtype = "float32" | "bfloat16" | "float16";
export type Quantization = "fp8" | "int8" | "int4" | "nvfp4" | "mxfp4" | "nf4";

/** Storage of one quantised weight matrix [out, in]. */
export type QuantizationScheme = {
  format: Quantization;
  /** Bits of one element. */
  weightBits: number;
  /** Bits of one scale, and of the zero point that goes with it (0 where symmetric). */
  scaleBits: number;
  zeroBits: number;
  /** Elements that share a scale: along `in`, a block [out, in], one output channel, or the whole matrix. */
  group:
    | { kind: "group"; size: number }
    | { kind: "block"; out: number; in: number }
    | { kind: "channel" }
    | { kind: "tensor" };
};

export function listTensors(model: Model): (Tensor & { count: number })[] {
  return [
    ...model.outer.map((tensor) => ({ ...tensor, count: 1 })),
    ...model.groups.flatMap((group) => group.tensors.map((tensor) => ({ ...tensor, count: group.count }))),
  ];
}

export function countLayers(model: Model): number {
  return model.groups.reduce((sum, group) => sum + group.count, 0);
}

/** Every parameter that resides in memory. */
export function countParameters(model: Model): number {
  return listTensors(model).reduce((sum, each) => sum + each.count * (each.copies * each.in * each.out + each.bias), 0);
}

/** Parameters that take part in the computation of one token; a tied output head counts, an embedding look-up does not. */
export function countActiveParameters(model: Model): number {
  const head = model.tiedEmbeddings ? model.vocabularySize * model.hiddenSize : 0;
  return listTensors(model).reduce((sum, each) => {
    const bias = each.copies === 0 ? 0 : (each.bias * each.active) / each.copies;
    return sum + each.count * (each.active * each.in * each.out + bias);
  }, head);
}
