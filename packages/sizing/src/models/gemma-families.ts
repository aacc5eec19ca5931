import { buildAttention, type Span } from "./attention.ts";
import type { ConfigFields } from "./config-fields.ts";
import {
  buildNorms,
  buildOuter,
  type Decoder,
  type Family,
  listLayers,
  readHeads,
  readSpans,
  twoNorms,
} from "./decoder.ts";
import { buildGatedMlp } from "./mlp.ts";

const fourNorms = [...twoNorms, "pre_feedforward_layernorm", "post_feedforward_layernorm"];

function buildGemma(
  fields: ConfigFields,
  traits: { norms: readonly string[]; qkNorm: boolean; spans: Span[]; defaults: { heads?: number; kvHeads?: number } },
): Decoder {
  const heads = readHeads(fields, { ...traits.defaults, headSize: 256 });
  const bias = fields.boolean(false, "attention_bias");
  const intermediate = fields.integer("intermediate_size");
  return {
    ...buildOuter(fields, { hidden: heads.hidden, tiedByDefault: true }),
    layers: listLayers(fields, (index) => ({
      mixer: buildAttention({
        ...heads,
        span: traits.spans[index] ?? { kind: "full" },
        qkvBias: bias,
        outBias: bias,
        qkNorm: traits.qkNorm ? "head" : null,
      }),
      mlp: buildGatedMlp(heads.hidden, intermediate),
      norms: buildNorms(heads.hidden, traits.norms),
    })),
  };
}

const gemma: Family = (fields) =>
  buildGemma(fields, { norms: twoNorms, qkNorm: false, spans: readSpans(fields, () => true), defaults: {} });

/** Gemma 2 (arXiv 2408.00118): every other layer slides, the first one does. */
const gemma2: Family = (fields) =>
  buildGemma(fields, {
    norms: fourNorms,
    qkNorm: false,
    spans: readSpans(fields, (index) => index % 2 === 1),
    defaults: {},
  });

/**
 * Gemma 3 (arXiv 2503.19786): one full layer after every five that slide. Published configs leave out what equals the
 * defaults of transformers' Gemma3TextConfig, so those defaults are part of the format.
 */
const gemma3: Family = (given) => {
  const fields = given.has("vocab_size") ? given : given.with({ vocab_size: 262_208 });
  const pattern = fields.integerOr(6, "sliding_window_pattern", "_sliding_window_pattern");
  const decoder = buildGemma(fields, {
    norms: fourNorms,
    qkNorm: true,
    spans: readSpans(fields, (index) => (index + 1) % pattern === 0, 4096),
    defaults: { heads: 8, kvHeads: 4 },
  });
  return { ...decoder, maxPositions: 131_072, positionsAreScaled: true, rotaryTables: 2 };
};

export const gemmaFamilies: Readonly<Record<string, Family>> = { gemma, gemma2, gemma3_text: gemma3 };
