import type { ConfigFields } from "./config-fields.ts";
import type { Tensor } from "./model.ts";

type Shape = { in: number; out: number };

/** Part of an image encoder: `copies` equal matrices (one for each of its layers); no text token passes through it. */
function part(
  module: string,
  shape: Shape,
  options: { copies?: number; bias?: boolean; split?: boolean } = {},
): Tensor {
  const copies = options.copies ?? 1;
  return {
    module,
    role: "vision",
    ...shape,
    copies,
    active: 0,
    bias: options.bias ? copies * shape.out : 0,
    shard: options.split ? "column" : "replicated",
    quantizable: false,
  };
}

const norm = (module: string, size: number, bias: boolean, copies = 1) =>
  part(module, { in: 1, out: size }, { bias, copies });

type Encoder = {
  layers: number;
  hidden: number;
  intermediate: number;
  qkvBias: boolean;
  outBias: boolean;
  mlpBias: boolean;
  normBias: boolean;
  gated?: boolean;
};

/** The transformer blocks of a vision transformer (arXiv 2010.11929), with two norms each. */
function buildEncoder(shape: Encoder): Tensor[] {
  const { layers, hidden, intermediate } = shape;
  const inner = (module: string, size: Shape, bias: boolean) =>
    part(module, size, { copies: layers, bias, split: true });
  return [
    inner("qkv", { in: hidden, out: 3 * hidden }, shape.qkvBias),
    inner("proj", { in: hidden, out: hidden }, shape.outBias),
    inner("fc1", { in: hidden, out: (shape.gated ? 2 : 1) * intermediate }, shape.mlpBias),
    inner("fc2", { in: intermediate, out: hidden }, shape.mlpBias),
    norm("norm1", hidden, shape.normBias, layers),
    norm("norm2", hidden, shape.normBias, layers),
  ];
}

const biased = { qkvBias: true, outBias: true, mlpBias: true, normBias: true };

/** The pixels of one patch: what the patch embedding multiplies. */
function countPatchElements(vision: ConfigFields, frames = 1): number {
  return vision.integerOr(3, "num_channels", "in_channels", "in_chans") * frames * vision.size("patch_size") ** 2;
}

function countPatches(vision: ConfigFields): number {
  return Math.floor(vision.size("image_size") / vision.size("patch_size")) ** 2;
}

/** CLIP (arXiv 2103.00020) without its text side and projection. */
function buildClip(vision: ConfigFields): Tensor[] {
  const hidden = vision.integer("hidden_size");
  return [
    part("patch_embedding", { in: countPatchElements(vision), out: hidden }),
    norm("class_embedding", hidden, false),
    part("position_embedding", { in: hidden, out: countPatches(vision) + 1 }),
    norm("pre_layrnorm", hidden, true),
    ...buildEncoder({ ...biased, ...readEncoder(vision) }),
    norm("post_layernorm", hidden, true),
  ];
}

/** SigLIP (arXiv 2303.15343) without its pooling head. */
function buildSiglip(vision: ConfigFields): Tensor[] {
  const hidden = vision.integer("hidden_size");
  return [
    part("patch_embedding", { in: countPatchElements(vision), out: hidden }, { bias: true }),
    part("position_embedding", { in: hidden, out: countPatches(vision) }),
    ...buildEncoder({ ...biased, ...readEncoder(vision) }),
    norm("post_layernorm", hidden, true),
  ];
}

/** Pixtral (arXiv 2410.07073): no biases, gated MLP, rotary positions. */
function buildPixtral(vision: ConfigFields): Tensor[] {
  const hidden = vision.integer("hidden_size");
  return [
    part("patch_conv", { in: countPatchElements(vision), out: hidden }),
    norm("ln_pre", hidden, false),
    ...buildEncoder({
      ...readEncoder(vision),
      qkvBias: false,
      outBias: false,
      mlpBias: false,
      normBias: false,
      gated: true,
    }),
  ];
}

function readEncoder(vision: ConfigFields): Pick<Encoder, "layers" | "hidden" | "intermediate"> {
  return {
    layers: vision.integer("num_hidden_layers"),
    hidden: vision.integer("hidden_size"),
    intermediate: vision.integer("intermediate_size"),
  };
}

/** What a wrapper adds to its text model: the image encoder and the projector into the text model's width. */
export type VisionReader = (config: ConfigFields, vision: ConfigFields, textHidden: number) => Tensor[];

const llava: VisionReader = (config, vision, textHidden) => {
  const type = vision.text("model_type");
  const tower =
    type === "clip_vision_model"
      ? buildClip(vision)
      : type === "siglip_vision_model"
        ? buildSiglip(vision)
        : type === "pixtral"
          ? buildPixtral(vision)
          : vision.wrong("model_type", "clip_vision_model, siglip_vision_model or pixtral");
  const bias = config.boolean(true, "multimodal_projector_bias");
  return [
    ...tower,
    part("linear_1", { in: vision.integer("hidden_size"), out: textHidden }, { bias }),
    part("linear_2", { in: textHidden, out: textHidden }, { bias }),
  ];
};

const mistral3: VisionReader = (config, vision, textHidden) => {
  const hidden = vision.integer("hidden_size");
  const bias = config.boolean(false, "multimodal_projector_bias");
  const merge = config.integerOr(2, "spatial_merge_size") ** 2;
  return [
    ...buildPixtral(vision),
    norm("projector.norm", hidden, false),
    part("merging_layer", { in: hidden * merge, out: hidden }),
    part("linear_1", { in: hidden, out: textHidden }, { bias }),
    part("linear_2", { in: textHidden, out: textHidden }, { bias }),
  ];
};

