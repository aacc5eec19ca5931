import fc from "fast-check";
import { expect, it } from "vitest";
import { countParameters } from "../models/model.ts";
import { publishedModels } from "../models/published-models.ts";
import { readModel } from "../models/read-model.ts";
import { SizingError } from "../sizing-error.ts";
import { checkParallelism, type Parallelism, splitLayers } from "./parallelism.ts";
import { estimateResidentWeights, roundToBlock } from "./resident-weights.ts";
import { chooseWeightFormat } from "./weight-bytes.ts";

const gib = 1024 ** 3;
const one: Parallelism = { tensorParallel: 1, pipelineParallel: 1, expertParallel: 1 };
const models = new Map(publishedModels.map(([name, , config]) => [name, config]));
const read = (name: string, changes: Record<string, unknown> = {}) => readModel({ ...models.get(name), ...changes });

it("rounds a block as PyTorch's allocator does", () => {
  const mib = 1024 ** 2;
  expect(roundToBlock(31.5 * mib)).toBe(32 * mib);
  expect(roundToBlock(24.5 * mib)).toBe(24.5 * mib);
  expect(roundToBlock(11 * mib)).toBe(12 * mib);
  expect(roundToBlock(1000)).toBe(1024);
});

it("weighs gpt-oss-120b on an H100 as vLLM's logs have it, with Triton's and with Marlin's layout", () => {
  const model = read("gpt-oss-20b", {
    num_hidden_layers: 36,
    num_local_experts: 128,
    quantization_config: {
      quant_method: "mxfp4",
      modules_to_not_convert: [
        "model.layers.*.self_attn",
        "model.layers.*.mlp.router",
        "model.embed_tokens",
        "lm_head",
      ],
    },
  });
  const weigh = (architecture: "hopper" | "ampere") =>
    (estimateResidentWeights(model, chooseWeightFormat(model, null, null), one, architecture)[0] ?? 0) / gib;
  // "Model loading took 64.38 GiB" (vllm-project/vllm#33155) and "65.9651 GiB" (#23278).
  expect(Math.abs(weigh("hopper") - 64.38)).toBeLessThan(0.1);
  expect(Math.abs(weigh("ampere") - 65.97)).toBeLessThan(0.1);
});

it("divides weights over GPUs and stages without losing any, and never gives a GPU more for there being more", () => {
  const names = fc.constantFrom(...publishedModels.map(([name]) => name));
  const gpus = fc.constantFrom(1, 2, 4, 8, 16);
  fc.assert(
    fc.property(names, gpus, fc.integer({ min: 1, max: 8 }), fc.boolean(), (name, tensorParallel, stages, spread) => {
      const model = read(name);
      const format = chooseWeightFormat(model, null, null);
      const few = { ...one, tensorParallel, pipelineParallel: stages };
      const more = { ...few, tensorParallel: 2 * tensorParallel, expertParallel: spread ? 2 : 1 };
      for (const parallelism of [few, more]) {
        try {
          checkParallelism(model, parallelism);
        } catch (error) {
          expect((error as SizingError).code).toBe("DOES_NOT_DIVIDE");
          return;
        }
      }
      const weigh = (parallelism: Parallelism) => estimateResidentWeights(model, format, parallelism, "hopper");
      const [whole] = weigh(one);
      const total = weigh(few).reduce((sum, bytes) => sum + bytes, 0) * tensorParallel;
      expect(total).toBeGreaterThanOrEqual(2 * countParameters(model) * (1 - 1e-9));
      for (const [stage, bytes] of weigh(more).entries()) {
        // Blocks of the allocator can be worth some MiB a layer more where a smaller matrix fills them less well.
        expect(bytes).toBeLessThanOrEqual((weigh(few)[stage] ?? 0) + 3 * 1024 ** 2 * model.layerOrder.length);
        expect(bytes).toBeLessThanOrEqual((whole ?? 0) * 1.001);
      }
    }),
    { numRuns: 80 },
  );
});

it("splits layers over stages as vLLM does", () => {
  const sizes = (layers: number, stages: number) => splitLayers(layers, stages).map(({ start, end }) => end - start);
  expect(sizes(32, 4)).toEqual([8, 8, 8, 8]);
  expect(sizes(61, 4)).toEqual([15, 15, 16, 15]);
  expect(sizes(62, 4)).toEqual([15, 16, 16, 15]);
  expect(sizes(63, 4)).toEqual([16, 16, 16, 15]);
  expect(sizes(5, 5)).toEqual([1, 1, 1, 1, 1]);
});

it("replicates key-value heads where there are more GPUs than heads", () => {
  const model = read("GLM-4-9B-0414");
  const format = chooseWeightFormat(model, null, null);
  const weigh = (tensorParallel: number) =>
    estimateResidentWeights(model, format, { ...one, tensorParallel }, "hopper")[0] ?? 0;
  const keyValue = 40 * 2 * 2 * 128 * (4096 + 1) * 2;
  const rotary = model.rotaryElements * 2;
  expect(weigh(8) * 8 - weigh(2) * 2 - rotary * 6).toBeGreaterThan(keyValue * 3 * 0.9);
});

it("refuses what the engine would refuse, with both numbers", () => {
  const refuse = (name: string, parallelism: Partial<Parallelism>, message: RegExp, changes = {}) => {
    const check = () => checkParallelism(read(name, changes), { ...one, ...parallelism });
    expect(check).toThrow(SizingError);
    expect(check).toThrow(message);
  };
  refuse("Llama-3.1-8B", { tensorParallel: 3 }, /tensorParallel is 3, .* divide/);
  refuse("Qwen2.5-7B", { tensorParallel: 8 }, /tensorParallel is 8, .* 28 of the model's attention heads/);
  refuse("Llama-3.1-8B", { pipelineParallel: 33 }, /pipelineParallel is 33, .* only 32 layers/);
  refuse("Mixtral-8x7B", { tensorParallel: 16, expertParallel: 16 }, /expertParallel is 16, .* only 8 experts/);
  refuse(
    "Mixtral-8x7B",
    { tensorParallel: 4, expertParallel: 3 },
    /expertParallel is 3, .* divide tensorParallel \(4\)/,
  );
  const block = { quantization_config: { quant_method: "fp8", weight_block_size: [128, 128] } };
  refuse("Qwen3-30B-A3B", { tensorParallel: 4 }, /tensorParallel is 4, .* \(192\) must be whole blocks of 128/, block);
  checkParallelism(read("Qwen3-30B-A3B", block), { ...one, tensorParallel: 4, expertParallel: 4 });
});
