import fc from "fast-check";
import { expect, it } from "vitest";
import { replicaCapacity } from "../speed/replica-capacity.ts";
import { defaultLimits, defaultProfile, loadOf, profileOf, sustainableLoad } from "./replica-profile.ts";

it("is bounded by the time per token, by the batch and by the KV cache, whichever is first", () => {
  const shape = { promptTokens: 1000, outputTokens: 200 };
  const roomy = { ...defaultProfile, maxBatch: 10_000, kvTokens: 100_000_000 };
  expect(sustainableLoad(roomy, defaultLimits, shape)).toBeCloseTo(1 - 16.8 / 200);
  expect(sustainableLoad(roomy, { ...defaultLimits, tpotMs: 50 }, shape)).toBeCloseTo(1 - 16.8 / 50);
  const crowded = sustainableLoad({ ...roomy, maxBatch: 32 }, defaultLimits, shape);
  expect(crowded).toBeLessThan(0.8);
  expect(sustainableLoad({ ...roomy, kvTokens: 32 * 1100 }, defaultLimits, shape)).toBeCloseTo(crowded);
});

it("never says that a replica carries more than itself, nor nothing", () => {
  const size = fc.integer({ min: 1, max: 100_000 });
  fc.assert(
    fc.property(size, size, size, fc.integer({ min: 1, max: 5000 }), (promptTokens, outputTokens, kvTokens, tpotMs) => {
      const load = sustainableLoad(
        { ...defaultProfile, kvTokens },
        { ttftMs: 2000, tpotMs },
        { promptTokens, outputTokens },
      );
      expect(load).toBeGreaterThan(0);
      expect(load).toBeLessThan(1);
    }),
  );
});

it("takes over what the sizing model says of a replica", () => {
  const llama = {
    model_type: "llama",
    architectures: ["LlamaForCausalLM"],
    hidden_size: 4096,
    intermediate_size: 14336,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    vocab_size: 128256,
    max_position_embeddings: 131072,
    tie_word_embeddings: false,
    torch_dtype: "bfloat16",
  };
  const capacity = replicaCapacity({ model: llama, gpu: "H100-80GB", engine: "vllm" }, { isl: 1000, osl: 200 });
  const profile = profileOf(capacity, { name: "8B on H100", gpus: 1, limits: defaultLimits });
  const step = (batch: number) => profile.decodeBaseMs + profile.decodePerSequenceMs * batch;
  expect(step(1)).toBeCloseTo(capacity.decodeStepMs(1));
  expect(step(capacity.saturationBatch)).toBeCloseTo(capacity.decodeStepMs(capacity.saturationBatch));
  expect(
    loadOf({ promptTokensPerSecond: capacity.prefillTokensPerSecond, outputTokensPerSecond: 0 }, profile),
  ).toBeCloseTo(1);
  expect((1000 * profile.stepTokens) / profile.prefillTokensPerSecond).toBeLessThanOrEqual(defaultLimits.tpotMs + 1);
});
