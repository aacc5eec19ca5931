import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estimateTrainingSpeed, type TrainingSpeedRequest } from "./estimate-training-speed.ts";

const qwen7b = {
  model_type: "qwen",
  vocab_size: 151_936,
  kv_channels: 128,
  no_bias: true,
  max_position_embeddings: 32_768,
  hidden_size: 4096,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  intermediate_size: 22_016,
};
const llama3b = {
  model_type: "llama",
  hidden_size: 3072,
  num_hidden_layers: 28,
  num_attention_heads: 24,
  num_key_value_heads: 8,
  head_dim: 128,
  intermediate_size: 8192,
  vocab_size: 128_256,
  max_position_embeddings: 131_072,
  tie_word_embeddings: true,
};
const base: TrainingSpeedRequest = {
  model: qwen7b,
  gpu: "A100-80GB",
  method: "lora",
  maxLength: 2048,
  batch: 1,
  loraRank: 64,
  loraTargets: "all-linear",
};
const speedOf = (changes: Partial<TrainingSpeedRequest>) => estimateTrainingSpeed({ ...base, ...changes });

describe("estimateTrainingSpeed", () => {
  // QwenLM/Qwen README (Apache-2.0): Qwen-7B, A100, gradient accumulation 8; the seconds of an iteration.
  it.each([
    [256, 1.2],
    [512, 1.5],
    [1024, 2.8],
    [2048, 5.2],
    [4096, 10.1],
    [8192, 21.3],
  ])("is within 15%% of Qwen's own figure for LoRA at %i tokens", (maxLength, seconds) => {
    expect(Math.abs(speedOf({ maxLength }).tokensPerSecond / ((8 * maxLength) / seconds) - 1)).toBeLessThan(0.15);
  });

  it("is within 15% of torchtune's figure for Llama 3.2 3B, fully trained without checkpointing", () => {
    // pytorch/torchtune README (BSD-3-Clause), "+ Packed Dataset": 7,075 tokens/s; nothing is fitted on it.
    const { tokensPerSecond } = speedOf({
      model: llama3b,
      method: "full",
      maxLength: 4096,
      batch: 2,
      gradientCheckpointing: false,
      packing: true,
    });
    expect(Math.abs(tokensPerSecond / 7075 - 1)).toBeLessThan(0.15);
  });

  it("counts 4N for an adapter and 6N for full fine-tuning, and a third to a half more with checkpointing", () => {
    const flops = (changes: Partial<TrainingSpeedRequest>) =>
      speedOf({ maxLength: 1, loraRank: 1, gradientCheckpointing: false, ...changes }).flopsPerToken;
    const active = 32 * (4 * 4096 ** 2 + 3 * 4096 * 11_008) + 151_936 * 4096;
    expect(flops({}) / active).toBeCloseTo(4, 1);
    expect(flops({ method: "full" }) / active).toBeCloseTo(6, 1);
    expect(flops({ gradientCheckpointing: true }) / flops({})).toBeGreaterThan(1.4);
    expect(flops({ method: "full", gradientCheckpointing: true }) / flops({ method: "full" })).toBeLessThan(1.34);
  });

  it("never slows down with more sharded GPUs in one domain, and never exceeds the peak", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 64, max: 8192 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom("ddp" as const, "zero2" as const, "zero3" as const),
        (maxLength, doublings, sharding) => {
          const few = speedOf({ maxLength, sharding, gpus: 2 ** (doublings - 1) });
          const many = speedOf({ maxLength, sharding, gpus: 2 ** doublings });
          expect(many.tokensPerSecond).toBeGreaterThanOrEqual(few.tokensPerSecond * 0.999);
          expect(many.hardwareUtilisation).toBeLessThanOrEqual(0.5);
        },
      ),
    );
  });

  it("names the link where it sets the pace", () => {
    const request = { method: "full" as const, maxLength: 128, sharding: "zero3" as const, gpus: 64 };
    expect(speedOf(request).boundBy).toBe("communication");
    expect(speedOf({ ...request, gpus: 8, maxLength: 8192 }).boundBy).toBe("compute");
  });

  it("tells the hours of a dataset, and none without one", () => {
    expect(speedOf({}).hours).toBeNull();
    const { hours, tokensPerSecond } = speedOf({ datasetTokens: 36_000_000, epochs: 2 });
    expect(hours).toBeCloseTo(72_000_000 / tokensPerSecond / 3600, 9);
  });

  it("refuses a dataset of no tokens", () => {
    expect(() => speedOf({ datasetTokens: 0 })).toThrow(/datasetTokens/);
  });
});
