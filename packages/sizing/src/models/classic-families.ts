import { buildAttention } from "./attention.ts";
import type { ConfigFields } from "./config-fields.ts";
import {
  buildNorms,
  buildOuter,
  type Family,
  listLayers,
  readHeads,
  readSpans,
  readUniformSpans,
  twoNorms,
} from "./decoder.ts";
import { buildGatedMlp, buildPlainMlp } from "./mlp.ts";
import { embedding } from "./tensors.ts";

const full = { kind: "full" } as const;

/** GPT-2: learned positions, biases everywhere; its matrices are Conv1D, [in, out] in the file, the same in number. */
const gpt2: Family = (fields) => {
  const heads = readHeads(fields);
  const { hidden } = heads;
  const width = fields.optionalInteger("n_inner") ?? 4 * hidden;
  const outer = buildOuter(fields, { hidden, tiedByDefault: true, normBias: true });
  const attention = buildAttention({
    ...heads,
    span: full,
    qkvBias: true,
    outBias: true,
    fused: "c_attn",
    out: "c_proj",
  });
  const mlp = buildPlainMlp(hidden, width, { bias: true, names: ["c_fc", "c_proj"] });
  return {
    ...outer,
    outer: [...outer.outer, embedding("wpe", fields.integer("n_positions"), hidden)],
    rotaryTables: 0,
    layers: listLayers(fields, () => ({ mixer: attention, mlp, norms: buildNorms(hidden, ["ln_1", "ln_2"], true) })),
  };
};

/** SantaCoder and StarCoder: GPT-2 with one head for keys and values. */
const gptBigCode: Family = (fields) =>
  gpt2(fields.with(fields.boolean(true, "multi_query") ? { num_key_value_heads: 1 } : {}));

const gptNeoX: Family = (fields) => {
  const heads = readHeads(fields);
  const { hidden } = heads;
  const bias = fields.boolean(true, "attention_bias");
  const names = ["dense_h_to_4h", "dense_4h_to_h"] as const;
  const attention = buildAttention({
    ...heads,
    span: full,
    qkvBias: bias,
    outBias: bias,
    fused: "query_key_value",
    out: "dense",
  });
  const mlp = buildPlainMlp(hidden, fields.integer("intermediate_size"), { bias: true, names });
  return {
    ...buildOuter(fields, { hidden, tiedByDefault: false, normBias: true }),
    layers: listLayers(fields, () => ({ mixer: attention, mlp, norms: buildNorms(hidden, twoNorms, true) })),
  };
};

/** Phi-1, Phi-1.5, Phi-2: attention and MLP in parallel behind one LayerNorm. */
const phi: Family = (fields) => {
  const heads = readHeads(fields);
  const { hidden } = heads;
  const qkNorm = fields.boolean(false, "qk_layernorm") ? "head" : null;
  const attention = buildAttention({
    ...heads,
    span: full,
    qkvBias: true,
    outBias: true,
    out: "dense",
    qkNorm,
    qkNormBias: true,
  });
  const mlp = buildPlainMlp(hidden, fields.integer("intermediate_size"), { bias: true, names: ["fc1", "fc2"] });
  return {
    ...buildOuter(fields, { hidden, tiedByDefault: false, normBias: true, headBias: true }),
    layers: listLayers(fields, () => ({ mixer: attention, mlp, norms: buildNorms(hidden, ["input_layernorm"], true) })),
  };
};

/** Falcon (arXiv 2311.16867): 7B with one key-value head, 40B and 180B with groups and two LayerNorms. */
const falcon: Family = (fields) => {
  const isNew = fields.boolean(false, "new_decoder_architecture");
  const isMultiQuery = fields.boolean(true, "multi_query");
  const groups = isNew ? fields.integer("num_kv_heads", "n_head_kv") : isMultiQuery ? 1 : null;
  const heads = readHeads(groups === null ? fields : fields.with({ num_key_value_heads: groups }));
  const { hidden } = heads;
  const bias = fields.boolean(false, "bias");
  const isParallel = fields.boolean(true, "parallel_attn");
  const norms = isNew
    ? fields.integerOr(2, "num_ln_in_parallel_attn") === 2
      ? ["ln_attn", "ln_mlp"]
      : ["input_layernorm"]
    : isParallel
      ? ["input_layernorm"]
      : twoNorms;
  const attention = buildAttention({
    ...heads,
    span: full,
    qkvBias: bias,
    outBias: bias,
    fused: "query_key_value",
    out: "dense",
  });
  const width = fields.optionalInteger("ffn_hidden_size") ?? 4 * hidden;
  const mlp = buildPlainMlp(hidden, width, { bias, names: ["dense_h_to_4h", "dense_4h_to_h"] });
  return {
    ...buildOuter(fields, { hidden, tiedByDefault: true, normBias: true }),
    maxPositions: 2048,
    layers: listLayers(fields, () => ({ mixer: attention, mlp, norms: buildNorms(hidden, norms, true) })),
  };
};

