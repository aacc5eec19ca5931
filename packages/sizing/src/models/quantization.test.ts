import { expect, it } from "vitest";
import { ConfigFields } from "./config-fields.ts";
import { readQuantizationConfig } from "./quantization.ts";

const read = (config: Record<string, unknown>) =>
  readQuantizationConfig(new ConfigFields(config, "quantization_config"));

it("reads the formats in which checkpoints are published", () => {
  const weights = (changes: Record<string, unknown>) => ({
    quant_method: "compressed-tensors",
    config_groups: {
      group_0: { targets: ["Linear"], weights: { num_bits: 8, type: "float", symmetric: true, ...changes } },
    },
    ignore: ["lm_head"],
  });
  const group = { kind: "group", size: 128 };
  const cases: readonly (readonly [Record<string, unknown>, Record<string, unknown>])[] = [
    [
      { quant_method: "fp8", activation_scheme: "static" },
      { format: "fp8", group: { kind: "tensor" } },
    ],
    [
      { quant_method: "fp8", weight_block_size: [128, 128] },
      { format: "fp8", scaleBits: 32, group: { kind: "block", out: 128, in: 128 } },
    ],
    [{ quant_method: "fbgemm_fp8" }, { format: "fp8", group: { kind: "channel" } }],
    [{ quant_method: "mxfp4" }, { format: "mxfp4", weightBits: 4, scaleBits: 8, group: { kind: "group", size: 32 } }],
    [
      { quant_method: "awq", bits: 4, group_size: 128, zero_point: true },
      { format: "int4", scaleBits: 16, zeroBits: 4, group },
    ],
    [
      { quant_method: "awq", w_bit: 4, q_group_size: 64 },
      { format: "int4", group: { kind: "group", size: 64 } },
    ],
    [
      { quant_method: "gptq", bits: 4, group_size: 128, sym: true },
      { format: "int4", zeroBits: 4, group },
    ],
    [
      { quant_method: "gptq", bits: 8, group_size: -1 },
      { format: "int8", weightBits: 8, group: { kind: "channel" } },
    ],
    [
      { quant_method: "bitsandbytes", load_in_4bit: true },
      { format: "nf4", scaleBits: 32, group: { kind: "group", size: 64 } },
    ],
    [
      { quant_method: "bitsandbytes", load_in_4bit: true, bnb_4bit_use_double_quant: true },
      { format: "nf4", scaleBits: 8.125 },
    ],
    [
      { quant_method: "bitsandbytes", load_in_8bit: true },
      { format: "int8", group: { kind: "channel" } },
    ],
    [weights({ strategy: "channel" }), { format: "fp8", group: { kind: "channel" } }],
    [
      weights({ strategy: "block", block_structure: [128, 128] }),
      { format: "fp8", group: { kind: "block", out: 128, in: 128 } },
    ],
    [weights({ type: "int", strategy: "channel" }), { format: "int8", scaleBits: 32, zeroBits: 0 }],
    [
      weights({ type: "int", num_bits: 4, strategy: "group", group_size: 128 }),
      { format: "int4", scaleBits: 16, zeroBits: 0, group },
    ],
    [
      weights({ num_bits: 4, strategy: "tensor_group", group_size: 16 }),
      { format: "nvfp4", scaleBits: 8, group: { kind: "group", size: 16 } },
    ],
    [weights({ num_bits: 4, strategy: "group", group_size: 32 }), { format: "mxfp4" }],
    [{ quant_method: "modelopt", quant_algo: "NVFP4" }, { format: "nvfp4" }],
    [
      { quant_method: "modelopt", quant_algo: "FP8" },
      { format: "fp8", group: { kind: "tensor" } },
    ],
  ];
  for (const [config, scheme] of cases) expect(read(config).scheme, JSON.stringify(config)).toMatchObject(scheme);
});

it("knows which modules are left as they are, however they are written", () => {
  const isSkipped = (entries: string[], path: string) =>
    read({ quant_method: "fp8", modules_to_not_convert: entries }).isSkipped(path);
  expect(isSkipped(["model.layers.0.mlp.gate"], "layers.0.mlp.gate")).toBe(true);
  expect(isSkipped(["model.layers.0.mlp.gate"], "layers.0.mlp.gate_proj")).toBe(false);
  expect(isSkipped(["model.layers.0"], "layers.0.mlp.gate_proj")).toBe(true);
  expect(isSkipped(["model.layers.1"], "layers.11.mlp.gate_proj")).toBe(false);
  expect(isSkipped(["self_attn"], "layers.7.self_attn.q_proj")).toBe(true);
  expect(isSkipped(["model.layers.*.self_attn"], "layers.7.self_attn.q_proj")).toBe(true);
  expect(isSkipped(["re:.*self_attn.*"], "layers.7.self_attn.q_proj")).toBe(true);
  expect(isSkipped(["re:.*shared_experts"], "layers.7.mlp.experts.0.up_proj")).toBe(false);
  expect(isSkipped([], "layers.7.self_attn.q_proj")).toBe(false);
  expect(() => read({ quant_method: "fp8", ignore: ["re:(("] })).toThrow(/pattern/);
});

it("counts a checkpoint of mixed formats as the widest, and says so", () => {
  const weights = (num_bits: number) => ({
    weights: { num_bits, type: "float", strategy: num_bits === 8 ? "channel" : "tensor_group", group_size: 16 },
  });
  const mixed = read({ quant_method: "compressed-tensors", config_groups: { a: weights(4), b: weights(8) } });
  expect(mixed.scheme.format).toBe("fp8");
  expect(mixed.notes.join()).toContain("mixes formats");
});

it("names what a quantisation lacks", () => {
  expect(() => read({})).toThrow(/quantization_config\.quant_method/);
  expect(() => read({ quant_method: "awq", group_size: 128 })).toThrow(/quantization_config\.bits/);
  expect(() => read({ quant_method: "gptq", bits: 3, group_size: 128 })).toThrow(/bits .* 4 or 8/);
  expect(() => read({ quant_method: "fp8", weight_block_size: [128] })).toThrow(/weight_block_size/);
  expect(() => read({ quant_method: "compressed-tensors" })).toThrow(/config_groups/);
  expect(() => read({ quant_method: "bitsandbytes" })).toThrow(/load_in_4bit/);
});
