import { expect, it } from "vitest";
import { loraParameters, readModelShape } from "./model-shape.ts";
import { SizingError } from "./sizing-error.ts";
import { estimateTrainingMemory } from "./training-memory.ts";

/** The fields of SmolLM2-135M-Instruct's config.json that sizing reads (Hugging Face, Apache-2.0). */
const smolLm2 = {
  num_hidden_layers: 30,
  hidden_size: 576,
  intermediate_size: 1536,
  vocab_size: 49152,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  tie_word_embeddings: true,
};

it("counts the LoRA parameters that PEFT counts", () => {
  // peft 0.21.2: get_peft_model(model, LoraConfig(r=16, target_modules="all-linear", task_type="CAUSAL_LM"))
  // .get_nb_trainable_parameters()[0]; without the output layer, which "all-linear" leaves out.
  expect(loraParameters(readModelShape(smolLm2), 16)).toBe(4_884_480);
  expect(loraParameters(readModelShape(smolLm2), 8)).toBe(4_884_480 / 2);
});

it("reads what a config leaves out as Hugging Face does", () => {
  const { num_key_value_heads: _, ...multiHead } = smolLm2;
  expect(readModelShape(multiHead).kvHeads).toBe(9);
  expect(readModelShape(smolLm2).headSize).toBe(64);
  expect(readModelShape({ ...smolLm2, head_dim: 128 }).headSize).toBe(128);
  expect(readModelShape({ ...smolLm2, head_dim: null }).headSize).toBe(64);
});

it("refuses a config it cannot size, and names what is missing", () => {
  const { hidden_size: _, ...broken } = smolLm2;
  const read = () => readModelShape(broken);
  expect(read).toThrow(SizingError);
  expect(read).toThrow(/hidden_size/);
});

it("breaks the memory of a training down into parts that sum up, each growing with what drives it", () => {
  const request = {
    model: readModelShape(smolLm2),
    method: "lora" as const,
    rank: 16,
    weightBytes: 269_060_552,
    tokensPerPass: 1024,
    logitsPerPass: 1024,
  };
  const base = estimateTrainingMemory(request);
  expect(Object.values(base.breakdown).reduce((sum, bytes) => sum + bytes, 0)).toBe(base.totalBytes);
  expect(base.breakdown.optimizerBytes).toBe(4_884_480 * 16);
  const longer = estimateTrainingMemory({ ...request, tokensPerPass: 2048, logitsPerPass: 2048 });
  expect(longer.breakdown.activationsBytes).toBe(2 * base.breakdown.activationsBytes);
  expect(longer.breakdown.logitsBytes).toBe(2 * base.breakdown.logitsBytes);
  expect(estimateTrainingMemory({ ...request, method: "full" }).trainableParameters).toBe(269_060_552 / 2);
});
