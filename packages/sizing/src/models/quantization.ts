import type { ConfigFields } from "./config-fields.ts";
import { unsupported } from "./decoder.ts";
import type { Quantization, QuantizationScheme } from "./model.ts";

/** What a `quantization_config` says: how weights are stored, and which modules keep the model's dtype. */
export type QuantizationConfig = {
  scheme: QuantizationScheme;
  /** Is the module of this path (without the leading "model.") left as it is? */
  isSkipped: (path: string) => boolean;
  notes: readonly string[];
};

type Group = QuantizationScheme["group"];

/**
 * The storage of an engine's own quantisation when the checkpoint is not quantised (`--quantization` of vLLM): FP8 and
 * INT8 with one scale a matrix or channel, INT4 in groups of 128 with zero points, NVFP4 16, MXFP4 32, NF4 64.
 */
export const defaultSchemes: Readonly<Record<Quantization, QuantizationScheme>> = {
  fp8: { format: "fp8", weightBits: 8, scaleBits: 32, zeroBits: 0, group: { kind: "tensor" } },
  int8: { format: "int8", weightBits: 8, scaleBits: 32, zeroBits: 0, group: { kind: "channel" } },
  int4: { format: "int4", weightBits: 4, scaleBits: 16, zeroBits: 4, group: { kind: "group", size: 128 } },
  nvfp4: { format: "nvfp4", weightBits: 4, scaleBits: 8, zeroBits: 0, group: { kind: "group", size: 16 } },
  mxfp4: { format: "mxfp4", weightBits: 4, scaleBits: 8, zeroBits: 0, group: { kind: "group", size: 32 } },
  nf4: { format: "nf4", weightBits: 4, scaleBits: 32, zeroBits: 0, group: { kind: "group", size: 64 } },
};

/** @throws SizingError UNKNOWN_ARCHITECTURE for a method that is not known, naming `quantization_config.quant_method`. */
export function readQuantizationConfig(fields: ConfigFields): QuantizationConfig {
  const method = fields.text("quant_method");
  switch (method) {
    case "fp8":
    case "fbgemm_fp8":
      return of(readFp8(fields, method), readSkipped(fields));
    case "mxfp4":
      return of(defaultSchemes.mxfp4, readSkipped(fields));
    case "awq":
      return of(
        readIntegers(fields, ["bits", "w_bit"], ["group_size", "q_group_size"], fields.boolean(true, "zero_point")),
        readSkipped(fields),
      );
    case "gptq":
      // Files of GPTQ hold zero points also where they are all the same ("sym").
      return of(readIntegers(fields, ["bits"], ["group_size"], true), readSkipped(fields));
    case "bitsandbytes":
      return of(readBitsAndBytes(fields), readSkipped(fields));
    case "compressed-tensors":
      return readCompressedTensors(fields);
    case "modelopt":
    case "modelopt_fp4":
      return of(readModelOpt(fields), readSkipped(fields));
    default:
      return fields.wrong(
        "quant_method",
        "one of fp8, fbgemm_fp8, mxfp4, awq, gptq, bitsandbytes, compressed-tensors, modelopt",
      );
  }
}

function of(scheme: QuantizationScheme, skipped: readonly string[], notes: readonly string[] = []): QuantizationConfig {
  return { scheme, isSkipped: matchModules(skipped), notes };
}

function readSkipped(fields: ConfigFields): readonly string[] {
  const names = ["modules_to_not_convert", "ignore", "exclude_modules", "llm_int8_skip_modules", "ignored_layers"];
  return names.flatMap((name) => fields.texts(name) ?? []);
}

function readFp8(fields: ConfigFields, method: string): QuantizationScheme {
  const block = fields.integers("weight_block_size");
  const [out, input] = block ?? [];
  if (block !== null && (out === undefined || input === undefined || out < 1 || input < 1)) {
    return fields.wrong("weight_block_size", "two sizes [out, in], such as [128, 128]");
  }
  const group: Group =
    out !== undefined && input !== undefined
      ? { kind: "block", out, in: input }
      : { kind: method === "fbgemm_fp8" ? "channel" : "tensor" };
  return { ...defaultSchemes.fp8, group };
}

function readIntegers(
  fields: ConfigFields,
  bitNames: [string, ...string[]],
  groupNames: [string, ...string[]],
  hasZeros: boolean,
): QuantizationScheme {
  const bits = fields.integer(...bitNames);
  const [groupName] = groupNames;
  const perChannel = fields.number(0, groupName) === -1;
  const group: Group = perChannel ? { kind: "channel" } : { kind: "group", size: fields.integer(...groupNames) };
  return { ...integerScheme(fields, bitNames[0], bits), group, scaleBits: 16, zeroBits: hasZeros ? bits : 0 };
}

function integerScheme(fields: ConfigFields, name: string, bits: number): QuantizationScheme {
  if (bits === 4) return defaultSchemes.int4;
  if (bits === 8) return defaultSchemes.int8;
  return fields.wrong(name, "4 or 8");
}

function readBitsAndBytes(fields: ConfigFields): QuantizationScheme {
  if (fields.boolean(false, "load_in_8bit", "_load_in_8bit")) return defaultSchemes.int8;
  if (!fields.boolean(false, "load_in_4bit", "_load_in_4bit")) return fields.missing("load_in_4bit");
  // Double quantisation keeps the scales in 8 bits and one of 32 bits for 256 of them (QLoRA, arXiv 2305.14314, section 3).
  const isDouble = fields.boolean(false, "bnb_4bit_use_double_quant");
  return { ...defaultSchemes.nf4, scaleBits: isDouble ? 8 + 32 / 256 : 32 };
}

