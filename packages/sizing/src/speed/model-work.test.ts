import { expect, it } from "vitest";
import { countActiveParameters, countParameters } from "../models/model.ts";
import { readModel } from "../models/read-model.ts";
import { deepseekLite, gemma9b, llama70b, qwen235b } from "./example-models.ts";
import { measureWork, type ModelWork } from "./model-work.ts";
import { readPrecision } from "./weight-format.ts";

const one = { tensorParallel: 1, pipelineParallel: 1, expertParallel: 1 };

const sum = (work: ModelWork, value: (layer: ModelWork["layers"][number]) => number) =>
  work.layers.reduce((total, layer) => total + layer.count * value(layer), 0);

it.each([
  ["llama", llama70b],
  ["gemma2", gemma9b],
  ["qwen3_moe", qwen235b],
  ["deepseek_v2", deepseekLite],
])("multiplies two FLOP for each active weight of a %s", (_, config) => {
  const model = readModel(config);
  const work = measureWork(model, one, readPrecision("bf16", model));
  const layers = sum(work, ({ quantizedFlops, sixteenBitFlops, experts }) => {
    return quantizedFlops + sixteenBitFlops + (experts ? experts.perToken * experts.flops : 0);
  });
  // Norms are active parameters without a product.
  expect((layers + work.headFlops) / (2 * countActiveParameters(model))).toBeCloseTo(1, 3);
});

it("holds every weight but the embedding somewhere, whatever the format", () => {
  const model = readModel(qwen235b);
  for (const [precision, bytes] of [
    ["bf16", 2],
    ["fp8", 1],
  ] as const) {
    const work = measureWork(model, one, readPrecision(precision, model));
    const held = sum(work, ({ denseBytes, experts }) => denseBytes + (experts ? experts.here * experts.bytes : 0));
    const expected = bytes * (countParameters(model) - 2 * model.vocabularySize * model.hiddenSize);
    expect(held / expected).toBeCloseTo(1, 2);
  }
});

it("counts an input that several quantised matrices read once, and an expert's not at all", () => {
  const inputs = (config: unknown, tensorParallel: number) => {
    const model = readModel(config);
    return measureWork(model, { ...one, tensorParallel }, readPrecision("fp8", model)).layers[0]?.quantizedInputs;
  };
  // Into queries, keys and values; into gate and up; out of attention and out of the MLP, which are divided.
  expect(inputs(llama70b, 1)).toBe(8192 + 8192 + 8192 + 28_672);
  expect(inputs(llama70b, 4)).toBe(8192 + 8192 + 2048 + 7168);
  expect(inputs(qwen235b, 1)).toBe(4096 + 64 * 128);
});

it("divides experts between GPUs whole or in parts, with the same bytes on each", () => {
  const model = readModel(qwen235b);
  const format = readPrecision("fp8", model);
  const [whole, cut] = [4, 1].map((expertParallel) => {
    return measureWork(model, { ...one, tensorParallel: 4, expertParallel }, format).layers[0]?.experts;
  });
  expect(whole?.here).toBe(32);
  expect(cut?.here).toBe(128);
  // Scales of whole matrices aside.
  expect((whole!.here * whole!.bytes) / (cut!.here * cut!.bytes)).toBeCloseTo(1, 4);
});

it("computes the output head of tied embeddings as if it were a matrix of its own", () => {
  const model = readModel(gemma9b);
  const work = measureWork(model, one, readPrecision("fp8", model));
  expect(work.headFlops).toBe(2 * 256_000 * 3584);
  expect(work.headBytes).toBe(2 * 256_000 * 3584);
});
