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
import { buildExperts, buildGatedMlp, buildPlainMlp, type MlpPart, noMlp } from "./mlp.ts";
import { buildMamba1, buildMamba2, noMixer } from "./recurrent.ts";
import { linear, vector } from "./tensors.ts";

const full = { kind: "full" } as const;

/** Jamba (arXiv 2403.19887): one attention layer in `attn_layer_period`, experts in every `expert_layer_period`th. */
const jamba: Family = (fields) => {
  const heads = readHeads(fields);
  const { hidden } = heads;
  const attention = buildAttention({ ...heads, span: full });
  const mamba = buildMamba1({
    hidden,
    inner: fields.integer("mamba_expand") * hidden,
    stateSize: fields.integer("mamba_d_state"),
    rank:
      fields.has("mamba_dt_rank") && !fields.is("mamba_dt_rank", "auto")
        ? fields.integer("mamba_dt_rank")
        : Math.ceil(hidden / 16),
    kernel: fields.integer("mamba_d_conv"),
    convolutionBias: fields.boolean(true, "mamba_conv_bias"),
    bias: fields.boolean(false, "mamba_proj_bias"),
  });
  const width = fields.integer("intermediate_size");
  const dense = buildGatedMlp(hidden, width);
  const experts =
    fields.integerOr(1, "num_experts") > 1
      ? buildExperts({
          hidden,
          intermediate: width,
          experts: fields.integer("num_experts"),
          expertsPerToken: fields.integer("num_experts_per_tok"),
          router: "router",
        })
      : dense;
  const isAt = (index: number, kind: "attn" | "expert") =>
    index % fields.integer(`${kind}_layer_period`) === fields.count(null, `${kind}_layer_offset`);
  return {
    ...buildOuter(fields, { hidden, tiedByDefault: false }),
    rotaryTables: 0,
    layers: listLayers(fields, (index) => ({
      mixer: isAt(index, "attn") ? attention : mamba,
      mlp: isAt(index, "expert") ? experts : dense,
      norms: buildNorms(hidden, ["input_layernorm", "pre_ff_layernorm"]),
    })),
  };
};

const mamba2: Family = (fields) => {
  const hidden = fields.integer("hidden_size");
  const mixer = buildMamba2({
    hidden,
    heads: fields.integer("num_heads"),
    headSize: fields.integer("head_dim"),
    stateSize: fields.integer("state_size"),
    groups: fields.integer("n_groups"),
    kernel: fields.integer("conv_kernel"),
    convolutionBias: fields.boolean(true, "use_conv_bias"),
    bias: fields.boolean(false, "use_bias"),
  });
  return {
    ...buildOuter(fields, { hidden, tiedByDefault: false }),
    maxPositions: Number.MAX_SAFE_INTEGER,
    rotaryTables: 0,
    layers: listLayers(fields, () => ({ mixer, mlp: noMlp, norms: buildNorms(hidden, ["norm"]) })),
  };
};

/** The Mamba-2 mixer by the field names of Bamba and Granite 4. */
function readMambaMixer(fields: ConfigFields, hidden: number): MixerPart {
  const heads = fields.integer("mamba_n_heads");
  const headSize =
    !fields.has("mamba_d_head") || fields.is("mamba_d_head", "auto")
      ? (fields.integerOr(2, "mamba_expand") * hidden) / heads
      : fields.integer("mamba_d_head");
  if (!Number.isInteger(headSize)) fields.wrong("mamba_n_heads", "a divisor of mamba_expand x hidden_size");
  return buildMamba2({
    hidden,
    heads,
    headSize,
    stateSize: fields.integer("mamba_d_state"),
    groups: fields.integer("mamba_n_groups"),
    kernel: fields.integer("mamba_d_conv"),
    convolutionBias: fields.boolean(true, "mamba_conv_bias"),
    bias: fields.boolean(false, "mamba_proj_bias"),
  });
}

const bamba: Family = (fields) => {
  const heads = readHeads(fields);
  const { hidden } = heads;
  const full = new Set(fields.integers("attn_layer_indices") ?? []);
  const bias = fields.boolean(false, "attention_bias");
  const attention = buildAttention({ ...heads, span: { kind: "full" }, qkvBias: bias, outBias: bias });
  const mamba = readMambaMixer(fields, hidden);
  const mlp = buildGatedMlp(hidden, fields.integer("intermediate_size"), { bias: fields.boolean(false, "mlp_bias") });
  return {
    ...buildOuter(fields, { hidden, tiedByDefault: false }),
    layers: listLayers(fields, (index) => ({
      mixer: full.has(index) ? attention : mamba,
      mlp,
      norms: buildNorms(hidden, ["input_layernorm", "pre_ff_layernorm"]),
    })),
  };
};

