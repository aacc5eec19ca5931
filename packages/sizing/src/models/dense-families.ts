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
  readUniformSpans,
  twoNorms,
} from "./decoder.ts";
import { buildGatedMlp } from "./mlp.ts";

type Traits = {
  qkvBias?: boolean;
  outBias?: boolean;
  qkNorm?: "head" | "all" | null;
  mlpBias?: boolean;
  fusedQkv?: string;
  fusedMlp?: boolean;
  norms?: readonly string[];
  normBias?: boolean;
  tiedByDefault?: boolean;
  headSize?: number;
  spans?: Span[];
};

/** The decoder of Llama (arXiv 2302.13971) and of the many that differ from it by a bias, a norm or a fused matrix. */
function buildLlamaLike(fields: ConfigFields, traits: Traits): Decoder {
  const heads = readHeads(fields, { headSize: traits.headSize });
  const { hidden } = heads;
  const spans = traits.spans ?? readSpans(fields, () => true);
  const intermediate = fields.integer("intermediate_size");
  return {
    ...buildOuter(fields, {
      hidden,
      tiedByDefault: traits.tiedByDefault ?? false,
      normBias: traits.normBias,
    }),
    layers: listLayers(fields, (index) => ({
      mixer: buildAttention({
        ...heads,
        span: spans[index] ?? { kind: "full" },
        qkvBias: traits.qkvBias,
        outBias: traits.outBias,
        qkNorm: traits.qkNorm,
        fused: traits.fusedQkv,
      }),
      mlp: buildGatedMlp(hidden, intermediate, { bias: traits.mlpBias, fused: traits.fusedMlp }),
      norms: buildNorms(hidden, traits.norms ?? twoNorms, traits.normBias),
    })),
  };
}

/** Layers from `max_window_layers` on slide, and only if `use_sliding_window` says so (transformers, Qwen2Config). */
export function readQwenSpans(fields: ConfigFields): Span[] {
  if (!fields.boolean(false, "use_sliding_window") || !fields.has("sliding_window")) {
    return readSpans(fields, () => true);
  }
  const first = fields.count(28, "max_window_layers");
  return readSpans(fields, (index) => index < first, fields.integer("sliding_window"));
}

const llama: Family = (fields) => {
  const bias = fields.boolean(false, "attention_bias");
  return buildLlamaLike(fields, { qkvBias: bias, outBias: bias, mlpBias: fields.boolean(false, "mlp_bias") });
};

const mistral: Family = (fields) => buildLlamaLike(fields, { spans: readUniformSpans(fields) });

const qwen2: Family = (fields) => buildLlamaLike(fields, { qkvBias: true, spans: readQwenSpans(fields) });

const qwen3: Family = (fields) => {
  const bias = fields.boolean(false, "attention_bias");
  return buildLlamaLike(fields, {
    qkvBias: bias,
    outBias: bias,
    qkNorm: "head",
    headSize: 128,
    spans: readQwenSpans(fields),
  });
};

const phi3: Family = (fields) =>
  buildLlamaLike(fields, { fusedQkv: "qkv_proj", fusedMlp: true, spans: readUniformSpans(fields) });

const glm: Family = (fields) =>
  buildLlamaLike(fields, { qkvBias: fields.boolean(false, "attention_bias"), fusedMlp: true });

const glm4: Family = (fields) =>
  buildLlamaLike(fields, {
    qkvBias: fields.boolean(false, "attention_bias"),
    fusedMlp: true,
    norms: [...twoNorms, "post_self_attn_layernorm", "post_mlp_layernorm"],
  });

const olmo2: Family = (fields) => {
  const bias = fields.boolean(false, "attention_bias");
  return buildLlamaLike(fields, {
    qkvBias: bias,
    outBias: bias,
    qkNorm: "all",
    norms: ["post_attention_layernorm", "post_feedforward_layernorm"],
  });
};

const olmo3: Family = (fields) => {
  const bias = fields.boolean(false, "attention_bias");
  return buildLlamaLike(fields, {
    qkvBias: bias,
    outBias: bias,
    qkNorm: "all",
    norms: ["post_attention_layernorm", "post_feedforward_layernorm"],
    spans: readSpans(fields, (index) => (index + 1) % 4 === 0),
  });
};

