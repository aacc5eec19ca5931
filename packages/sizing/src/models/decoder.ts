import { SizingError } from "../sizing-error.ts";
import type { MixerPart, Span } from "./attention.ts";
import type { ConfigFields } from "./config-fields.ts";
import type { MlpPart } from "./mlp.ts";
import type { Dtype, Tensor } from "./model.ts";
import { embedding, outputHead, vector } from "./tensors.ts";

/** One layer as a family describes it, before equal layers are grouped. */
export type Layer = { mixer: MixerPart; mlp: MlpPart; norms: readonly Tensor[] };

/** What a family of architectures makes of a config: its layers in their order, and everything outside of them. */
export type Decoder = {
  hiddenSize: number;
  vocabularySize: number;
  /** Where a config need not name it: the default of its class, or the largest number for models without positions. */
  maxPositions?: number;
  /** `max_position_embeddings` already counts what `rope_scaling` adds. */
  positionsAreScaled?: boolean;
  /** Of rotary positions: how many tables (one for each base frequency), none for other kinds of positions. */
  rotaryTables?: 0 | 1 | 2;
  layers: readonly Layer[];
  outer: readonly Tensor[];
  tiedEmbeddings: boolean;
  notes?: readonly string[];
};

export type Family = (fields: ConfigFields) => Decoder;

export type AttentionHeads = { hidden: number; heads: number; kvHeads: number; headSize: number };

/** Head counts of the usual field names. @throws SizingError when heads cannot share keys and values evenly. */
export function readHeads(fields: ConfigFields, defaults: Partial<AttentionHeads> = {}): AttentionHeads {
  const hidden = fields.integer("hidden_size", "n_embd", "d_model");
  const heads = read(fields, defaults.heads, "num_attention_heads", "n_head");
  const kvHeads = fields.optionalInteger("num_key_value_heads") ?? defaults.kvHeads ?? heads;
  const headSize = fields.optionalInteger("head_dim") ?? defaults.headSize ?? hidden / heads;
  if (heads % kvHeads !== 0) {
    fields.wrong("num_key_value_heads", `a divisor of the ${heads} of num_attention_heads`);
  }
  if (!Number.isInteger(headSize)) {
    fields.wrong("hidden_size", `a multiple of the ${heads} of num_attention_heads, or head_dim must be given`);
  }
  return { hidden, heads, kvHeads, headSize };
}

/** Of the usual field names; bounded, since every layer is walked through. */
export function countConfigLayers(fields: ConfigFields): number {
  const layers = fields.integer("num_hidden_layers", "n_layer", "n_layers", "num_layers");
  if (layers > 10_000) fields.wrong("num_hidden_layers", "at most 10,000");
  return layers;
}

export function listLayers(fields: ConfigFields, build: (index: number) => Layer): Layer[] {
  return Array.from({ length: countConfigLayers(fields) }, (_, index) => build(index));
}

/** The span of each layer by `layer_types` where the config has it, else by the rule of the family. */
export function readSpans(fields: ConfigFields, isFull: (index: number) => boolean, defaultWindow?: number): Span[] {
  const layers = countConfigLayers(fields);
  const types = readLayerTypes(fields, layers);
  const window = () => read(fields, defaultWindow, "sliding_window");
  return Array.from({ length: layers }, (_, index): Span => {
    const type = types?.[index] ?? (isFull(index) ? "full_attention" : "sliding_attention");
    if (type === "full_attention") return { kind: "full" };
    if (type === "sliding_attention") return { kind: "sliding", window: window() };
    if (type === "chunked_attention") return { kind: "chunked", chunk: fields.integer("attention_chunk_size") };
    return fields.wrong("layer_types", `full_attention, sliding_attention or chunked_attention, not ${type}`);
  });
}

export function readLayerTypes(fields: ConfigFields, layers: number): readonly string[] | null {
  const types = fields.texts("layer_types");
  if (types !== null && types.length !== layers) {
    fields.wrong("layer_types", `of as many entries as num_hidden_layers (${layers})`);
  }
  return types;
}

/** Of recurrent states, where the config names one. */
export function readStateDtype(fields: ConfigFields, name: string): Dtype | undefined {
  const value = fields.optionalText(name);
  return value === "float32" || value === "bfloat16" || value === "float16" ? value : undefined;
}

/** All layers slide when the config names a window (Mistral 7B v0.1, Phi-3). */
export function readUniformSpans(fields: ConfigFields): Span[] {
  return readSpans(fields, () => !fields.has("sliding_window"));
}

/** Embedding, final norm and, unless tied, the output head: what surrounds the layers of nearly all decoders. */
export function buildOuter(
  fields: ConfigFields,
  options: { hidden: number; tiedByDefault: boolean; normBias?: boolean; headBias?: boolean; norm?: Tensor | null },
): Pick<Decoder, "outer" | "tiedEmbeddings" | "hiddenSize" | "vocabularySize"> {
  const { hidden } = options;
  const vocabulary = fields.integer("vocab_size");
  const tiedEmbeddings = fields.boolean(options.tiedByDefault, "tie_word_embeddings");
  const norm = options.norm === undefined ? vector("norm", hidden, { bias: options.normBias }) : options.norm;
  return {
    hiddenSize: hidden,
    vocabularySize: vocabulary,
    tiedEmbeddings,
    outer: [
      embedding("embed_tokens", vocabulary, hidden),
      ...(norm === null ? [] : [norm]),
      ...(tiedEmbeddings ? [] : [outputHead("lm_head", vocabulary, hidden, options.headBias)]),
    ],
  };
}

/** The norms of a layer, `names` of `hidden` elements each. */
export function buildNorms(hidden: number, names: readonly string[], bias = false): Tensor[] {
  return names.map((name) => vector(name, hidden, { bias }));
}

export const twoNorms = ["input_layernorm", "post_attention_layernorm"] as const;

export function unsupported(message: string, details: Record<string, unknown> = {}): never {
  throw new SizingError("UNKNOWN_ARCHITECTURE", message, details);
}

function read(fields: ConfigFields, fallback: number | undefined, ...names: [string, ...string[]]): number {
  return fallback === undefined ? fields.integer(...names) : fields.integerOr(fallback, ...names);
}
