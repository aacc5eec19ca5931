import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { SizingError } from "../sizing-error.ts";
import { countActiveParameters, countLayers, countParameters, listTensors, type Model } from "./model.ts";
import { publishedModels } from "./published-models.ts";
import { knownModelTypes, readModel } from "./read-model.ts";

const configs = join(import.meta.dirname, "../../../../../shared/sizing/configs");
const published = new Map(publishedModels.map(([name, , config]) => [name, config]));
const readPublished = (name: string, changes: Record<string, unknown> = {}): Model =>
  readModel({ ...published.get(name), ...changes });

it.each(publishedModels)("counts the parameters of %s exactly", (_name, parameters, config) => {
  expect(countParameters(readModel(config))).toBe(parameters);
});

/** As their makers and Hub pages name them: in billions, of all and of one token. */
const sharedConfigs = {
  "Qwen--Qwen2.5-7B-Instruct": [7_615_616_512, 7.1],
  "Qwen--Qwen3-235B-A22B-FP8": [235_093_634_560, 21.6],
  "Qwen--Qwen3-32B": [32_762_123_264, 32],
  "deepseek-ai--DeepSeek-V2-Lite-Chat": [15_706_484_224, 2.5],
  "google--gemma-2-9b-it": [9_241_705_984, 9.2],
  "meta-llama--Meta-Llama-3.1-70B": [70_553_706_496, 69.5],
  "meta-llama--Meta-Llama-3.1-8B": [8_030_261_248, 7.5],
  "openai--gpt-oss-120b": [116_829_156_672, 5.1],
} as const;

it.skipIf(!existsSync(configs))("counts the parameters of the files in ../shared exactly, all and active", () => {
  expect(
    readdirSync(configs)
      .map((file) => file.replace(".json", ""))
      .toSorted(),
  ).toEqual(Object.keys(sharedConfigs).toSorted());
  for (const [name, [parameters, active]] of Object.entries(sharedConfigs)) {
    const model = readModel(JSON.parse(readFileSync(join(configs, `${name}.json`), "utf8")));
    expect(countParameters(model), name).toBe(parameters);
    expect(countActiveParameters(model) / 1e9, name).toBeCloseTo(active, 1);
  }
});

it("knows which parameters compute one token", () => {
  const billions = (name: string) => countActiveParameters(readPublished(name)) / 1e9;
  expect(billions("DeepSeek-V3")).toBeCloseTo(36.6, 1); // 37 with the embedding (arXiv 2412.19437)
  expect(billions("Kimi-K2")).toBeCloseTo(31.7, 1); // "32B activated"
  expect(billions("Qwen3-30B-A3B")).toBeCloseTo(3.04, 2);
  expect(billions("Mixtral-8x7B")).toBeCloseTo(12.7, 1);
  expect(billions("Llama-3.2-1B")).toBeCloseTo(1.24, 2); // tied: the head computes all the same
});

it("refuses what it does not know, and names the field", () => {
  const llama = published.get("Llama-3.1-8B") ?? {};
  const failures: readonly (readonly [unknown, RegExp])[] = [
    [null, /The model must be the JSON object/],
    [[], /The model must be the JSON object/],
    ["llama", /The model must be the JSON object/],
    [{}, /lacks the field model_type/],
    [{ ...llama, model_type: "llama5" }, /model_type "llama5" is not known\. Known: .*llama/],
    [{ ...llama, model_type: "constructor" }, /model_type "constructor" is not known/],
    [{ ...llama, hidden_size: undefined }, /lacks the field hidden_size/],
    [{ ...llama, vocab_size: null }, /lacks the field vocab_size/],
    [{ ...llama, max_position_embeddings: undefined }, /lacks the field max_position_embeddings/],
    [{ ...llama, hidden_size: "4096" }, /hidden_size .* is "4096"; it must be a positive whole number/],
    [{ ...llama, num_hidden_layers: 0 }, /num_hidden_layers .* is 0/],
    [{ ...llama, num_hidden_layers: 1e6 }, /num_hidden_layers .* at most 10,000/],
    [{ ...llama, num_attention_heads: 33 }, /num_key_value_heads|hidden_size/],
    [{ ...llama, num_key_value_heads: 5 }, /num_key_value_heads .* a divisor of the 32/],
    [{ ...llama, hidden_size: 4097 }, /hidden_size .* a multiple of the 32/],
    [{ ...llama, tie_word_embeddings: "yes" }, /tie_word_embeddings .* true or false/],
    [{ ...llama, torch_dtype: "int8" }, /torch_dtype .* bfloat16, float16 or float32/],
    [{ ...llama, layer_types: ["full_attention"] }, /layer_types .* as many entries as num_hidden_layers/],
    [{ ...llama, layer_types: Array.from({ length: 32 }, () => "magic") }, /layer_types .* not magic/],
    [{ ...llama, quantization_config: { quant_method: "gguf" } }, /quantization_config\.quant_method .* is "gguf"/],
    [{ model_type: "gemma3", text_config: { model_type: "gemma3_text" } }, /text_config\.\w+/],
    [{ model_type: "qwen2_5_vl" }, /lacks the field text_config/],
  ];
  for (const [config, message] of failures) {
    expect(() => readModel(config), JSON.stringify(config)?.slice(0, 80)).toThrow(SizingError);
    expect(() => readModel(config)).toThrow(message);
  }
});