/** The pattern of full layers is a text ("LLLG") in LG's own files and a period in those of transformers. */
const exaone4: Family = (fields) => {
  const letters = fields.isText("sliding_window_pattern") ? fields.text("sliding_window_pattern") : null;
  const period = letters === null ? fields.integerOr(4, "sliding_window_pattern") : letters.length;
  const isFull = (index: number) =>
    letters === null ? (index + 1) % period === 0 : letters[index % period] === "G" || letters === "";
  return buildLlamaLike(fields, {
    qkNorm: "head",
    norms: ["post_attention_layernorm", "post_feedforward_layernorm"],
    spans: fields.has("sliding_window") ? readSpans(fields, isFull) : readSpans(fields, () => true),
  });
};

const stablelm: Family = (fields) => {
  if (fields.boolean(false, "qk_layernorm")) fields.wrong("qk_layernorm", "false: its per-head norms are not sized");
  const parallel = fields.boolean(false, "use_parallel_residual");
  return buildLlamaLike(fields, {
    qkvBias: fields.boolean(false, "use_qkv_bias"),
    norms: parallel ? ["input_layernorm"] : twoNorms,
    normBias: true,
  });
};

const seedOss: Family = (fields) =>
  buildLlamaLike(fields, {
    qkvBias: fields.boolean(true, "attention_bias"),
    outBias: fields.boolean(false, "attention_out_bias"),
    mlpBias: fields.boolean(false, "mlp_bias"),
  });

const internlm2: Family = (fields) => {
  const bias = fields.boolean(false, "bias");
  return buildLlamaLike(fields, { qkvBias: bias, outBias: bias, fusedQkv: "wqkv" });
};

/** Qwen 1: one c_attn matrix with bias, and an MLP of which `intermediate_size` counts both halves (w1 and w2). */
const qwen: Family = (fields) => {
  const intermediate = fields.integer("intermediate_size") / 2;
  if (!Number.isInteger(intermediate)) fields.wrong("intermediate_size", "even: Qwen 1 divides it between w1 and w2");
  const heads = readHeads(fields, { headSize: fields.optionalInteger("kv_channels") ?? undefined });
  const bias = !fields.boolean(true, "no_bias");
  return {
    ...buildOuter(fields, { hidden: heads.hidden, tiedByDefault: false }),
    layers: listLayers(fields, () => ({
      mixer: buildAttention({
        ...heads,
        span: { kind: "full" },
        qkvBias: true,
        outBias: bias,
        fused: "c_attn",
        out: "c_proj",
      }),
      mlp: buildGatedMlp(heads.hidden, intermediate, { bias, names: ["w2", "w1", "c_proj"] }),
      norms: buildNorms(heads.hidden, ["ln_1", "ln_2"]),
    })),
  };
};

const exaone: Family = (fields) =>
  buildLlamaLike(fields.with({ num_hidden_layers: fields.integer("num_layers", "num_hidden_layers") }), {
    tiedByDefault: false,
  });

const ernie: Family = (fields) => {
  const bias = fields.boolean(false, "use_bias");
  return buildLlamaLike(fields, { qkvBias: bias, outBias: bias, mlpBias: bias, tiedByDefault: true, headSize: 128 });
};

/** Models that are sized like Llama, told apart by `model_type`. */
export const denseFamilies: Readonly<Record<string, Family>> = {
  llama,
  mistral,
  ministral3: (fields) => buildLlamaLike(fields, {}),
  ministral: mistral,
  qwen,
  qwen2,
  qwen3,
  phi3,
  glm,
  glm4,
  olmo2,
  olmo3,
  exaone,
  exaone4,
  stablelm,
  seed_oss: seedOss,
  internlm2,
  ernie4_5: ernie,
  hunyuan_v1_dense: (fields) => buildLlamaLike(fields, { ...sameBias(fields), qkNorm: "head" }),
  smollm3: (fields) => buildLlamaLike(fields, { ...sameBias(fields), tiedByDefault: true }),
  granite: (fields) => buildLlamaLike(fields, { ...sameBias(fields), mlpBias: fields.boolean(false, "mlp_bias") }),
};

function sameBias(fields: ConfigFields): Pick<Traits, "qkvBias" | "outBias"> {
  const bias = fields.boolean(false, "attention_bias");
  return { qkvBias: bias, outBias: bias };
}