/** https://github.com/vllm-project/compressed-tensors: one or more groups of modules with the format of their weights. */
function readCompressedTensors(fields: ConfigFields): QuantizationConfig {
  const groups = fields.section("config_groups") ?? fields.missing("config_groups");
  const schemes = groups.names().map((name) => {
    const group = groups.section(name) ?? groups.missing(name);
    return readWeightsOf(group.section("weights") ?? group.missing("weights"));
  });
  const [first] = schemes.toSorted((left, right) => bitsOf(right) - bitsOf(left));
  if (!first) return fields.missing("config_groups");
  const isMixed = schemes.some((scheme) => JSON.stringify(scheme) !== JSON.stringify(first));
  const notes = isMixed
    ? ["The checkpoint mixes formats of weights; all are counted as the widest of them, so it may weigh less."]
    : [];
  return of(first, readSkipped(fields), notes);
}

function readWeightsOf(weights: ConfigFields): QuantizationScheme {
  const bits = weights.integer("num_bits");
  const isFloat = weights.optionalText("type") === "float";
  const strategy = weights.optionalText("strategy") ?? (weights.has("group_size") ? "group" : "tensor");
  const group = readStrategy(weights, strategy);
  const zeroBits = weights.boolean(true, "symmetric") ? 0 : bits;
  if (!isFloat) {
    // Packed integers keep scales at the model's 16 bits; 8-bit ones that are multiplied as such have scales of 32.
    const isPacked = group.kind === "group";
    return { ...integerScheme(weights, "num_bits", bits), group, scaleBits: isPacked ? 16 : 32, zeroBits };
  }
  if (bits === 8) return { ...defaultSchemes.fp8, group };
  if (bits !== 4) return weights.wrong("num_bits", "4 or 8 where type is float");
  return group.kind === "group" && group.size === 32 ? defaultSchemes.mxfp4 : defaultSchemes.nvfp4;
}

function readStrategy(weights: ConfigFields, strategy: string): Group {
  if (strategy === "tensor") return { kind: "tensor" };
  if (strategy === "channel") return { kind: "channel" };
  if (strategy === "group" || strategy === "tensor_group")
    return { kind: "group", size: weights.integer("group_size") };
  if (strategy === "block") {
    const [out, input] = weights.integers("block_structure") ?? weights.missing("block_structure");
    if (out !== undefined && input !== undefined) return { kind: "block", out, in: input };
  }
  return weights.wrong("strategy", "one of tensor, channel, group, tensor_group, block (with block_structure)");
}

/** NVIDIA's TensorRT Model Optimizer. */
function readModelOpt(fields: ConfigFields): QuantizationScheme {
  const name = (fields.optionalText("quant_algo") ?? fields.text("quant_method")).toUpperCase();
  if (name === "NVFP4" || name === "MODELOPT_FP4") return defaultSchemes.nvfp4;
  if (name === "FP8") return defaultSchemes.fp8;
  if (name === "FP8_PER_CHANNEL_PER_TOKEN") return { ...defaultSchemes.fp8, group: { kind: "channel" } };
  if (name === "FP8_PB_WO") return { ...defaultSchemes.fp8, group: { kind: "block", out: 128, in: 128 } };
  return fields.wrong("quant_algo", "one of NVFP4, FP8, FP8_PER_CHANNEL_PER_TOKEN, FP8_PB_WO");
}

function bitsOf(scheme: QuantizationScheme): number {
  const { group } = scheme;
  return scheme.weightBits + (group.kind === "group" ? (scheme.scaleBits + scheme.zeroBits) / group.size : 0);
}

/**
 * Skipped modules are written as full paths, as parts of them ("lm_head", "gate"), with "*", or as "re:" and a pattern
 * (compressed-tensors). A module is skipped with all that lies below it.
 */
function matchModules(entries: readonly string[]): (path: string) => boolean {
  const patterns = entries.filter((entry) => entry.startsWith("re:")).map((entry) => compile(entry.slice(3)));
  const bare = entries
    .filter((entry) => !entry.startsWith("re:"))
    .map((entry) => entry.replace(/^(model\.|language_model\.)+/, ""));
  const globs = bare
    .filter((entry) => entry.includes("*"))
    .map((entry) => compile(`(.*\\.)?${entry.split("*").map(escapePattern).join(".*")}(\\..*)?$`));
  const parts = new Set(bare.filter((entry) => !entry.includes("*")));
  return (path) =>
    listParts(path).some((part) => parts.has(part)) ||
    globs.some((glob) => glob.test(path)) ||
    (patterns.length > 0 && wholePaths(path).some((whole) => patterns.some((pattern) => pattern.test(whole))));
}

/** All runs of whole segments: "a.b" has "a", "a.b" and "b". */
function listParts(path: string): readonly string[] {
  const segments = path.split(".");
  return segments.flatMap((_, start) =>
    segments.slice(start).map((_each, length) => segments.slice(start, start + length + 1).join(".")),
  );
}

function wholePaths(path: string): readonly string[] {
  return [path, `model.${path}`, `model.language_model.${path}`, `language_model.model.${path}`];
}

function compile(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})`);
  } catch {
    return unsupported(`The pattern "${pattern}" among the modules that are not quantised cannot be read.`, {
      field: "quantization_config",
      value: pattern,
    });
  }
}

function escapePattern(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
}