it("reads spans, dtype and positions as transformers and vLLM do", () => {
  const spanOf = (model: Model, layer: number) => {
    const mixer = model.groups[model.layerOrder[layer] ?? 0]?.mixer;
    return mixer?.kind === "attention" ? mixer.span : mixer?.kind;
  };
  const gemma = readPublished("gemma-3-27b");
  expect(spanOf(gemma, 4)).toEqual({ kind: "sliding", window: 1024 });
  expect(spanOf(gemma, 5)).toEqual({ kind: "full" });
  expect(spanOf(readPublished("Llama-4-Scout"), 3)).toEqual({ kind: "full" });
  expect(spanOf(readPublished("Llama-4-Scout"), 4)).toEqual({ kind: "chunked", chunk: 8192 });
  expect(spanOf(readPublished("gpt-oss-20b"), 0)).toEqual({ kind: "sliding", window: 128 });
  expect(spanOf(readPublished("Phi-3-mini-4k"), 0)).toEqual({ kind: "sliding", window: 2047 });
  expect(spanOf(readPublished("DeepSeek-V3"), 0)).toBe("mla");
  expect(spanOf(readPublished("Jamba-v0.1"), 0)).toBe("recurrent");
  const sliding = { use_sliding_window: true, sliding_window: 4096, max_window_layers: 20 };
  expect(spanOf(readPublished("Qwen2.5-7B", sliding), 19)).toEqual({ kind: "full" });
  expect(spanOf(readPublished("Qwen2.5-7B", sliding), 20)).toEqual({ kind: "sliding", window: 4096 });

  expect(readPublished("Qwen2.5-7B", { torch_dtype: "float16" }).dtype).toBe("float16");
  expect(readPublished("Qwen2.5-7B", { torch_dtype: "float16", dtype: "float32" }).dtype).toBe("float32");
  const yarn = { rope_type: "yarn", factor: 4, original_max_position_embeddings: 32_768 };
  expect(readPublished("Qwen2.5-7B", { rope_scaling: yarn }).maxPositions).toBe(131_072);
  expect(readPublished("gpt-oss-20b").maxPositions).toBe(131_072);
});

it("keeps what the checkpoint does not quantise at the model's dtype", () => {
  const quantized = (model: Model, module: string) =>
    listTensors(model)
      .filter((tensor) => tensor.module === module)
      .map((tensor) => [tensor.quantizable, tensor.count]);
  const config = {
    quant_method: "fp8",
    weight_block_size: [128, 128],
    modules_to_not_convert: ["lm_head", "model.layers.3.mlp"],
  };
  const model = readPublished("Llama-3.1-8B", { quantization_config: config });
  expect(model).toMatchObject({
    quantization: "fp8",
    quantizationScheme: { group: { kind: "block", out: 128, in: 128 } },
  });
  expect(quantized(model, "down_proj")).toEqual([
    [true, 31],
    [false, 1],
  ]);
  expect(quantized(model, "q_proj").map(([is]) => is)).toEqual([true, true]);
  const experts = {
    quant_method: "mxfp4",
    modules_to_not_convert: ["model.layers.*.self_attn", "model.layers.*.mlp.router"],
  };
  const oss = readPublished("gpt-oss-20b", { quantization_config: experts });
  expect(oss.quantization).toBe("mxfp4");
  expect(quantized(oss, "q_proj").every(([is]) => is === false)).toBe(true);
  expect(quantized(oss, "gate_up_proj").every(([is]) => is === true)).toBe(true);
});

it("says what it leaves out", () => {
  expect(readPublished("GLM-4.5-Air").notes.join()).toContain("multi-token-prediction");
  expect(readPublished("Llama-3.1-8B").notes).toEqual([]);
});

it("gives whole, positive numbers or an error with a field, whatever the config holds", () => {
  const names = [
    "hidden_size",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "intermediate_size",
    "num_hidden_layers",
  ];
  const value = fc.oneof(fc.integer({ min: -4, max: 300 }), fc.constantFrom(null, "8", 1.5, [], {}, true, Number.NaN));
  const changes = fc.dictionary(fc.constantFrom(...names, "vocab_size", "layer_types", "sliding_window"), value, {
    maxKeys: 3,
  });
  fc.assert(
    fc.property(fc.constantFrom(...publishedModels), changes, ([, , config], changed) => {
      let model: Model;
      try {
        model = readModel({ ...config, ...changed });
      } catch (error) {
        expect(error).toBeInstanceOf(SizingError);
        expect((error as SizingError).details).toHaveProperty("field");
        return;
      }
      expect(countLayers(model)).toBe(model.layerOrder.length);
      for (const tensor of listTensors(model)) {
        for (const size of [tensor.in, tensor.out, tensor.copies, tensor.count]) expect(size).toBeGreaterThan(0);
        expect(Number.isSafeInteger(tensor.in * tensor.out * tensor.copies + tensor.bias)).toBe(true);
        expect(tensor.active).toBeLessThanOrEqual(tensor.copies);
      }
      expect(countActiveParameters(model)).toBeLessThanOrEqual(
        countParameters(model) + model.vocabularySize * model.hiddenSize,
      );
    }),
    { numRuns: 80 },
  );
});

it("lists the architectures that it reads", () => {
  for (const [, , config] of publishedModels) expect(knownModelTypes).toContain(config["model_type"]);
});