/** Granite 3 MoE (all attention) and Granite 4 (Mamba-2 layers, one shared MLP beside the experts). */
const graniteMoe: Family = (fields) => {
  const heads = readHeads(fields);
  const { hidden } = heads;
  const types = readLayerTypes(fields, countConfigLayers(fields)) ?? fields.texts("layers_block_type");
  const isHybrid = fields.text("model_type") === "granitemoehybrid";
  if (isHybrid && types === null) fields.missing("layer_types");
  const isRecurrent = (index: number) => types !== null && ["mamba", "linear_attention"].includes(types[index] ?? "");
  const bias = fields.boolean(false, "attention_bias");
  const attention = buildAttention({ ...heads, span: full, qkvBias: bias, outBias: bias });
  const mamba = types?.some((_, index) => isRecurrent(index)) ? readMambaMixer(fields, hidden) : noMixer;
  const experts = fields.count(isHybrid ? 0 : null, "num_local_experts");
  const shared = fields.count(isHybrid ? null : 0, "shared_intermediate_size");
  const mlp = buildGraniteMlp(fields, hidden, experts, shared);
  return {
    ...buildOuter(fields, { hidden, tiedByDefault: false }),
    layers: listLayers(fields, (index) => ({
      mixer: isRecurrent(index) ? mamba : attention,
      mlp,
      norms: buildNorms(hidden, twoNorms),
    })),
  };
};

function buildGraniteMlp(fields: ConfigFields, hidden: number, experts: number, shared: number): MlpPart {
  const sharedTensors = (role: "mlp" | "sharedExpert") =>
    shared === 0
      ? []
      : [
          linear("input_linear", role, "column", { in: hidden, out: 2 * shared }),
          linear("output_linear", role, "row", { in: shared, out: hidden }),
        ];
  if (experts === 0) return { mlp: { kind: "dense", intermediateSize: shared }, tensors: sharedTensors("mlp") };
  const width = fields.integer("intermediate_size");
  const active = fields.integer("num_experts_per_tok");
  const options = { copies: experts, active };
  return {
    mlp: { kind: "moe", experts, expertsPerToken: active, intermediateSize: width, sharedIntermediateSize: shared },
    tensors: [
      linear("layer", "router", "replicated", { in: hidden, out: experts }, { quantizable: false }),
      linear("input_linear", "expert", "expert", { in: hidden, out: 2 * width }, options),
      linear("output_linear", "expert", "expert", { in: width, out: hidden }, options),
      ...sharedTensors("sharedExpert"),
    ],
  };
}

/** Nemotron-H (arXiv 2504.03624): each layer is one of Mamba-2, attention, MLP or experts, by a pattern of letters. */
const nemotronH: Family = (fields) => {
  const heads = readHeads(fields, { headSize: fields.optionalInteger("attention_head_dim") ?? 128 });
  const { hidden } = heads;
  const kinds = readNemotronKinds(fields);
  const bias = fields.boolean(false, "use_bias");
  const attention = buildAttention({ ...heads, span: full });
  const mamba = () =>
    buildMamba2({
      hidden,
      heads: fields.integer("mamba_num_heads"),
      headSize: fields.integer("mamba_head_dim"),
      stateSize: fields.integer("ssm_state_size"),
      groups: fields.integer("n_groups"),
      kernel: fields.integer("conv_kernel"),
      convolutionBias: fields.boolean(true, "use_conv_bias"),
      bias,
      stateDtype: readStateDtype(fields, "mamba_ssm_cache_dtype"),
    });
  const mlpBias = fields.boolean(false, "mlp_bias");
  const dense = () =>
    buildPlainMlp(hidden, fields.integer("intermediate_size"), { bias: mlpBias, names: ["up_proj", "down_proj"] });
  const experts = () => {
    if (fields.has("moe_latent_size")) fields.wrong("moe_latent_size", "null: experts in a latent space are not sized");
    return buildExperts({
      hidden,
      intermediate: fields.integer("moe_intermediate_size"),
      experts: fields.integer("n_routed_experts"),
      expertsPerToken: fields.integer("num_experts_per_tok"),
      sharedIntermediate: fields.count(0, "n_shared_experts") * fields.integer("moe_shared_expert_intermediate_size"),
      plain: true,
      scoreCorrection: true,
    });
  };
  return {
    ...buildOuter(fields, { hidden, tiedByDefault: false }),
    rotaryTables: 0,
    layers: kinds.map((kind) => ({
      mixer: kind === "mamba" ? mamba() : kind === "attention" ? attention : noMixer,
      mlp: kind === "mlp" ? dense() : kind === "moe" ? experts() : noMlp,
      norms: [vector("norm", hidden)],
    })),
  };
};

const nemotronLetters: Readonly<Record<string, string>> = { M: "mamba", "*": "attention", "-": "mlp", E: "moe" };
const nemotronNames: Readonly<Record<string, string>> = { linear_attention: "mamba", full_attention: "attention" };

function readNemotronKinds(fields: ConfigFields): readonly string[] {
  const pattern = fields.optionalText("hybrid_override_pattern");
  const names = fields.texts("layers_block_type") ?? fields.texts("layer_types");
  const field = pattern === null ? "layers_block_type" : "hybrid_override_pattern";
  const kinds =
    pattern === null
      ? (names ?? fields.missing("hybrid_override_pattern")).map((name) => nemotronNames[name] ?? name)
      : Array.from(pattern, (letter) => nemotronLetters[letter] ?? letter);
  if (!kinds.every((kind) => ["mamba", "attention", "mlp", "moe"].includes(kind))) {
    fields.wrong(field, "made of Mamba (M), attention (*), MLP (-) and expert (E) layers");
  }
  return kinds;
}

/** Models with layers of state-space type, alone or beside attention, told apart by `model_type`. */
export const stateSpaceFamilies: Readonly<Record<string, Family>> = {
  jamba,
  mamba2,
  bamba,
  granitemoe: graniteMoe,
  granitemoehybrid: graniteMoe,
  nemotron_h: nemotronH,
};
