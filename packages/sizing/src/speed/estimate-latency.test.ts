import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gpuCatalogue } from "../gpus/catalogue.ts";
import type { Gpu } from "../gpus/gpu.ts";
import { readModel } from "../models/read-model.ts";
import { SizingError } from "../sizing-error.ts";
import { curve, estimateLatency } from "./estimate-latency.ts";
import { deepseekLite, gemma9b, llama70b, llama8b, qwen235b } from "./example-models.ts";
import type { LatencyRequest } from "./latency-request.ts";
import { speedConstants } from "./speed-constants.ts";

const chat: LatencyRequest = {
  model: llama70b,
  gpu: "H100-80GB",
  engine: "vllm@0.19.0",
  precision: "fp8",
  tensorParallel: 4,
  batch: 8,
  isl: 1000,
  osl: 300,
};

const h100 = gpuCatalogue.find(({ id }) => id === "H100-80GB") as Gpu;
const models = [llama70b, llama8b, qwen235b, deepseekLite, gemma9b].map((config) => readModel(config));
const dense = [llama70b, llama8b, gemma9b].map((config) => readModel(config));
const engines = ["vllm@0.12.0", "vllm@0.19.0", "trtllm@1.0.0rc3", "trtllm@1.2.0", "sglang@0.5.1", "sglang"];

/** Replicas that hold the models on H200s, whatever the precision. */
const anyRequest = (chosen: readonly unknown[], enginesOf = engines): fc.Arbitrary<LatencyRequest> =>
  fc.record({
    model: fc.constantFrom(...chosen),
    gpu: fc.constantFrom("H200", "B200", "MI300X"),
    engine: fc.constantFrom(...enginesOf),
    precision: fc.constantFrom("bf16", "fp8", "int8", "int4"),
    tensorParallel: fc.constantFrom(4, 8),
    batch: fc.integer({ min: 1, max: 300 }),
    isl: fc.integer({ min: 1, max: 5000 }),
    osl: fc.integer({ min: 1, max: 2000 }),
  });

describe("what grows with what", () => {
  it("never says that more requests in flight make a token come sooner", () => {
    fc.assert(
      fc.property(anyRequest(models), fc.integer({ min: 1, max: 300 }), (request, more) => {
        const [few, many] = curve(request, [request.batch, request.batch + more]);
        expect(many!.tpotMs).toBeGreaterThanOrEqual(few!.tpotMs * (1 - 1e-9));
      }),
    );
  });

  it("makes the first token of a dense model wait longer, the more requests are in flight", () => {
    fc.assert(
      fc.property(anyRequest(dense), fc.integer({ min: 1, max: 300 }), (request, more) => {
        const [few, many] = curve(request, [request.batch, request.batch + more]);
        expect(many!.ttftMs).toBeGreaterThanOrEqual(few!.ttftMs * (1 - 1e-9));
      }),
    );
  });

  it("takes longer for a longer prompt: to the first token always, per token where prompts and decoding share steps", () => {
    const sharing = engines.filter((engine) => !engine.startsWith("sglang"));
    fc.assert(
      fc.property(anyRequest(models, sharing), fc.integer({ min: 1, max: 1000 }), (request, more) => {
        const short = estimateLatency(request);
        const long = estimateLatency({ ...request, isl: request.isl + more });
        expect(long.ttftMs).toBeGreaterThanOrEqual(short.ttftMs * (1 - 1e-9));
        if (!long.saturated) expect(long.tpotMs).toBeGreaterThanOrEqual(short.tpotMs * (1 - 1e-9));
      }),
    );
  });

  it("never serves less, alone or in a crowd, with more bandwidth, more FLOP/s or a faster link", () => {
    const better = fc.constantFrom<(gpu: Gpu) => Gpu>(
      (gpu) => ({ ...gpu, bandwidth: gpu.bandwidth * 1.5 }),
      (gpu) => ({ ...gpu, flops: { ...gpu.flops, bf16: gpu.flops.bf16 * 1.5, fp8: (gpu.flops.fp8 ?? 0) * 1.5 } }),
      (gpu) => ({ ...gpu, link: { ...gpu.link, bandwidth: gpu.link.bandwidth * 1.3 } }),
    );
    fc.assert(
      fc.property(anyRequest(models), better, (request, improve) => {
        const at = (gpu: Gpu, batch: number) => estimateLatency({ ...request, batch, gpu: { ...gpu, memoryGib: 300 } });
        const [alone, aloneBetter] = [at(h100, 1), at(improve(h100), 1)];
        expect(aloneBetter.tpotMs).toBeLessThanOrEqual(alone.tpotMs * (1 + 1e-9));
        expect(aloneBetter.ttftMs).toBeLessThanOrEqual(alone.ttftMs * (1 + 1e-9));
        const [before, after] = [at(h100, request.batch), at(improve(h100), request.batch)];
        // A shorter step hides less of a prompt: where answers are hardly longer than the queue that is not quite so.
        if (request.osl < request.batch) return;
        expect(after.tokensPerSecondPerGpu).toBeGreaterThanOrEqual(before.tokensPerSecondPerGpu * (1 - 1e-9));
      }),
    );
  });

  it("never promises a user more than reading the weights once a token allows", () => {
    fc.assert(
      fc.property(anyRequest(models), (request) => {
        const { tokensPerSecondPerUser, breakdown } = estimateLatency(request);
        expect(tokensPerSecondPerUser).toBeLessThan(breakdown.ceilingTokensPerSecondPerUser);
      }),
    );
  });

  it("decodes a large model faster on more GPUs over NVLink, and gains less from each doubling", () => {
    const [two, four, eight] = [2, 4, 8].map((tensorParallel) => estimateLatency({ ...chat, tensorParallel }).tpotMs);
    expect(four).toBeLessThan(two!);
    expect(eight).toBeLessThan(four!);
    expect(two! / four!).toBeGreaterThan(four! / eight!);
  });

  it("pays more for tensor parallelism over PCIe than over NVLink", () => {
    const pcie = { ...h100, link: { kind: "pcie", bandwidth: 64e9, domain: 8 } };
    const [switched, bus] = [h100, pcie].map((gpu) => estimateLatency({ ...chat, gpu }));
    expect(bus!.ttftMs).toBeGreaterThan(switched!.ttftMs);
    expect(bus!.breakdown.decode.collectives).toBeGreaterThan(switched!.breakdown.decode.collectives);
  });

  it("has a mixture of experts read only what a batch chooses: alone far less than all, at a large batch nearly all", () => {
    const moe: LatencyRequest = { ...chat, model: qwen235b, tensorParallel: 8, expertParallel: 8, osl: 1000 };
    const [alone, many] = curve(moe, [1, 256]);
    expect(alone!.breakdown.decode.experts).toBeLessThan(many!.breakdown.decode.experts / 4);
    const all = (94 * 3 * 4096 * 1536 * 128) / 8 / h100.bandwidth;
    expect(many!.breakdown.decode.experts).toBeGreaterThan(1e3 * all * 0.9);
  });
});

