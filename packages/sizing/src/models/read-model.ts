import { SizingError } from "../sizing-error.ts";
import { classicFamilies } from "./classic-families.ts";
import { ConfigFields } from "./config-fields.ts";
import type { Decoder, Family, Layer } from "./decoder.ts";
import { deepseekFamilies } from "./deepseek-families.ts";
import { denseFamilies } from "./dense-families.ts";
import { expertFamilies } from "./expert-families.ts";
import { gemmaFamilies } from "./gemma-families.ts";
import { linearAttentionFamilies } from "./linear-attention-families.ts";
import { listModulePaths } from "./module-paths.ts";
import type { Dtype, LayerGroup, Model, Tensor } from "./model.ts";
import { type QuantizationConfig, readQuantizationConfig } from "./quantization.ts";
import { stateSpaceFamilies } from "./state-space-families.ts";
import { openWrapper, wrapperTypes } from "./wrappers.ts";

const families: Readonly<Record<string, Family>> = {
  ...denseFamilies,
  ...gemmaFamilies,
  ...expertFamilies,
  ...deepseekFamilies,
  ...linearAttentionFamilies,
  ...stateSpaceFamilies,
  ...classicFamilies,
};

/** The `model_type`s that `readModel` understands. */
export const knownModelTypes: readonly string[] = [...Object.keys(families), ...wrapperTypes].sort();

/**
 * Reads a Hugging Face config.json as it is into the inventory of its weights: text models, and multimodal wrappers
 * around them. Counted is what an engine loads: multi-token-prediction layers are left out and noted.
 * @throws SizingError UNKNOWN_ARCHITECTURE that names the field that is missing, wrong or not understood: an unknown
 * `model_type` is never read as if it were a known one, however alike its fields look.
 */
export function readModel(config: unknown): Model {
  const given = new ConfigFields(config);
  const type = given.text("model_type");
  if (!wrapperTypes.includes(type)) return assembleModel(type, given, readDecoder(type, given), given);
  const { text, textType, readVision } = openWrapper(given, type);
  const decoder = readDecoder(textType, text);
  const outer = [...decoder.outer, ...readVision(decoder.hiddenSize)];
  return assembleModel(type, text, { ...decoder, outer }, given);
}

function readDecoder(type: string, fields: ConfigFields): Decoder {
  const family = Object.hasOwn(families, type) ? families[type] : undefined;
  if (family) return family(fields);
  throw new SizingError(
    "UNKNOWN_ARCHITECTURE",
    `The model_type "${type}" is not known. Known: ${knownModelTypes.join(", ")}.`,
    { field: "model_type", value: type, known: knownModelTypes },
  );
}

function assembleModel(type: string, fields: ConfigFields, decoder: Decoder, outermost: ConfigFields): Model {
  const section = outermost.section("quantization_config") ?? fields.section("quantization_config");
  const quantization = section === null ? null : readQuantizationConfig(section);
  const { groups, layerOrder } = groupLayers(decoder.layers, quantization);
  const maxPositions = readMaxPositions(fields, decoder);
  return {
    type,
    hiddenSize: decoder.hiddenSize,
    vocabularySize: decoder.vocabularySize,
    maxPositions,
    groups,
    layerOrder,
    outer: decoder.outer,
    tiedEmbeddings: decoder.tiedEmbeddings,
    rotaryElements: (decoder.rotaryTables ?? 1) * maxPositions * readRotatedWidth(fields, groups),
    dtype: readDtype(fields) ?? readDtype(outermost) ?? "bfloat16",
    quantization: quantization?.scheme.format ?? null,
    ...(quantization === null ? {} : { quantizationScheme: quantization.scheme }),
    notes: [...(decoder.notes ?? []), ...(quantization?.notes ?? [])],
  };
}

function groupLayers(
  layers: readonly Layer[],
  quantization: QuantizationConfig | null,
): { groups: LayerGroup[]; layerOrder: number[] } {
  const groups: LayerGroup[] = [];
  const indexOf = new Map<string, number>();
  const layerOrder = layers.map(({ mixer, mlp, norms }, layer) => {
    const tensors = [...mixer.tensors, ...mlp.tensors, ...norms].map((tensor) =>
      markSkipped(tensor, layer, quantization),
    );
    const group = { mixer: mixer.mixer, mlp: mlp.mlp, tensors };
    const key = JSON.stringify(group);
    const index = indexOf.get(key) ?? groups.push({ count: 0, ...group }) - 1;
    indexOf.set(key, index);
    const known = groups[index];
    if (known) known.count += 1;
    return index;
  });
  return { groups, layerOrder };
}

function markSkipped(tensor: Tensor, layer: number, quantization: QuantizationConfig | null): Tensor {
  if (!tensor.quantizable || quantization === null) return tensor;
  const isSkipped = listModulePaths(tensor, layer).some((path) => quantization.isSkipped(path));
  return isSkipped ? { ...tensor, quantizable: false } : tensor;
}

/** As vLLM derives it (`_get_and_verify_max_len`): YaRN counts from the original length, other scalings from the given one. */
function readMaxPositions(fields: ConfigFields, decoder: Decoder): number {
  const names = ["max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "model_max_length"] as const;
  const given = fields.optionalInteger(...names) ?? decoder.maxPositions ?? fields.missing(names[0]);
  const scaling = fields.section("rope_scaling") ?? fields.section("rope_parameters");
  const kind = scaling?.optionalText("rope_type") ?? scaling?.optionalText("type");
  if (!scaling || !kind || decoder.positionsAreScaled || !["yarn", "linear", "dynamic"].includes(kind)) return given;
  const base = kind === "yarn" ? scaling.integerOr(given, "original_max_position_embeddings") : given;
  return Math.max(given, Math.floor(base * scaling.number(1, "factor")));
}

/** The part of a head that is rotated; sines and cosines take half of it each. */
function readRotatedWidth(fields: ConfigFields, groups: readonly LayerGroup[]): number {
  const mixer = groups.map((group) => group.mixer).find((each) => each.kind !== "recurrent");
  if (!mixer) return 0;
  if (mixer.kind === "mla") return mixer.ropeHeadSize;
  const scaling = fields.section("rope_parameters");
  const share = scaling?.has("partial_rotary_factor") ? scaling : fields;
  const name = ["partial_rotary_factor", "rotary_pct", "rope_pct"].find((each) => share.has(each));
  return Math.floor(mixer.headSize * (name === undefined ? 1 : share.number(1, name)));
}

function readDtype(fields: ConfigFields): Dtype | null {
  const name = fields.optionalText("dtype") ?? fields.optionalText("torch_dtype");
  if (name === null) return null;
  const short = name.replace("torch.", "");
  if (short === "bfloat16" || short === "float16" || short === "float32") return short;
  return fields.wrong(fields.has("dtype") ? "dtype" : "torch_dtype", "bfloat16, float16 or float32");
}
