import { expect, it } from "vitest";
import { countParameters, type Quantization } from "../models/model.ts";
import { publishedModels } from "../models/published-models.ts";
import { defaultSchemes } from "../models/quantization.ts";
import { readModel } from "../models/read-model.ts";
import { chooseWeightFormat, countMatrixBytes, countWeightBytes } from "./weight-bytes.ts";

const configs = new Map(publishedModels.map(([name, , config]) => [name, config]));
const llama70b = readModel({
  model_type: "llama",
  hidden_size: 8192,
  intermediate_size: 28_672,
  num_hidden_layers: 80,
  num_attention_heads: 64,
  num_key_value_heads: 8,
  vocab_size: 128_256,
  max_position_embeddings: 131_072,
  torch_dtype: "bfloat16",
});

it("weighs 70 billion parameters at 282, 141, 73, 40 and 42 GB, in 32, 16, 8, 4 bits and NVFP4", () => {
  const gigabytes = (quantization: Quantization | null, dtype: "float32" | "bfloat16" = "bfloat16") =>
    countWeightBytes(llama70b, chooseWeightFormat(llama70b, dtype, quantization)) / 1e9;
  expect(gigabytes(null, "float32")).toBeCloseTo((4 * countParameters(llama70b)) / 1e9, 6);
  expect(gigabytes(null)).toBeCloseTo((2 * countParameters(llama70b)) / 1e9, 6);
  // The embedding and the head, 2.1 billion parameters, keep 16 bits in all of them.
  expect(gigabytes("fp8")).toBeCloseTo(68.45 + 4.2, 1);
  expect(gigabytes("int8")).toBeCloseTo(68.45 + 4.2, 1);
  expect(gigabytes("int4")).toBeCloseTo((68.45 * (4 + 20 / 128)) / 8 + 4.2, 1);
  expect(gigabytes("nvfp4")).toBeCloseTo((68.45 * 4.5) / 8 + 4.2, 1);
  expect(gigabytes("mxfp4")).toBeCloseTo((68.45 * 4.25) / 8 + 4.2, 1);
});

it("counts the scales of each kind of group", () => {
  const shape = { in: 4096, out: 1000, copies: 2 };
  expect(countMatrixBytes(shape, defaultSchemes.fp8)).toBe(2 * (4_096_000 + 4));
  expect(countMatrixBytes(shape, defaultSchemes.int8)).toBe(2 * (4_096_000 + 4 * 1000));
  expect(countMatrixBytes(shape, defaultSchemes.nvfp4)).toBe(2 * (2_048_000 + 256 * 1000));
  const block = { ...defaultSchemes.fp8, group: { kind: "block", out: 128, in: 128 } as const };
  expect(countMatrixBytes(shape, block)).toBe(2 * (4_096_000 + 4 * 8 * 32));
});

it("keeps the checkpoint's own format unless another one is asked for", () => {
  const oss = readModel({
    ...configs.get("gpt-oss-20b"),
    quantization_config: { quant_method: "mxfp4", ignore: ["self_attn"] },
  });
  expect(chooseWeightFormat(oss, null, null)).toEqual({ dtype: "bfloat16", scheme: defaultSchemes.mxfp4 });
  expect(chooseWeightFormat(oss, null, "fp8").scheme).toEqual(defaultSchemes.fp8);
  const awq = readModel({
    ...configs.get("Qwen2.5-7B"),
    quantization_config: { quant_method: "awq", bits: 4, group_size: 64 },
  });
  expect(chooseWeightFormat(awq, null, "int4").scheme?.group).toEqual({ kind: "group", size: 64 });
  expect(chooseWeightFormat(readModel(configs.get("Qwen2.5-7B")), "float16", null)).toEqual({
    dtype: "float16",
    scheme: null,
  });
});
