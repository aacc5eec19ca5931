import { describe, expect, it } from "vitest";
import { countActiveParameters, countParameters } from "../models/model.ts";
import { publishedModels } from "../models/published-models.ts";
import { readModel } from "../models/read-model.ts";
import { llama70b } from "../speed/example-models.ts";
import { qwen235b } from "./example-configs.ts";
import { makePlans } from "./plan.ts";

/** Cases that were worked out by hand elsewhere; what this planner has of them comes from its general formulas alone. */

const first = (brief: Record<string, unknown>) => {
  const answer = makePlans(brief);
  const [plan] = answer.plans;
  expect(plan, JSON.stringify(answer.rejected, null, 1)).toBeDefined();
  return { ...answer, plan: plan! };
};

describe("70B in INT8 for 40 users with 8K of context, on premises, on cards of 96 GB", () => {
  const brief = {
    model: llama70b,
    precisions: ["int8"],
    peakUsers: 40,
    context: 8192,
    slos: { ttftMs: 2000 },
    sovereignty: { onPremises: true },
    gpus: ["RTX-PRO-6000"],
  };
  const { plan, rejected } = first(brief);

  it("needs about 99 GB: the weights, the cache of 40 requests at their mean length, one engine", () => {
    expect(plan.need.totalGb).toBeGreaterThan(97);
    expect(plan.need.totalGb).toBeLessThan(101);
    // 70 GB of products, and the embeddings and the output head at 16 bits.
    expect(plan.need.weightsGb).toBeCloseTo(72.7, 1);
    expect(plan.need.kvCacheGb).toBeCloseTo(22.6, 1);
    expect(plan.need.overheadGb).toBeCloseTo(4.4, 1);
    // Without paging, all of the context for each of them.
    expect(plan.need.kvCacheReservedGb).toBeCloseTo(107.4, 1);
  });

  it("takes two cards a replica, and a second node", () => {
    expect(plan).toMatchObject({ gpu: "RTX-PRO-6000", tensorParallel: 2, replicas: 2, nodes: 2, gpusTotal: 4 });
    expect(plan.spare.replicas).toBe(1);
    expect(rejected.find(({ option }) => option.tensorParallel === 1)).toMatchObject({
      code: "LATENCY",
      reason: expect.stringMatching(/runs at 1\d\.\d tokens\/s on one NVIDIA RTX PRO 6000.*; 20 a user are asked for/),
    });
  });

  it("could reach 51 tokens/s by its bandwidth, and says what is left of it under load", () => {
    expect(plan.bandwidthBoundTokensPerSecond).toBeCloseTo(51, 0);
    expect(plan.tokensPerSecondPerUser).toBeLessThan(plan.bandwidthBoundTokensPerSecond);
    expect(plan.tokensPerSecondPerUser).toBeGreaterThanOrEqual(20);
    expect(plan.ttftMs).toBeLessThan(2000);
  });

  it("says that vLLM has no INT8 arithmetic on these cards", () => {
    expect(plan.notes.join(" ")).toContain("no kernel for INT8 activations on Blackwell");
  });
});

describe("70B in INT8 for 20 users with 32K of context", () => {
  const { plans, rejected } = first({
    model: llama70b,
    precisions: ["int8"],
    peakUsers: 20,
    context: 32_768,
    gpus: ["H100", "H200"],
  });

  it("needs 105 to 110 GB", () => {
    expect(plans[0]!.need.totalGb).toBeGreaterThan(105);
    expect(plans[0]!.need.totalGb).toBeLessThan(110);
  });

  it("fits on one H200, which comes before a pair of H100, and not on one H100", () => {
    expect(plans.map(({ gpu, tensorParallel }) => [gpu, tensorParallel])).toEqual([
      ["H200", 1],
      ["H100-80GB", 2],
    ]);
    expect(rejected.find(({ code }) => code === "MEMORY")).toMatchObject({
      option: { gpu: "H100-80GB", tensorParallel: 1 },
      reason: expect.stringMatching(/67\.7 GiB.*71\.3 GiB/),
    });
  });
});

