import fc from "fast-check";
import { expect, it } from "vitest";
import type { Model } from "../models/model.ts";
import { publishedModels } from "../models/published-models.ts";
import { readModel } from "../models/read-model.ts";
import { findEngineRelease } from "./engine-releases.ts";
import { countBlockBytes, countBlocks, type KvLimits, planKvCache, reportKvCapacity } from "./kv-cache.ts";
import { type KvOptions, listKvLayers } from "./kv-layers.ts";
import { comparePagingWithReservation, countSequenceKvBytes, countTokenKvBytes } from "./kv-per-user.ts";

const configs = new Map(publishedModels.map(([name, , config]) => [name, config]));
const read = (name: string) => readModel(configs.get(name));
const half: KvOptions = { dtype: "bfloat16", kvCacheDtype: "auto", tensorParallel: 1 };
const limits = (changes: Partial<KvLimits> = {}): KvLimits => ({
  release: findEngineRelease("vllm@0.19.0"),
  blockSize: 16,
  maxModelLen: 8192,
  maxBatchedTokens: 8192,
  pipelineParallel: 1,
  ...changes,
});
const wholeBlock = (model: Model, options = half, bounds = limits()) =>
  countBlockBytes(planKvCache(listKvLayers(model, options), bounds), { start: 0, end: model.layerOrder.length });

it("counts a token of each kind of attention", () => {
  const token = (name: string, changes: Partial<KvOptions> = {}) =>
    countTokenKvBytes(read(name), { ...half, ...changes });
  expect(token("SmolLM2-135M")).toBe(23_040); // 30 layers x 2 x 3 heads x 64 x 2 bytes
  expect(token("Llama-3.1-8B")).toBe(131_072);
  expect(token("Llama-2-7b")).toBe(524_288); // as many key-value heads as heads
  expect(token("falcon-7b")).toBe(8192); // one key-value head
  expect(token("DeepSeek-V3")).toBe(61 * (512 + 64) * 2); // latent
  expect(token("DeepSeek-V3", { tensorParallel: 8 })).toBe(61 * (512 + 64) * 2); // on every GPU
  expect(token("Llama-3.1-8B", { tensorParallel: 4 })).toBe(32_768);
  expect(token("Llama-3.1-8B", { tensorParallel: 16 })).toBe(16_384); // eight heads, each on two GPUs
  expect(token("Llama-3.1-8B", { kvCacheDtype: "fp8" })).toBe(65_536);
  expect(token("Mamba-Codestral-7B")).toBe(0);
});

it("keeps of a sequence what its layers still see", () => {
  const bytes = (name: string, length: number) => countSequenceKvBytes(read(name), length, half);
  const layer = 2 * 16 * 128 * 2;
  expect(bytes("gemma-2-27b", 1000)).toBe(46 * layer * 1000);
  expect(bytes("gemma-2-27b", 8192)).toBe(23 * layer * (8192 + 4096));
  expect(bytes("Llama-4-Scout", 100_000)).toBe(2 * 8 * 128 * 2 * (12 * 100_000 + 36 * 8192));
  const state = 64 * (128 * 64 * 128 + 3 * (8192 + 2 * 8 * 128)) * 2;
  expect(bytes("Mamba-Codestral-7B", 1)).toBe(state);
  expect(bytes("Mamba-Codestral-7B", 1_000_000)).toBe(state);
});

it("never needs less for a longer sequence, nor more for a window", () => {
  const names = fc.constantFrom(...publishedModels.map(([name]) => name));
  fc.assert(
    fc.property(
      names,
      fc.integer({ min: 1, max: 200_000 }),
      fc.integer({ min: 0, max: 200_000 }),
      (name, short, more) => {
        const model = read(name);
        const [less, greater] = [short, short + more].map((length) => countSequenceKvBytes(model, length, half));
        expect(greater).toBeGreaterThanOrEqual(less ?? 0);
        const plan = planKvCache(listKvLayers(model, half), limits());
        expect(countBlocks(plan, short + more, limits())).toBeGreaterThanOrEqual(countBlocks(plan, short, limits()));
        const eighth = countSequenceKvBytes(model, short, { ...half, kvCacheDtype: "fp8" });
        expect(eighth).toBeLessThanOrEqual(less ?? 0);
      },
    ),
    { numRuns: 80 },
  );
});

it("groups the layers of hybrid models as vLLM does", () => {
  const groupsOf = (name: string) =>
    planKvCache(listKvLayers(read(name), half), limits()).groups.map(({ layer, members }) => [
      layer.kind,
      members.length,
    ]);
  expect(groupsOf("Llama-3.1-8B")).toEqual([["full", 32]]);
  expect(groupsOf("gemma-2-27b")).toEqual([
    ["sliding", 23],
    ["full", 23],
  ]);
  // 10 full layers of 62: the 52 that slide are dealt out to six groups of at most ten.
  expect(groupsOf("gemma-3-27b")).toEqual([
    ...Array.from({ length: 4 }, () => ["sliding", 9]),
    ...Array.from({ length: 2 }, () => ["sliding", 8]),
    ["full", 10],
  ]);
  expect(groupsOf("Qwen3-Next-80B-A3B")).toEqual([...Array.from({ length: 3 }, () => ["state", 12]), ["full", 12]]);
});

it("enlarges blocks until a recurrent state fits, as the log of Qwen3-Next says", () => {
  // "Setting attention block size to 544 tokens to ensure that attention page size is >= mamba page size."
  const { groups } = planKvCache(listKvLayers(read("Qwen3-Next-80B-A3B"), half), limits());
  expect(groups.at(-1)?.blockSize).toBe(544);
});

it("reports tokens as each release does", () => {
  const model = read("gemma-2-27b");
  const report = (engine: string, blocks: number) => {
    const bounds = limits({ release: findEngineRelease(engine) });
    return reportKvCapacity(planKvCache(listKvLayers(model, half), bounds), blocks, bounds);
  };
  expect(report("vllm@0.19.0", 10_251)).toEqual({ tokens: 5125 * 16, maxConcurrency: 10_251 / (512 + 513) });
  expect(report("vllm@0.21.0", 10_251).tokens).toBe(Math.floor((10_251 / 1025) * 8192));
  // Two batches in flight fill the window further; here the whole length is the limit already.
  expect(report("vllm@0.32.0", 10_251).maxConcurrency).toBe(10_251 / 1025);
});

it("gives a pipeline stage the width that its own layers have of each group", () => {
  const model = read("gemma-3-27b");
  const plan = planKvCache(listKvLayers(model, half), limits());
  const page = 2 * 16 * 128 * 2 * 16;
  expect(countBlockBytes(plan, { start: 0, end: 62 })).toBe(10 * page);
  expect(countBlockBytes(plan, { start: 0, end: 31 })).toBe(5 * page);
  expect(wholeBlock(model)).toBe(10 * page);
});

it("shows what paging wins over reserving the longest sequence for each user", () => {
  const model = read("Llama-3.1-8B");
  const use = { lengths: [100, 500, 1000, 2000], maxLength: 8192, blockSize: 16 };
  const { reservedBytes, pagedBytes, users } = comparePagingWithReservation(model, use, half);
  expect(reservedBytes).toBe(4 * 8192 * 131_072);
  expect(pagedBytes).toBe((112 + 512 + 1008 + 2000) * 131_072);
  expect(users).toBeCloseTo(9.02, 2);
  expect(comparePagingWithReservation(model, { ...use, lengths: [8192] }, half).users).toBe(1);
  expect(comparePagingWithReservation(model, { ...use, lengths: [] }, half).users).toBe(1);
});