const gemma3: VisionReader = (_config, vision, textHidden) => {
  const hidden = vision.integer("hidden_size");
  return [
    ...buildSiglip(vision),
    part("mm_input_projection", { in: textHidden, out: hidden }),
    norm("mm_soft_emb_norm", hidden, false),
  ];
};

/** Qwen2-VL (arXiv 2409.12191) and Qwen2.5-VL (arXiv 2502.13923); their patches span two frames. */
const qwen2Vl: VisionReader = (config, vision, textHidden) => {
  const isFirst = config.text("model_type") === "qwen2_vl";
  const hidden = isFirst ? vision.integerOr(1280, "embed_dim") : vision.integer("hidden_size");
  const merged = hidden * vision.integerOr(2, "spatial_merge_size") ** 2;
  const intermediate = isFirst
    ? Math.floor(hidden * vision.number(4, "mlp_ratio"))
    : vision.integerOr(3420, "intermediate_size");
  const layers = vision.integerOr(32, "depth");
  const frames = vision.integerOr(2, "temporal_patch_size");
  const patched = vision.has("patch_size") ? vision : vision.with({ patch_size: 14 });
  return [
    part("patch_embed", { in: countPatchElements(patched, frames), out: hidden }),
    ...buildEncoder({ ...biased, layers, hidden, intermediate, normBias: isFirst, gated: !isFirst }),
    norm("merger.ln_q", hidden, isFirst),
    part("merger.mlp.0", { in: merged, out: merged }, { bias: true }),
    part(
      "merger.mlp.2",
      { in: merged, out: isFirst ? textHidden : vision.integerOr(textHidden, "out_hidden_size") },
      { bias: true },
    ),
  ];
};

/** Qwen3-VL and Qwen 3.5: learned positions, mergers also after the layers of `deepstack_visual_indexes`. */
const qwen3Vl: VisionReader = (_config, vision) => {
  const hidden = vision.integer("hidden_size");
  const merged = hidden * vision.integerOr(2, "spatial_merge_size") ** 2;
  const outWidth = vision.integer("out_hidden_size");
  const deep = vision.integers("deepstack_visual_indexes")?.length ?? 0;
  const merger = (copies: number) => [
    part("merger.linear_fc1", { in: merged, out: merged }, { copies, bias: true }),
    part("merger.linear_fc2", { in: merged, out: outWidth }, { copies, bias: true }),
  ];
  return [
    part(
      "patch_embed",
      { in: countPatchElements(vision, vision.integerOr(2, "temporal_patch_size")), out: hidden },
      { bias: true },
    ),
    part("pos_embed", { in: hidden, out: vision.integer("num_position_embeddings") }),
    ...buildEncoder({
      ...biased,
      layers: vision.integer("depth"),
      hidden,
      intermediate: vision.integer("intermediate_size"),
    }),
    norm("merger.norm", hidden, true),
    ...merger(1),
    ...(deep > 0 ? [norm("deepstack.norm", merged, true, deep), ...merger(deep)] : []),
  ];
};

/** InternViT (arXiv 2312.14238) with its layer scales, and the two-layer projector behind a pixel shuffle. */
const internVl: VisionReader = (config, vision, textHidden) => {
  const shape = readEncoder(vision);
  const { hidden, layers } = shape;
  const qkNorm = vision.boolean(false, "qk_normalization", "use_qk_norm");
  const normBias = vision.optionalText("norm_type") !== "rms_norm";
  const shuffled = hidden * Math.round(1 / config.number(0.5, "downsample_ratio")) ** 2;
  return [
    part("patch_embedding", { in: countPatchElements(vision), out: hidden }, { bias: true }),
    norm("class_embedding", hidden, false),
    part("position_embedding", { in: hidden, out: countPatches(vision) + 1 }),
    ...buildEncoder({ ...biased, ...shape, qkvBias: vision.boolean(true, "qkv_bias", "attention_bias"), normBias }),
    norm("layer_scales", 2 * hidden, false, layers),
    ...(qkNorm ? [norm("qk_norms", 2 * hidden, false, layers)] : []),
    norm("mlp1.0", shuffled, true),
    part("mlp1.1", { in: shuffled, out: textHidden }, { bias: true }),
    part("mlp1.3", { in: textHidden, out: textHidden }, { bias: true }),
  ];
};

const llama4: VisionReader = (_config, vision, textHidden) => {
  const shape = readEncoder(vision);
  const { hidden } = shape;
  const projected = vision.integer("projector_output_dim");
  return [
    part("patch_embedding", { in: countPatchElements(vision), out: hidden }),
    norm("class_embedding", hidden, false),
    part("positional_embedding_vlm", { in: hidden, out: countPatches(vision) + 1 }),
    norm("layernorm_pre", hidden, true),
    ...buildEncoder({ ...biased, ...shape }),
    norm("layernorm_post", hidden, true),
    part("vision_adapter.fc1", { in: shape.intermediate, out: vision.integer("projector_input_dim") }),
    part("vision_adapter.fc2", { in: projected, out: projected }),
    part("multi_modal_projector", { in: vision.integer("vision_output_dim"), out: textHidden }),
  ];
};

/** By the `model_type` of the wrapper. */
export const visionReaders: Readonly<Record<string, VisionReader>> = {
  llava,
  mistral3,
  gemma3,
  llama4,
  qwen2_vl: qwen2Vl,
  qwen2_5_vl: qwen2Vl,
  qwen3_vl: qwen3Vl,
  qwen3_vl_moe: qwen3Vl,
  qwen3_5: qwen3Vl,
  qwen3_5_moe: qwen3Vl,
  internvl_chat: internVl,
  internvl: internVl,
};