const starcoder2: Family = (fields) => {
  const heads = readHeads(fields);
  const { hidden } = heads;
  const bias = fields.boolean(true, "use_bias");
  const spans = readUniformSpans(fields);
  const mlp = buildPlainMlp(hidden, fields.integer("intermediate_size"), { bias, names: ["c_fc", "c_proj"] });
  return {
    ...buildOuter(fields, { hidden, tiedByDefault: true, normBias: true }),
    layers: listLayers(fields, (index) => ({
      mixer: buildAttention({ ...heads, span: spans[index] ?? full, qkvBias: bias, outBias: bias }),
      mlp,
      norms: buildNorms(hidden, twoNorms, true),
    })),
  };
};

/** Command R: attention and MLP in parallel behind one LayerNorm without shift, head tied to the embedding. */
const cohere: Family = (fields) => {
  const heads = readHeads(fields);
  const { hidden } = heads;
  const bias = fields.boolean(false, "attention_bias");
  const isSecond = fields.text("model_type") === "cohere2";
  const pattern = fields.integerOr(4, "sliding_window_pattern", "_sliding_window_pattern");
  const spans = isSecond ? readSpans(fields, (index) => (index + 1) % pattern === 0, 4096) : null;
  const qkNorm = fields.boolean(false, "use_qk_norm") ? "all" : null;
  const mlp = buildGatedMlp(hidden, fields.integer("intermediate_size"));
  return {
    ...buildOuter(fields, { hidden, tiedByDefault: true }),
    layers: listLayers(fields, (index) => ({
      mixer: buildAttention({ ...heads, span: spans?.[index] ?? full, qkvBias: bias, outBias: bias, qkNorm }),
      mlp,
      norms: buildNorms(hidden, ["input_layernorm"]),
    })),
  };
};

/** Nemotron-4, Minitron and Arcee: squared ReLU between two matrices. */
const nemotron: Family = (fields) => {
  const normBias = fields.text("model_type") === "nemotron";
  const heads = readHeads(fields);
  const { hidden } = heads;
  const bias = fields.boolean(false, "attention_bias");
  const attention = buildAttention({ ...heads, span: full, qkvBias: bias, outBias: bias });
  const mlp = buildPlainMlp(hidden, fields.integer("intermediate_size"), {
    bias: fields.boolean(false, "mlp_bias"),
    names: ["up_proj", "down_proj"],
  });
  return {
    ...buildOuter(fields, { hidden, tiedByDefault: false, normBias }),
    layers: listLayers(fields, () => ({ mixer: attention, mlp, norms: buildNorms(hidden, twoNorms, normBias) })),
  };
};

/** OLMo: Llama without weights in its norms. */
const olmo: Family = (fields) => {
  const heads = readHeads(fields);
  const bias = fields.boolean(false, "attention_bias");
  const attention = buildAttention({ ...heads, span: full, qkvBias: bias, outBias: bias });
  const mlp = buildGatedMlp(heads.hidden, fields.integer("intermediate_size"));
  return {
    ...buildOuter(fields, { hidden: heads.hidden, tiedByDefault: false, norm: null }),
    layers: listLayers(fields, () => ({ mixer: attention, mlp, norms: [] })),
  };
};

const opt: Family = (fields: ConfigFields) => {
  const heads = readHeads(fields);
  const { hidden } = heads;
  if (fields.optionalInteger("word_embed_proj_dim") !== hidden && fields.has("word_embed_proj_dim")) {
    fields.wrong("word_embed_proj_dim", `hidden_size (${hidden}): projected embeddings are not sized`);
  }
  const bias = fields.boolean(true, "enable_bias");
  const outer = buildOuter(fields, { hidden, tiedByDefault: true, normBias: true });
  const attention = buildAttention({ ...heads, span: full, qkvBias: bias, outBias: bias, out: "out_proj" });
  const mlp = buildPlainMlp(hidden, fields.integer("ffn_dim"), { bias, names: ["fc1", "fc2"] });
  const positions = fields.integer("max_position_embeddings") + 2;
  return {
    ...outer,
    outer: [...outer.outer, embedding("embed_positions", positions, hidden)],
    rotaryTables: 0,
    layers: listLayers(fields, () => ({ mixer: attention, mlp, norms: buildNorms(hidden, twoNorms, true) })),
  };
};

/** Older decoders with LayerNorms, biases or parallel blocks, told apart by `model_type`. */
export const classicFamilies: Readonly<Record<string, Family>> = {
  gpt2,
  gpt_bigcode: gptBigCode,
  gpt_neox: gptNeoX,
  phi,
  falcon,
  starcoder2,
  cohere,
  cohere2: cohere,
  nemotron,
  arcee: nemotron,
  olmo,
  opt,
};
