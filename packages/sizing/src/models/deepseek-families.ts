import { buildAttention, buildLatentAttention, type MixerPart } from "./attention.ts";
import type { ConfigFields } from "./config-fields.ts";
import { buildNorms, buildOuter, type Family, listLayers, readHeads, twoNorms } from "./decoder.ts";
import { readQwenSpans } from "./dense-families.ts";
import { buildExperts, buildGatedMlp, type MlpPart } from "./mlp.ts";

/** Dense for the first layers, then experts beside shared ones (DeepSeekMoE, arXiv 2401.06066). */
function buildDeepseekMlps(fields: ConfigFields, hidden: number, scoreCorrection: boolean): (index: number) => MlpPart {
  const firstDense = fields.count(0, "first_k_dense_replace");
  const frequency = fields.integerOr(1, "moe_layer_freq");
  const width = fields.integer("moe_intermediate_size");
  const experts = buildExperts({
    hidden,
    intermediate: width,
    experts: fields.integer("n_routed_experts"),
    expertsPerToken: fields.integer("num_experts_per_tok"),
    sharedIntermediate: fields.count(0, "n_shared_experts") * width,
    scoreCorrection,
  });
  const dense = firstDense > 0 || frequency > 1 ? buildGatedMlp(hidden, fields.integer("intermediate_size")) : experts;
  return (index) => (index >= firstDense && index % frequency === 0 ? experts : dense);
}

const predictionNote =
  "The multi-token-prediction layers of the checkpoint are not counted: engines load them for speculation only.";

function noteOfPredictionLayers(fields: ConfigFields): readonly string[] {
  const hasLayers = fields.count(0, "num_nextn_predict_layers") > 0 || fields.boolean(false, "use_mtp");
  return hasLayers ? [predictionNote] : [];
}

/** DeepSeek-V2 (arXiv 2405.04434), V3 (arXiv 2412.19437) and Kimi K2. */
const deepseek: Family = (fields) => {
  const hidden = fields.integer("hidden_size");
  const usesCorrection = fields.text("model_type") !== "deepseek_v2" && fields.optionalText("topk_method") !== "greedy";
  const mixer: MixerPart = buildLatentAttention({
    hidden,
    heads: fields.integer("num_attention_heads"),
    queryRank: fields.optionalInteger("q_lora_rank"),
    latentRank: fields.integer("kv_lora_rank"),
    ropeHeadSize: fields.integer("qk_rope_head_dim"),
    nopeHeadSize: fields.integer("qk_nope_head_dim"),
    valueHeadSize: fields.integer("v_head_dim"),
    bias: fields.boolean(false, "attention_bias"),
  });
  const mlp = buildDeepseekMlps(fields, hidden, usesCorrection);
  return {
    ...buildOuter(fields, { hidden, tiedByDefault: false }),
    layers: listLayers(fields, (index) => ({ mixer, mlp: mlp(index), norms: buildNorms(hidden, twoNorms) })),
    notes: noteOfPredictionLayers(fields),
  };
};

/** GLM-4.5 and 4.6: DeepSeek's experts under grouped-query attention. */
const glm4Moe: Family = (fields) => {
  const heads = readHeads(fields);
  const bias = fields.boolean(false, "attention_bias");
  const qkNorm = fields.boolean(false, "use_qk_norm") ? "head" : null;
  const mlp = buildDeepseekMlps(fields, heads.hidden, true);
  return {
    ...buildOuter(fields, { hidden: heads.hidden, tiedByDefault: false }),
    layers: listLayers(fields, (index) => ({
      mixer: buildAttention({ ...heads, span: { kind: "full" }, qkvBias: bias, qkNorm }),
      mlp: mlp(index),
      norms: buildNorms(heads.hidden, twoNorms),
    })),
    notes: noteOfPredictionLayers(fields),
  };
};

/** dots.llm1 (arXiv 2506.05767): the same with norms of queries and keys. */
const dots1: Family = (fields) => {
  const heads = readHeads(fields);
  const bias = fields.boolean(false, "attention_bias");
  const spans = readQwenSpans(fields);
  const mlp = buildDeepseekMlps(fields, heads.hidden, true);
  return {
    ...buildOuter(fields, { hidden: heads.hidden, tiedByDefault: false }),
    layers: listLayers(fields, (index) => ({
      mixer: buildAttention({
        ...heads,
        span: spans[index] ?? { kind: "full" },
        qkvBias: bias,
        outBias: bias,
        qkNorm: "head",
      }),
      mlp: mlp(index),
      norms: buildNorms(heads.hidden, twoNorms),
    })),
  };
};

/** MiniMax-M2: full attention with norms over all heads, DeepSeek's score correction. */
const minimaxM2: Family = (fields) => {
  const heads = readHeads(fields);
  const experts = buildExperts({
    hidden: heads.hidden,
    intermediate: fields.integer("intermediate_size"),
    experts: fields.integer("num_local_experts"),
    expertsPerToken: fields.integer("num_experts_per_tok"),
    names: ["w1", "w3", "w2"],
    scoreCorrection: fields.boolean(true, "use_routing_bias"),
  });
  return {
    ...buildOuter(fields, { hidden: heads.hidden, tiedByDefault: false }),
    layers: listLayers(fields, () => ({
      mixer: buildAttention({
        ...heads,
        span: { kind: "full" },
        qkNorm: fields.boolean(true, "use_qk_norm") ? "all" : null,
      }),
      mlp: experts,
      norms: buildNorms(heads.hidden, twoNorms),
    })),
    notes: noteOfPredictionLayers(fields),
  };
};

/** DeepSeek and the models built on its experts, told apart by `model_type`. */
export const deepseekFamilies: Readonly<Record<string, Family>> = {
  deepseek_v2: deepseek,
  deepseek_v3: deepseek,
  kimi_k2: deepseek,
  glm4_moe: glm4Moe,
  dots1,
  minimax_m2: minimaxM2,
};
