import { z } from "zod";
import { SizingError } from "./sizing-error.ts";

/** What sizing needs of a dense decoder's Hugging Face config.json. */
export type ModelShape = {
  layers: number;
  hiddenSize: number;
  intermediateSize: number;
  vocabularySize: number;
  heads: number;
  kvHeads: number;
  headSize: number;
  tiedEmbeddings: boolean;
};

const configSchema = z.object({
  num_hidden_layers: z.number().int().positive(),
  hidden_size: z.number().int().positive(),
  intermediate_size: z.number().int().positive(),
  vocab_size: z.number().int().positive(),
  num_attention_heads: z.number().int().positive(),
  num_key_value_heads: z.number().int().positive().optional(),
  head_dim: z.number().int().positive().nullish(),
  tie_word_embeddings: z.boolean().default(false),
});

/** @throws SizingError UNKNOWN_ARCHITECTURE that names what the config lacks, never a guess. */
export function readModelShape(config: unknown): ModelShape {
  const parsed = configSchema.safeParse(config);
  if (!parsed.success) {
    throw new SizingError(
      "UNKNOWN_ARCHITECTURE",
      `The model's config.json cannot be sized: ${z.prettifyError(parsed.error)}`,
    );
  }
  const { data } = parsed;
  return {
    layers: data.num_hidden_layers,
    hiddenSize: data.hidden_size,
    intermediateSize: data.intermediate_size,
    vocabularySize: data.vocab_size,
    heads: data.num_attention_heads,
    kvHeads: data.num_key_value_heads ?? data.num_attention_heads,
    headSize: data.head_dim ?? data.hidden_size / data.num_attention_heads,
    tiedEmbeddings: data.tie_word_embeddings,
  };
}

/** LoRA parameters when every linear layer of the decoder blocks is adapted: rank x (in + out) for each. */
export function loraParameters(model: ModelShape, rank: number): number {
  const { hiddenSize: hidden, intermediateSize: mlp } = model;
  const query = model.heads * model.headSize;
  const keyValue = model.kvHeads * model.headSize;
  const perLayer = hidden + query + 2 * (hidden + keyValue) + (query + hidden) + 3 * (hidden + mlp);
  return model.layers * rank * perLayer;
}
