import { buildAttention } from "./attention.ts";
import type { ConfigFields } from "./config-fields.ts";
import {
  buildNorms,
  buildOuter,
  type Decoder,
  type Family,
  listLayers,
  readHeads,
  readSpans,
  readUniformSpans,
  twoNorms,
} from "./decoder.ts";
import { readQwenSpans } from "./dense-families.ts";
import { buildExperts, buildGatedMlp } from "./mlp.ts";
import { vector } from "./tensors.ts";

/** Mixtral (arXiv 2401.04088). */
const mixtral: Family = (fields) => {
  const heads = readHeads(fields);
  const spans = readUniformSpans(fields);
  const experts = buildExperts({
    hidden: heads.hidden,
    intermediate: fields.integer("intermediate_size"),
    experts: fields.integer("num_local_experts"),
    expertsPerToken: fields.integer("num_experts_per_tok"),
    names: ["w1", "w3", "w2"],
  });
  return {
    ...buildOuter(fields, { hidden: heads.hidden, tiedByDefault: false }),
    layers: listLayers(fields, (index) => ({
      mixer: buildAttention({ ...heads, span: spans[index] ?? { kind: "full" } }),
      mlp: experts,
      norms: buildNorms(heads.hidden, twoNorms),
    })),
  };
};

/** Phi-3.5-MoE: Mixtral with LayerNorms and biases. */
const phimoe: Family = (fields) => {
  const heads = readHeads(fields);
  const bias = fields.boolean(false, "attention_bias");
  const spans = readUniformSpans(fields);
  const experts = buildExperts({
    hidden: heads.hidden,
    intermediate: fields.integer("intermediate_size"),
    experts: fields.integer("num_local_experts"),
    expertsPerToken: fields.integer("num_experts_per_tok"),
    names: ["w1", "w3", "w2"],
  });
  return {
    ...buildOuter(fields, {
      hidden: heads.hidden,
      tiedByDefault: false,
      normBias: true,
      headBias: fields.boolean(false, "lm_head_bias"),
    }),
    layers: listLayers(fields, (index) => ({
      mixer: buildAttention({ ...heads, span: spans[index] ?? { kind: "full" }, qkvBias: bias, outBias: bias }),
      mlp: experts,
      norms: buildNorms(heads.hidden, twoNorms, true),
    })),
  };
};

/** Which layers hold experts: every `decoder_sparse_step`th but those of `mlp_only_layers` (transformers, Qwen2MoeConfig). */
export function isQwenSparse(fields: ConfigFields): (index: number) => boolean {
  const step = fields.integerOr(1, "decoder_sparse_step");
  const dense = new Set(fields.integers("mlp_only_layers") ?? []);
  return (index) => !dense.has(index) && (index + 1) % step === 0;
}

const qwen2Moe: Family = (fields) => buildQwenMoe(fields, { qkvBias: fields.boolean(true, "qkv_bias") });

const qwen3Moe: Family = (fields) => {
  const bias = fields.boolean(false, "attention_bias");
  return buildQwenMoe(fields, { qkvBias: bias, outBias: bias, qkNorm: "head" });
};

function buildQwenMoe(
  fields: ConfigFields,
  attention: { qkvBias: boolean; outBias?: boolean; qkNorm?: "head" },
): Decoder {
  const heads = readHeads(fields);
  const spans = readQwenSpans(fields);
  const isSparse = isQwenSparse(fields);
  const shared = attention.qkNorm === "head" ? 0 : fields.integer("shared_expert_intermediate_size");
  const experts = buildExperts({
    hidden: heads.hidden,
    intermediate: fields.integer("moe_intermediate_size"),
    experts: fields.integer("num_experts"),
    expertsPerToken: fields.integer("num_experts_per_tok"),
    sharedIntermediate: shared,
    sharedGate: shared > 0,
  });
  const dense = () => buildGatedMlp(heads.hidden, fields.integer("intermediate_size"));
  return {
    ...buildOuter(fields, { hidden: heads.hidden, tiedByDefault: false }),
    layers: listLayers(fields, (index) => ({
      mixer: buildAttention({ ...heads, span: spans[index] ?? { kind: "full" }, ...attention }),
      mlp: isSparse(index) ? experts : dense(),
      norms: buildNorms(heads.hidden, twoNorms),
    })),
  };
}

