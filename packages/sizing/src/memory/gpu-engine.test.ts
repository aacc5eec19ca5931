import { describe, expect, it } from "vitest";
import { findGpu } from "../gpus/catalogue.ts";
import { publishedModels } from "../models/published-models.ts";
import { estimateGpuEngine, type GpuEngineRequest } from "./gpu-engine.ts";
import { estimateServingMemory } from "./serving-memory.ts";

const gib = 2 ** 30;
const modelOf = (wanted: string) => publishedModels.find(([name]) => name === wanted)?.[2];
const ask = (change: Partial<GpuEngineRequest> = {}): GpuEngineRequest => ({
  model: modelOf("Qwen2.5-7B"),
  gpu: findGpu("H100-80GB"),
  gpus: 1,
  maxModelLen: 4096,
  lora: { maxLoras: 4, maxRank: 16 },
  kvCacheGib: null,
  ...change,
});
const sum = (parts: Record<string, number>) => Object.values(parts).reduce((total, part) => total + part, 0);

describe("estimateGpuEngine", () => {
  it("takes the share of one GPU that the weights, sixteen full contexts and the engine itself need", () => {
    const request = ask();
    const { gpus, gpuMilli, memoryUtilization, gpuBytes, breakdown } = estimateGpuEngine(request);
    expect(gpus).toBe(1);
    // 28 layers x 2 x 4 heads x 128 x 2 B = 57,344 B a token.
    expect(breakdown.kvCacheBytes / (16 * 4096 * 57_344)).toBeCloseTo(1, 1);
    expect(breakdown.weightsBytes / (7_615_616_512 * 2)).toBeCloseTo(1, 1);
    expect(sum(breakdown)).toBe(gpuBytes);
    expect(gpuBytes).toBeLessThanOrEqual((gpuMilli / 1000) * request.gpu.memoryGib * gib);
    expect(gpuMilli).toBeLessThan(350);
    const serving = estimateServingMemory({
      model: request.model,
      gpu: request.gpu,
      maxModelLen: 4096,
      lora: request.lora,
      gpuMemoryUtilization: memoryUtilization,
    });
    expect(serving).toMatchObject({ fits: true });
    expect(serving.maxConcurrency).toBeGreaterThanOrEqual(16);
  });

  it.each(["L4", "L40S", "A100-40GB", "H100-80GB", "B200"])(
    "grants %s an allowance with which vLLM and its context stay within the share",
    (id) => {
      for (const kvCacheGib of [0.5, 2, 3.3]) {
        const gpu = findGpu(id);
        const request = ask({ gpu, kvCacheGib, model: modelOf("Qwen2.5-0.5B") });
        const { gpuMilli, memoryUtilization, breakdown } = estimateGpuEngine(request);
        expect(memoryUtilization * gpu.memoryGib + 0.5).toBeLessThanOrEqual((gpuMilli / 1000) * gpu.memoryGib + 1e-9);
        expect(breakdown.kvCacheBytes / gib).toBeGreaterThanOrEqual(kvCacheGib - 0.01);
        expect(breakdown.kvCacheBytes / gib).toBeLessThan(kvCacheGib + 0.25);
      }
    },
  );

  it("shrinks the cache to what a small GPU has left, as long as one request fits", () => {
    const gpu = findGpu("L4");
    const { gpuMilli, breakdown } = estimateGpuEngine(ask({ gpu, kvCacheGib: 20 }));
    expect(gpuMilli).toBe(1000);
    expect(breakdown.kvCacheBytes).toBeLessThan(8 * gib);
  });

  it("spreads over whole GPUs only when one does not hold it, and over as few as hold it", () => {
    const gpu = findGpu("H100-80GB");
    expect(estimateGpuEngine(ask({ gpu, gpus: 8, model: modelOf("Qwen2.5-72B") }))).toMatchObject({
      gpus: 4,
      gpuMilli: 1000,
      memoryUtilization: 0.9,
    });
    expect(estimateGpuEngine(ask({ gpu, gpus: 8 })).gpus).toBe(1);
  });

  it("refuses what does not fit with its numbers and the GPU that would hold it", () => {
    const call = () => estimateGpuEngine(ask({ gpu: findGpu("L4"), gpus: 1, model: modelOf("Qwen2.5-72B") }));
    expect(call).toThrow(
      expect.objectContaining({
        code: "DOES_NOT_FIT",
        message: expect.stringMatching(
          /NVIDIA L4 \(22\.0 GiB\).*weights take 13\d\.\d GiB.*NVIDIA B200.*would hold it/,
        ),
      }),
    );
  });
});
