import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SizingError } from "../sizing-error.ts";
import { type CpuTrainingRequest, estimateCpuTraining } from "./estimate-cpu-training.ts";

const smol = {
  model_type: "llama",
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  head_dim: 64,
  vocab_size: 49_152,
  max_position_embeddings: 8192,
  tie_word_embeddings: true,
};
const base: CpuTrainingRequest = { model: smol, method: "lora", loraRank: 16, maxLength: 512 };
const bytesOf = (changes: Partial<CpuTrainingRequest>) => estimateCpuTraining({ ...base, ...changes }).totalBytes;

describe("estimateCpuTraining", () => {
  // Peak resident sets (VmHWM) in MiB, torch 2.13 on a Xeon with AMX, batches of random lengths, LoRA of rank 16 in
  // bfloat16; layers of SmolLM2-135M's shape.
  it.each([
    { layers: 30, maxLength: 1024, learnedShare: 0.29, boundedKernelCaches: true, measured: 2013 },
    { layers: 4, maxLength: 512, learnedShare: 0.31, boundedKernelCaches: true, measured: 1028 },
    { layers: 1, maxLength: 512, learnedShare: 0.34, boundedKernelCaches: false, measured: 1942 },
  ])("bounds $measured MiB by at most 15% ($layers layers, $maxLength tokens)", ({ layers, measured, ...request }) => {
    const predicted = bytesOf({ ...request, model: { ...smol, num_hidden_layers: layers } }) / 1024 ** 2;
    expect(predicted / measured).toBeGreaterThanOrEqual(1);
    expect(predicted / measured).toBeLessThan(1.15);
  });

  it("is at most 15% above the 3.5 GiB that a run of the loop with batches of up to 1,024 tokens grew to", () => {
    const ratio = bytesOf({ maxLength: 1024 }) / 1024 ** 3 / 3.5;
    expect(ratio).toBeGreaterThanOrEqual(1);
    expect(ratio).toBeLessThan(1.15);
  });

  it("never needs less for longer passes, more learned tokens or a higher rank, nor more with checkpointing", () => {
    fc.assert(
      fc.property(
        fc.record({
          method: fc.constantFrom("lora" as const, "dora" as const, "full" as const),
          maxLength: fc.integer({ min: 1, max: 4096 }),
          learnedShare: fc.double({ min: 0.05, max: 1, noNaN: true }),
          gradientCheckpointing: fc.boolean(),
          dtype: fc.constantFrom("bfloat16" as const, "float32" as const),
        }),
        (request) => {
          expect(bytesOf({ ...request, maxLength: request.maxLength * 2 })).toBeGreaterThanOrEqual(bytesOf(request));
          expect(bytesOf({ ...request, batchTokens: request.maxLength * 3 })).toBeGreaterThanOrEqual(bytesOf(request));
          expect(bytesOf({ ...request, learnedShare: 1 })).toBeGreaterThanOrEqual(bytesOf(request));
          expect(bytesOf({ ...request, loraRank: 64 })).toBeGreaterThanOrEqual(bytesOf(request));
          expect(bytesOf({ ...request, gradientCheckpointing: true })).toBeLessThanOrEqual(
            bytesOf({ ...request, gradientCheckpointing: false }),
          );
        },
      ),
    );
  });

  it("adds up, and takes the weights of the files where they are known", () => {
    const { breakdown, totalBytes, trainableParameters } = estimateCpuTraining({ ...base, weightBytes: 269_060_552 });
    expect(breakdown.weightsBytes).toBe(269_060_552);
    expect(Math.ceil(Object.values(breakdown).reduce((sum, bytes) => sum + bytes, 0))).toBe(totalBytes);
    // As the trainer's `started` event tells it.
    expect(trainableParameters).toBe(4_884_480);
  });

  it.each([
    ["qlora", { method: "qlora" }, /method is "qlora".*"lora" on a CPU/],
    [
      "a pass shorter than an example",
      { batchTokens: 256 },
      /batchTokens is 256; it must be at least maxLength \(512\)/,
    ],
    ["a length beyond the model's", { maxLength: 10_000 }, /at most 8192/],
    ["an adapter without a rank", { loraRank: null }, /loraRank/],
  ])("refuses %s", (_, changes, message) => {
    const attempt = () => estimateCpuTraining({ ...base, ...changes } as CpuTrainingRequest);
    expect(attempt).toThrow(SizingError);
    expect(attempt).toThrow(message);
  });
});
