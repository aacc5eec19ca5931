import { describe, expect, it } from "vitest";
import { assertServeable, assertTrainingServeable, engineLimitsOf } from "./serveability.ts";

const limits = { baseModels: ["SmolLM2-135M-Instruct"], maxLoraRank: 16 };
const settings = { method: "lora" as const, rank: 16 };
const base = "SmolLM2-135M-Instruct";

describe("before a training", () => {
  it("lets through what the engine can serve, also while no engine is known", () => {
    assertTrainingServeable(settings, base, limits);
    assertTrainingServeable({ ...settings, method: "rslora" }, `HuggingFaceTB/${base}`, limits);
    assertTrainingServeable({ ...settings, rank: 256 }, base, { baseModels: [], maxLoraRank: null });
    assertTrainingServeable(settings, null, limits);
  });

  it.each([
    [{ method: "dora" as const }, base, "ADAPTER_UNSERVEABLE", /DoRA/, /lora or rslora/],
    [{ method: "full" as const }, base, "ADAPTER_UNSERVEABLE", /full fine-tuning/, /lora or rslora/],
    [{ rank: 17 }, base, "ADAPTER_UNSERVEABLE", /rank 17 .* limit of 16/, /at most 16.*ANNEAL_MAX_LORA_RANK=32/],
    [{}, "Qwen3-8B", "MODEL_UNKNOWN", /Qwen3-8B, and the engine serves SmolLM2/, /ANNEAL_BASE_MODEL/],
  ])("refuses %j for %s in one sentence and with what to do", (change, model, code, message, action) => {
    expect(() => assertTrainingServeable({ ...settings, ...change }, model, limits)).toThrowError(
      expect.objectContaining({
        code,
        message: expect.stringMatching(message),
        action: expect.stringMatching(action),
        retryable: false,
      }),
    );
  });
});

it("the limit is the smallest of all engines', and the configured one before any has spoken", () => {
  const replica = (maxLoraRank: number | null) => ({ baseModel: base, maxLoraRank });
  expect(engineLimitsOf([replica(64), replica(16), replica(null)], 8)).toEqual(limits);
  expect(engineLimitsOf([replica(null)], 8).maxLoraRank).toBe(8);
});

describe("before a registration", () => {
  const config = { peft_type: "LORA", base_model_name_or_path: `/models/${base}/`, r: 8, target_modules: ["q_proj"] };
  const files = ["adapter_config.json", "adapter_model.safetensors", "README.md"];

  it("takes PEFT's own files for a base that is served", () => {
    expect(assertServeable(config, files, limits).r).toBe(8);
  });

  it.each([
    ["weights that can run code", config, [...files, "adapter_model.bin"], /can run code/],
    ["no weights", config, ["adapter_config.json"], /no adapter_model.safetensors/],
    ["no LoRA", { ...config, peft_type: "IA3" }, files, /not IA3/],
    ["DoRA", { ...config, use_dora: true }, files, /DoRA/],
    ["whole modules", { ...config, modules_to_save: ["lm_head"] }, files, /lm_head/],
    ["trained biases", { ...config, bias: "all" }, files, /biases/],
    ["a rank above the limit in one layer", { ...config, rank_pattern: { q_proj: 32 } }, files, /rank 32/],
    ["another base", { ...config, base_model_name_or_path: "gpt2" }, files, /trained for gpt2/],
    ["no configuration", null, files, /not one of PEFT/],
  ])("refuses %s", (_, adapter, names, message) => {
    expect(() => assertServeable(adapter, names, limits)).toThrowError(
      expect.objectContaining({ code: "ADAPTER_UNSERVEABLE", message: expect.stringMatching(message) }),
    );
  });
});
