import { expect, it } from "vitest";
import { readSafetensorsHeader, readSafetensorsIndex } from "./safetensors.ts";

it("reads the bytes of a checkpoint from its index", () => {
  const index = {
    metadata: { total_size: 16_060_522_496 },
    weight_map: {
      "lm_head.weight": "model-00004-of-00004.safetensors",
      "model.norm.weight": "model-00004-of-00004.safetensors",
    },
  };
  expect(readSafetensorsIndex(index)).toEqual({ totalBytes: 16_060_522_496, tensors: 2, files: 1 });
  expect(() => readSafetensorsIndex({ metadata: {} })).toThrow(/metadata\.total_size/);
});

it("adds up the tensors of a header by their dtype", () => {
  const header = {
    __metadata__: { format: "pt" },
    "model.embed_tokens.weight": { dtype: "BF16", shape: [49_152, 576], data_offsets: [0, 56_623_104] },
    "model.layers.0.mlp.down_proj.weight": {
      dtype: "F8_E4M3",
      shape: [576, 1536],
      data_offsets: [56_623_104, 57_507_840],
    },
  };
  expect(readSafetensorsHeader(header)).toEqual({
    elements: 49_152 * 576 + 576 * 1536,
    totalBytes: 57_507_840,
    bytesByDtype: { BF16: 56_623_104, F8_E4M3: 884_736 },
  });
});

it("names the tensor whose entry contradicts itself", () => {
  const entry = { dtype: "BF16", shape: [2, 3], data_offsets: [0, 12] };
  expect(readSafetensorsHeader({ a: entry }).elements).toBe(6);
  expect(() => readSafetensorsHeader({ a: { ...entry, data_offsets: [0, 11] } })).toThrow(/entry a .* 11 bytes/);
  expect(() => readSafetensorsHeader({ b: { ...entry, dtype: "Q4" } })).toThrow(/entry b .* Q4/);
  expect(() => readSafetensorsHeader({ c: 1 })).toThrow(/entry c /);
  expect(() => readSafetensorsHeader(null)).toThrow(/header/);
});