describe("what it reports", () => {
  it("counts the launches of each kind of layer: latent attention, experts, and what every layer has", () => {
    const { vllm } = speedConstants.engines;
    const { overhead } = estimateLatency({ ...chat, model: deepseekLite, batch: 1 }).breakdown.decode;
    const { expertFactor } = vllm.releases.at(-1)!;
    const layersUs = 27 * (vllm.layerUs + speedConstants.latentLayerUs) + 26 * vllm.expertLayerUs * expertFactor;
    expect(overhead).toBeCloseTo((layersUs + vllm.stepUs + vllm.sequenceUs) / 1000, 9);
  });

  it("breaks a step down into parts that sum up, and gives rates that are the inverse of times", () => {
    const latency = estimateLatency(chat);
    const { total, ...parts } = latency.breakdown.decode;
    expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBeCloseTo(total, 9);
    expect(latency.tpotMs).toBeCloseTo(total + latency.breakdown.prefillInterferenceMs, 9);
    expect(latency.tokensPerSecondPerUser).toBeCloseTo(1000 / latency.tpotMs, 9);
    const lifeSeconds = (latency.ttftMs + 299 * latency.tpotMs) / 1000;
    expect(latency.tokensPerSecondPerGpu).toBeCloseTo((8 * 300) / lifeSeconds / 4, 6);
  });

  it("says saturated, and why with numbers, as soon as the cache holds fewer requests than are in flight", () => {
    const request = { ...chat, tensorParallel: 2, isl: 8192, osl: 1024 };
    const capacity = Math.floor(estimateLatency({ ...request, batch: 1 }).breakdown.maxRunningRequests);
    const [last, first] = curve(request, [capacity, capacity + 1]);
    expect(last!.saturated).toBe(false);
    expect(last).not.toHaveProperty("reason");
    expect(first!.saturated).toBe(true);
    expect(first!.reason).toContain(`about ${capacity} sequences of 9216 tokens, and ${capacity + 1} are in flight`);
    const [, crowded] = curve(request, [capacity, 2 * capacity]);
    expect(crowded!.ttftMs).toBeGreaterThan(last!.ttftMs + 0.5 * 1024 * last!.tpotMs);
  });

  it("takes the cache that the engine printed in place of the estimate", () => {
    const request = { ...chat, batch: 64, osl: 1000 };
    expect(estimateLatency(request).saturated).toBe(false);
    expect(estimateLatency({ ...request, cacheGibPerGpu: 1 }).saturated).toBe(true);
  });

  it("has the bandwidth of two RTX PRO 6000 allow 51 tokens/s of a 70B model in INT8, and promises less", () => {
    const pair = { ...chat, gpu: "RTX-PRO-6000", precision: "int8", tensorParallel: 2, batch: 1 };
    const { tokensPerSecondPerUser, breakdown } = estimateLatency(pair);
    expect(breakdown.ceilingTokensPerSecondPerUser).toBeCloseTo(51, 0);
    expect(tokensPerSecondPerUser).toBeGreaterThan(0.6 * 51);
  });

  it("reads the config and the model that was read from it alike, and a GPU by id or by its fields", () => {
    const expected = estimateLatency(chat);
    expect(estimateLatency({ ...chat, model: readModel(llama70b), gpu: h100 })).toEqual(expected);
  });
});

