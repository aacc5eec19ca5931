import { trainingSettingsSchema } from "@anneal/core/loop/settings";
import { findGpu } from "@anneal/sizing/gpus/catalogue";
import { publishedModels } from "@anneal/sizing/models/published-models";
import { describe, expect, it } from "vitest";
import { findGpuThatHolds, sizeTraining } from "./size-training.ts";

const gib = 2 ** 30;
const [, , config = {}] = publishedModels.find(([name]) => name === "Qwen2.5-7B") ?? [];
const model = { config, weightBytes: 15.2e9 };
const settings = (change: object) => trainingSettingsSchema.parse(change);
const sum = (parts: Record<string, number>) => Object.values(parts).reduce((total, part) => total + part, 0);

describe("sizeTraining", () => {
  it("asks for a share of the GPU that there is, and for the main memory that loading takes", () => {
    const { estimate, member, leastGpuBytes } = sizeTraining(model, settings({ rank: 16 }), findGpu("H100-80GB"));
    expect(member).toMatchObject({ count: 1, gpus: 1, cpuMilli: 0 });
    expect(sum(estimate.breakdown)).toBeCloseTo(estimate.totalBytes, -2);
    expect(estimate.breakdown["weightsBytes"]! / 15.2e9).toBeCloseTo(1, 1);
    // The share holds what is asked for, and not a whole thousandth more.
    const share = (member.gpuMilli / 1000) * 79.19 * gib;
    expect(share).toBeGreaterThanOrEqual(estimate.totalBytes);
    expect(share - estimate.totalBytes).toBeLessThan(0.08 * gib);
    expect(leastGpuBytes).toBeLessThan(estimate.totalBytes);
    expect(leastGpuBytes).toBeGreaterThan(15.2e9);
    expect(member.memoryMib * 2 ** 20).toBeGreaterThan(15.2e9 + 2 * gib);
  });

  it("counts rank, length, batch and method as the trainer runs them", () => {
    const gpu = findGpu("H200");
    const bytesOf = (change: object) => sizeTraining(model, settings(change), gpu).estimate.totalBytes;
    expect(bytesOf({ rank: 64 })).toBeGreaterThan(bytesOf({ rank: 8 }));
    expect(bytesOf({ batchTokens: 4096 })).toBeGreaterThan(2 * (bytesOf({ batchTokens: 512 }) - 15.2e9));
    expect(bytesOf({ method: "qlora" })).toBeLessThan(bytesOf({ method: "lora" }) - 5 * gib);
    // In float32: weights, gradients and two moments, and autocast's copies: 18 bytes a parameter.
    expect(bytesOf({ method: "full" })).toBeGreaterThan(18 * 7.6e9);
  });

  it("asks for more than a card has where it is too big, which the scheduler refuses", () => {
    const { member } = sizeTraining(model, settings({ batchTokens: 65_536 }), findGpu("L4"));
    expect(member.gpuMilli).toBe(1000);
    expect(member.gpuMemoryGib).toBeGreaterThan(22.03);
  });

  it("asks for main memory alone on a machine without GPUs", () => {
    const { member, leastGpuBytes, estimate } = sizeTraining(model, settings({}), null);
    expect(member).toMatchObject({ gpus: 0, gpuMilli: 1000, memoryMib: Math.ceil(estimate.totalBytes / 2 ** 20) });
    expect(leastGpuBytes).toBeNull();
  });

  it("refuses what cannot be trained there with what to change", () => {
    expect(() => sizeTraining(model, settings({ method: "qlora" }), null)).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT", message: expect.stringContaining("bitsandbytes") }),
    );
  });
});

describe("findGpuThatHolds", () => {
  it("names the smallest one of the catalogue, or none", () => {
    expect(findGpuThatHolds(model, settings({}))?.id).toBe("L4");
    expect(findGpuThatHolds(model, settings({ method: "full" }))?.id).toBe("B200");
    expect(findGpuThatHolds(model, settings({ batchTokens: 10_000_000 }))).toBeUndefined();
  });
});
