import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gpuCatalogue } from "../gpus/catalogue.ts";
import { llama70b, llama8b } from "../speed/example-models.ts";
import { qwen235b } from "./example-configs.ts";
import { planPreview } from "./plan-preview.ts";

describe("the preview of a slider's position", () => {
  it("shows every GPU of the catalogue, each bar adding up to the memory of one", () => {
    const { gpus } = planPreview({ config: llama70b, users: 40, context: 8192, precision: "int8" });
    expect(gpus.map(({ gpu }) => gpu)).toEqual(gpuCatalogue.map(({ id }) => id));
    for (const { memoryPerGpu: bar, status, curve, knee, missingGib, reason } of gpus) {
      if (status !== "fits") {
        expect(missingGib).toBeGreaterThan(0);
        expect(reason).toMatch(/GiB/);
        continue;
      }
      const parts =
        bar!.weightsGib + bar!.activationGib + bar!.engineGib + bar!.kvUsedGib + bar!.kvFreeGib + bar!.unusedGib;
      expect(parts).toBeCloseTo(bar!.totalGib, 3);
      expect(curve.map(({ requestsInFlight }) => requestsInFlight)).toContain(knee!.requestsInFlight);
      expect(curve.map(({ tokensPerSecondPerUser }) => -tokensPerSecondPerUser)).toEqual(
        curve.map(({ tokensPerSecondPerUser }) => -tokensPerSecondPerUser).toSorted((left, right) => left - right),
      );
    }
  });

  it("takes the smallest group that holds the model and the users", () => {
    const groupOf = (users: number, context: number) =>
      planPreview({ config: llama70b, users, context, precision: "int8", gpus: ["RTX-PRO-6000"] }).gpus[0]!;
    expect(groupOf(20, 8192)).toMatchObject({ tensorParallel: 1, status: "fits" });
    expect(groupOf(40, 8192)).toMatchObject({ tensorParallel: 2, status: "fits" });
    expect(groupOf(40, 32_768)).toMatchObject({ tensorParallel: 2, status: "fits" });
    expect(groupOf(5000, 131_072)).toMatchObject({ tensorParallel: 8, status: "too small" });
  });

  it("moves in one direction with each slider", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.constantFrom(2048, 8192, 32_768),
        fc.constantFrom(llama8b, llama70b, qwen235b),
        (users, context, config) => {
          const gpus = ["H200"];
          const now = planPreview({ config, users, context, gpus }).gpus[0]!;
          const more = planPreview({ config, users: 2 * users, context, gpus }).gpus[0]!;
          expect(more.tensorParallel).toBeGreaterThanOrEqual(now.tensorParallel);
          if (more.tensorParallel === now.tensorParallel) {
            expect(more.memoryPerGpu!.kvUsedGib).toBeGreaterThanOrEqual(now.memoryPerGpu!.kvUsedGib);
            expect(more.memoryPerGpu!.weightsGib).toBe(now.memoryPerGpu!.weightsGib);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it("says by name what cannot be shown", () => {
    const amd = planPreview({ config: llama70b, users: 1, context: 8192, precision: "nvfp4", gpus: ["MI300X"] })
      .gpus[0]!;
    expect(amd).toMatchObject({
      status: "cannot run",
      memoryPerGpu: null,
      reason: "NVFP4 is a format of NVIDIA's; AMD Instinct MI300X does not run it.",
    });
    expect(() => planPreview({ config: llama70b, users: 0, context: 8192 })).toThrow(/peakUsers is 0/);
    expect(() => planPreview({ config: llama70b, users: 1, context: 999_999 })).toThrow(
      /context is 999999; the model allows at most 131072/,
    );
  });
});