describe("options", () => {
  it("spreads experts over as many GPUs as are said, over all for true, and over none for 0", () => {
    const at = (expertParallel: number | boolean) => {
      return estimateLatency({ ...chat, model: qwen235b, engine: "trtllm@1.2.0", tensorParallel: 8, expertParallel });
    };
    expect(at(true)).toEqual(at(8));
    expect(at(0)).toEqual(at(1));
    expect(at(8).tpotMs).not.toBe(at(1).tpotMs);
  });

  it("computes only what the prefix cache lacks", () => {
    const [none, most, all] = [0, 0.9, 1].map((prefixCacheHitRate) =>
      estimateLatency({ ...chat, isl: 6000, prefixCacheHitRate }),
    );
    expect(most!.breakdown.prefillMs).toBeLessThan(none!.breakdown.prefillMs / 5);
    expect(all!.ttftMs).toBeLessThan(most!.ttftMs);
    expect(all!.breakdown.prefillMs).toBeGreaterThan(0);
  });

  it("gains from drafts while decoding waits for memory, and loses what drafting costs", () => {
    const plain = estimateLatency({ ...chat, batch: 1 });
    const drafted = estimateLatency({ ...chat, batch: 1, speculative: { acceptedTokens: 2, draftShare: 0.1 } });
    expect(drafted.tpotMs).toBeLessThan(plain.tpotMs / 2);
    expect(drafted.tpotMs).toBeGreaterThan(plain.tpotMs / 3);
    const useless = estimateLatency({ ...chat, batch: 1, speculative: { acceptedTokens: 0, draftShare: 0.1 } });
    expect(useless.tpotMs).toBeCloseTo(1.1 * plain.tpotMs, 9);
  });

  it("keeps prompts out of the decoding steps when they are computed elsewhere, and sends their cache", () => {
    const together = estimateLatency({ ...chat, batch: 32, isl: 8000 });
    const apart = estimateLatency({ ...chat, batch: 32, isl: 8000, disaggregated: { networkGbps: 100 } });
    expect(apart.breakdown.prefillInterferenceMs).toBe(0);
    expect(apart.tpotMs).toBeLessThan(together.tpotMs);
    // 80 layers, 2 of 8 key-value heads on each GPU, 128 wide, keys and values in FP8.
    expect(apart.breakdown.transferMs).toBeCloseTo((8000 * 80 * 2 * 2 * 128 * 8) / 100e9 / 1e-3, 6);
  });

  it("splits the load over pipeline stages", () => {
    const one = estimateLatency({ ...chat, batch: 64, tensorParallel: 2 });
    const two = estimateLatency({ ...chat, batch: 64, tensorParallel: 2, pipelineParallel: 2 });
    expect(two.breakdown.maxRunningRequests).toBeGreaterThan(2 * one.breakdown.maxRunningRequests);
    expect(two.tpotMs).toBeLessThan(one.tpotMs);
  });
});

describe("bad input", () => {
  const refuse = (change: Record<string, unknown>) => {
    try {
      estimateLatency({ ...chat, ...change });
    } catch (error) {
      if (error instanceof SizingError) return `${error.code}: ${error.message}`;
      throw error;
    }
    return "accepted";
  };

  it.each([
    [{ batch: 0 }, /^INVALID_REQUEST: The field batch is 0/],
    [{ batch: 2.5 }, /^INVALID_REQUEST: The field batch is 2.5/],
    [{ isl: -1 }, /^INVALID_REQUEST: The field isl is -1/],
    [{ osl: undefined }, /^INVALID_REQUEST: The field osl is missing/],
    [{ prefixCacheHitRate: 2 }, /^INVALID_REQUEST: The field prefixCacheHitRate is 2/],
    [{ speculative: { acceptedTokens: -1 } }, /^INVALID_REQUEST: The field speculative.acceptedTokens is -1/],
    [{ isl: 131_072 }, /^INVALID_REQUEST: The field isl \+ osl is 131372: the model allows at most 131072/],
    [{ precision: "fp3" }, /^INVALID_REQUEST: The field precision is "fp3"; it must be one of bf16/],
    [{ engine: "tgi@3" }, /^UNKNOWN_ENGINE: The field engine is "tgi@3"; speed is known for vllm, trtllm and sglang/],
    [{ gpu: "H900" }, /^UNKNOWN_GPU: .*H900/],
    [{ model: { model_type: "llama" } }, /^UNKNOWN_ARCHITECTURE/],
    [{ tensorParallel: 3 }, /^DOES_NOT_DIVIDE: The field tensorParallel is 3/],
    [{ expertParallel: 4 }, /^INVALID_REQUEST: The field expertParallel is 4: the model has no experts/],
    [{ gpu: "L4", tensorParallel: 2 }, /^DOES_NOT_FIT: The weights take 3\d\.\d GiB of each of 2 GPUs, and L4 has 22/],
  ])("refuses %j in one sentence that says what is wrong", (change, message) => {
    expect(refuse(change)).toMatch(message);
  });
});
