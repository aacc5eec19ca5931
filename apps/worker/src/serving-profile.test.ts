import { readControllerSettings } from "@anneal/sizing/autoscale/controller-settings";
import { expect, it } from "vitest";
import { describeEngines, describeReplica } from "./serving-profile.ts";

const llama8b = {
  name: "Llama-3.1-8B",
  weightBytes: 16e9,
  config: {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: 4096,
    intermediate_size: 14336,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    vocab_size: 128256,
    max_position_embeddings: 131072,
    tie_word_embeddings: false,
    torch_dtype: "bfloat16",
  },
};

it("describes a replica on GPUs by the sizing model, faster on more of them", () => {
  const one = describeReplica("H100-80GB", llama8b);
  const two = describeReplica("2xH100-80GB", llama8b);
  expect(one.profile).toMatchObject({ name: "Llama-3.1-8B on NVIDIA H100 SXM 80 GB", gpus: 1 });
  expect(two.profile).toMatchObject({ gpus: 2 });
  expect(two.profile.decodeBaseMs).toBeLessThan(one.profile.decodeBaseMs);
  expect(two.profile.prefillTokensPerSecond).toBeGreaterThan(one.profile.prefillTokensPerSecond);
  expect(two.profile.kvTokens).toBeGreaterThan(2 * one.profile.kvTokens);
  // What the controller takes as its settings.
  expect(() => readControllerSettings({ ...one, order: "late-last" })).not.toThrow();
});

it("believes no more of a GPU's memory than an engine was given for its cache", () => {
  const whole = describeEngines(null, "1xH100-80GB", llama8b)!;
  const part = describeEngines(null, "1xH100-80GB", llama8b, 8)!;
  // 32 layers x 2 x 8 heads x 128 x 2 B = 128 KiB a token.
  expect(part.profile.kvTokens).toBeCloseTo(8 * 8192, -2);
  expect(part.profile.maxBatch).toBeLessThan(whole.profile.maxBatch);
  expect(part.profile.decodeBaseMs).toBeCloseTo(whole.profile.decodeBaseMs, 0);
});

it("takes a GPU under the name that nvidia-smi gives it, and the CPU build by measurement", () => {
  expect(describeReplica("NVIDIA L40S", llama8b).profile.gpus).toBe(1);
  expect(describeReplica("cpu", llama8b).profile.prefillTokensPerSecond).toBe(420);
});

it("refuses GPUs that the catalogue lacks and those that the model does not fit on", () => {
  expect(() => describeReplica("GTX-1080", llama8b)).toThrow(expect.objectContaining({ code: "UNKNOWN_GPU" }));
  expect(() => describeReplica("L4", { ...llama8b, config: { ...llama8b.config, num_hidden_layers: 80 } })).toThrow();
});

it("believes what a person has set before what it finds, and is not stopped by GPUs that it does not know", () => {
  expect(describeEngines("2xH100-80GB", "NVIDIA L40S", llama8b)?.profile.gpus).toBe(2);
  expect(describeEngines(null, "NVIDIA L40S", llama8b)?.profile.name).toContain("L40S");
  expect(describeEngines(null, "NVIDIA GeForce GTX 1080", llama8b)).toBeNull();
  expect(describeEngines(null, null, llama8b)).toBeNull();
  expect(() => describeEngines("GTX-1080", null, llama8b)).toThrow(expect.objectContaining({ code: "UNKNOWN_GPU" }));
});