describe("5,000 staff", () => {
  const node = { model: qwen235b, headCount: 5000, gpus: ["H100"] };
  const needed = (plan: { replicas: number; spare: { replicas: number } }) => plan.replicas - plan.spare.replicas;

  it("chat needs one pool of 235B beside the spare one, agents four to eight", () => {
    const chat = first({ ...node, profile: "chat" }).plan;
    const agents = first({ ...node, profile: "agents" }).plan;
    expect(needed(chat)).toBe(1);
    expect(needed(agents)).toBeGreaterThanOrEqual(4);
    expect(needed(agents)).toBeLessThanOrEqual(8);
  });

  it("agents cost 70B four to eight times the GPUs that chat takes", () => {
    const brief = { ...node, model: llama70b, precisions: ["fp8"], production: false };
    const gpus = (profile: string) => first({ ...brief, profile }).plan.gpusTotal;
    const ratio = gpus("agents") / gpus("chat");
    expect(ratio).toBeGreaterThanOrEqual(4);
    expect(ratio).toBeLessThanOrEqual(10);
  });
});

describe("weights", () => {
  it("of 70B are 280, 140, 70 and 35 GB at 4, 2, 1 and half a byte", () => {
    const parameters = countParameters(readModel(llama70b)) / 1e9;
    for (const [bytes, gb] of [
      [4, 280],
      [2, 140],
      [1, 70],
      [0.5, 35],
    ] as const) {
      expect(Math.abs(parameters * bytes - gb) / gb).toBeLessThan(0.01);
    }
  });

  it.each([
    ["bf16", 141.1],
    ["fp8", 72.7],
    ["int8", 72.7],
    ["int4", 39.7],
  ])("of a plan in %s are %d GB, with embeddings and head at 16 bits and the scales", (precision, gb) => {
    const { plan } = first({ model: llama70b, peakUsers: 10, precisions: [precision], gpus: ["B300"] });
    expect(Math.abs(plan.need.weightsGb - gb)).toBeLessThan(0.6);
  });
});

describe("experts all reside in memory, and those of one token set its speed", () => {
  /** Not published with these numbers: a shape of DeepSeek-V3's kind that has 1.6T parameters, 49B of them active. */
  const giant = {
    ...publishedModels.find(([name]) => name === "Kimi-K2")![2],
    num_hidden_layers: 80,
    moe_intermediate_size: 2560,
    first_k_dense_replace: 5,
  };
  const cases = [
    ["235B with 22B active", qwen235b, 235, 22],
    ["1T with 32B active", publishedModels.find(([name]) => name === "Kimi-K2")![2], 1026, 32],
    ["1.6T with 49B active", giant, 1600, 49],
  ] as const;

  it.each(cases)("%s", (_name, config, totalB, activeB) => {
    const model = readModel(config);
    expect(Math.abs(countParameters(model) / 1e9 - totalB) / totalB).toBeLessThan(0.03);
    expect(Math.abs(countActiveParameters(model) / 1e9 - activeB) / activeB).toBeLessThan(0.06);
    const { plan } = first({ model: config, requestsInFlight: 8, precisions: ["fp8"], gpus: ["B300"], context: 8192 });
    expect(plan.need.weightsGb).toBeGreaterThan(totalB);
    // Bytes read for a token: about one for each active parameter, of a pool of GPUs of 8 TB/s each.
    const bound = (plan.gpusPerReplica * 8000) / activeB;
    expect(plan.bandwidthBoundTokensPerSecond).toBeGreaterThan(0.7 * bound);
    expect(plan.bandwidthBoundTokensPerSecond).toBeLessThan(1.1 * bound);
  });

  it("a trillion parameters that no node of H100 holds are spread over two, a pipeline stage on each", () => {
    const { plan } = first({
      model: cases[1][1],
      requestsInFlight: 8,
      precisions: ["fp8"],
      gpus: ["H100"],
      context: 8192,
    });
    expect(plan).toMatchObject({ tensorParallel: 8, pipelineParallel: 2, gpusPerReplica: 16, nodes: 4 });
    expect(plan.notes.join(" ")).toContain("A replica spans 2 nodes");
  });
});