/** OLMoE (arXiv 2409.02060). */
const olmoe: Family = (fields) => {
  const heads = readHeads(fields);
  const bias = fields.boolean(false, "attention_bias");
  const experts = buildExperts({
    hidden: heads.hidden,
    intermediate: fields.integer("intermediate_size"),
    experts: fields.integer("num_experts"),
    expertsPerToken: fields.integer("num_experts_per_tok"),
  });
  return {
    ...buildOuter(fields, { hidden: heads.hidden, tiedByDefault: false }),
    layers: listLayers(fields, () => ({
      mixer: buildAttention({ ...heads, span: { kind: "full" }, qkvBias: bias, outBias: bias, qkNorm: "all" }),
      mlp: experts,
      norms: buildNorms(heads.hidden, twoNorms),
    })),
  };
};

/** gpt-oss (arXiv 2508.10925): biases everywhere, a learned sink per head, every other layer slides. */
const gptOss: Family = (fields) => {
  const heads = readHeads(fields, { headSize: 64 });
  const bias = fields.boolean(true, "attention_bias");
  const spans = readSpans(fields, (index) => index % 2 === 1);
  const experts = buildExperts({
    hidden: heads.hidden,
    intermediate: fields.integer("intermediate_size"),
    experts: fields.integer("num_local_experts"),
    expertsPerToken: fields.integer("num_experts_per_tok", "experts_per_token"),
    fused: true,
    bias: true,
    router: "router",
    routerBias: true,
  });
  return {
    ...buildOuter(fields, { hidden: heads.hidden, tiedByDefault: false }),
    layers: listLayers(fields, (index) => {
      const mixer = buildAttention({ ...heads, span: spans[index] ?? { kind: "full" }, qkvBias: bias, outBias: bias });
      const sinks = vector("sinks", heads.heads, { role: "attention" });
      return {
        mixer: { mixer: mixer.mixer, tensors: [...mixer.tensors, sinks] },
        mlp: experts,
        norms: buildNorms(heads.hidden, twoNorms),
      };
    }),
  };
};

/** Llama 4: three of four layers attend within a chunk; expert layers hold one shared expert of the same width. */
const llama4: Family = (fields) => {
  const heads = readHeads(fields);
  const bias = fields.boolean(false, "attention_bias");
  const interval = fields.integerOr(4, "no_rope_layer_interval");
  const ropeOf = fields.integers("no_rope_layers") ?? [];
  const chunk = fields.optionalInteger("attention_chunk_size");
  const isFull = (index: number) => (ropeOf[index] === undefined ? (index + 1) % interval === 0 : ropeOf[index] === 0);
  const width = fields.integer("intermediate_size");
  const step = fields.integerOr(1, "interleave_moe_layer_step");
  const listed = fields.integers("moe_layers");
  const isSparse = (index: number) => (listed && listed.length > 0 ? listed.includes(index) : (index + 1) % step === 0);
  const experts = buildExperts({
    hidden: heads.hidden,
    intermediate: width,
    experts: fields.integer("num_local_experts"),
    expertsPerToken: fields.integer("num_experts_per_tok"),
    sharedIntermediate: width,
    fused: true,
    router: "router",
  });
  return {
    ...buildOuter(fields, { hidden: heads.hidden, tiedByDefault: false }),
    layers: listLayers(fields, (index) => ({
      mixer: buildAttention({
        ...heads,
        span: chunk === null || isFull(index) ? { kind: "full" } : { kind: "chunked", chunk },
        qkvBias: bias,
        outBias: bias,
      }),
      mlp: isSparse(index) ? experts : buildGatedMlp(heads.hidden, fields.integer("intermediate_size_mlp")),
      norms: buildNorms(heads.hidden, twoNorms),
    })),
  };
};

/** Models with experts, told apart by `model_type`. */
export const expertFamilies: Readonly<Record<string, Family>> = {
  mixtral,
  phimoe,
  qwen2_moe: qwen2Moe,
  qwen3_moe: qwen3Moe,
  olmoe,
  gpt_oss: gptOss,
  llama4_text: llama4,
};
