import { buildAttention, type MixerPart } from "./attention.ts";
import type { ConfigFields } from "./config-fields.ts";
import {
  buildNorms,
  buildOuter,
  countConfigLayers,
  type Family,
  listLayers,
  readHeads,
  readLayerTypes,
  readStateDtype,
  twoNorms,
} from "./decoder.ts";
import { isQwenSparse } from "./expert-families.ts";
import { buildExperts, buildGatedMlp, noMlp } from "./mlp.ts";
import { buildGatedDelta, buildLightning } from "./recurrent.ts";
import { linear } from "./tensors.ts";

const full = { kind: "full" } as const;

/** Qwen3-Next and Qwen 3.5: three Gated DeltaNet layers, then one of gated attention. */
function buildQwenHybrid(fields: ConfigFields, split: boolean, hasExperts: boolean): ReturnType<Family> {
  const heads = readHeads(fields, { headSize: 256 });
  const { hidden } = heads;
  const layers = countConfigLayers(fields);
  const interval = fields.integerOr(4, "full_attention_interval");
  const types = readLayerTypes(fields, layers);
  const isFull = (index: number) => (types === null ? (index + 1) % interval === 0 : types[index] === "full_attention");
  const bias = fields.boolean(false, "attention_bias");
  const attention = buildAttention({ ...heads, span: full, qkvBias: bias, outBias: bias, qkNorm: "head", gated: true });
  const delta = buildGatedDelta({
    hidden,
    keyHeads: fields.integer("linear_num_key_heads"),
    valueHeads: fields.integer("linear_num_value_heads"),
    keyHeadSize: fields.integer("linear_key_head_dim"),
    valueHeadSize: fields.integer("linear_value_head_dim"),
    kernel: fields.integer("linear_conv_kernel_dim"),
    split,
    stateDtype: readStateDtype(fields, "mamba_ssm_dtype"),
  });
  const isSparse = hasExperts ? isQwenSparse(fields) : () => false;
  const experts = hasExperts
    ? buildExperts({
        hidden,
        intermediate: fields.integer("moe_intermediate_size"),
        experts: fields.integer("num_experts"),
        expertsPerToken: fields.integer("num_experts_per_tok"),
        sharedIntermediate: fields.integer("shared_expert_intermediate_size"),
        sharedGate: true,
      })
    : noMlp;
  return {
    ...buildOuter(fields, { hidden, tiedByDefault: false }),
    layers: listLayers(fields, (index) => ({
      mixer: isFull(index) ? attention : delta,
      mlp: isSparse(index) ? experts : buildGatedMlp(hidden, fields.integer("intermediate_size")),
      norms: buildNorms(hidden, twoNorms),
    })),
  };
}

/** MiniMax-01 (arXiv 2501.08313): seven layers of lightning attention, then one of softmax attention. */
const minimax: Family = (fields) => {
  const heads = readHeads(fields);
  const { hidden } = heads;
  if (fields.count(0, "shared_intermediate_size") > 0) {
    fields.wrong("shared_intermediate_size", "0: shared experts of this family are not sized");
  }
  const listed = fields.integers("attn_type_list");
  const types = readLayerTypes(fields, countConfigLayers(fields));
  if (listed === null && types === null) fields.missing("layer_types");
  const isFull = (index: number) => (types === null ? listed?.[index] === 1 : types[index] === "full_attention");
  const attention = buildAttention({ ...heads, span: full });
  const lightning = buildLightning(heads);
  const experts = buildExperts({
    hidden,
    intermediate: fields.integer("intermediate_size"),
    experts: fields.integer("num_local_experts"),
    expertsPerToken: fields.integer("num_experts_per_tok"),
    names: ["w1", "w3", "w2"],
  });
  return {
    ...buildOuter(fields, { hidden, tiedByDefault: false }),
    layers: listLayers(fields, (index) => ({
      mixer: isFull(index) ? attention : lightning,
      mlp: experts,
      norms: buildNorms(hidden, twoNorms),
    })),
  };
};

/** LFM2 (Liquid AI): gated short convolutions, and attention in the layers of `layer_types` or `full_attn_idxs`. */
const lfm2: Family = (fields) => {
  const heads = readHeads(fields);
  const { hidden } = heads;
  const kernel = fields.integer("conv_L_cache");
  const bias = fields.boolean(false, "conv_bias");
  const types = readLayerTypes(fields, countConfigLayers(fields));
  const listed = fields.integers("full_attn_idxs");
  if (types === null && listed === null) fields.missing("layer_types");
  const isFull = (index: number) => (types === null ? listed?.includes(index) : types[index] === "full_attention");
  const attention = buildAttention({ ...heads, span: full, qkNorm: "head", out: "out_proj" });
  const convolution: MixerPart = {
    mixer: { kind: "recurrent", heads: hidden, stateElements: 0, convolutionElements: (kernel - 1) * hidden },
    tensors: [
      linear("in_proj", "attention", "column", { in: hidden, out: 3 * hidden }, { bias }),
      linear("conv", "other", "column", { in: kernel, out: hidden }, { bias, quantizable: false }),
      linear("out_proj", "attention", "row", { in: hidden, out: hidden }, { bias }),
    ],
  };
  const mlp = buildGatedMlp(hidden, readLfm2Width(fields), { names: ["w1", "w3", "w2"] });
  return {
    ...buildOuter(fields, { hidden, tiedByDefault: true }),
    layers: listLayers(fields, (index) => ({
      mixer: isFull(index) ? attention : convolution,
      mlp,
      norms: buildNorms(hidden, ["operator_norm", "ffn_norm"]),
    })),
  };
};

function readLfm2Width(fields: ConfigFields): number {
  const given = fields.integer("intermediate_size", "block_ff_dim");
  if (!fields.boolean(true, "block_auto_adjust_ff_dim")) return given;
  const width = Math.floor(fields.number(1, "block_ffn_dim_multiplier") * Math.floor((2 * given) / 3));
  const step = fields.integerOr(256, "block_multiple_of");
  return step * Math.ceil(width / step);
}

/** Models that mix attention with linear attention or short convolutions, told apart by `model_type`. */
export const linearAttentionFamilies: Readonly<Record<string, Family>> = {
  qwen3_next: (fields) => buildQwenHybrid(fields, false, true),
  qwen3_5_text: (fields) => buildQwenHybrid(fields, true, false),
  qwen3_5_moe_text: (fields) => buildQwenHybrid(fields, true, true),
  minimax,
  minimax_text_01: minimax,
  lfm2,
};
