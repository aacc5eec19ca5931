import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estimateServingMemory } from "../memory/serving-memory.ts";
import { SizingError } from "../sizing-error.ts";
import { estimateLatency } from "../speed/estimate-latency.ts";
import { llama70b, llama8b } from "../speed/example-models.ts";
import { qwen235b } from "./example-configs.ts";
import { makePlans, type PlanAnswer } from "./plan.ts";
import type { Plan } from "./plan-types.ts";
import { workloadProfiles } from "./workload-profile.ts";

/** Holds every plan against the estimators themselves, from its launch settings alone. */
function expectRunnable(
  { plans, rejected, workloads }: PlanAnswer,
  configs: Record<string, Record<string, unknown>>,
): void {
  for (const { pool, ...plan } of plans.flatMap((each) =>
    each.pools.map((inner) => ({ ...inner, pool: inner.pool })),
  )) {
    const workload = workloads.find(({ name }) => name === pool)!;
    const model = configs[plan.model]!;
    const { launch, gpu, tensorParallel, pipelineParallel, expertParallel, kvCacheDtype } = plan;
    const own = "quantization_config" in model;
    const cut = { model, gpu, tensorParallel, pipelineParallel, expertParallel };
    const memory = estimateServingMemory({
      ...cut,
      engine: launch.engine,
      quantization: own || plan.precision === "bf16" ? null : plan.precision,
      kvCacheDtype,
      maxModelLen: launch.maxModelLen,
      gpuMemoryUtilization: launch.gpuMemoryUtilization,
    });
    expect(memory.fits).toBe(true);
    const latency = estimateLatency({
      ...cut,
      engine: "vllm",
      precision: own ? null : plan.precision,
      kvCacheDtype,
      cacheGibPerGpu: memory.kvCacheGib,
      batch: plan.requestsInFlightPerReplica,
      isl: workload.inputTokens,
      osl: workload.outputTokens,
      prefixCacheHitRate: workload.prefixCacheHitRate,
    });
    expect(latency.saturated).toBe(false);
    const { ttftMs, tokensPerSecondPerUser } = workload.limits;
    expect(latency.ttftMs).toBeLessThanOrEqual((ttftMs ?? Infinity) * 1.0001);
    expect(latency.tokensPerSecondPerUser).toBeGreaterThanOrEqual((tokensPerSecondPerUser ?? 0) * 0.9999);
    const bar = plan.memoryPerGpu;
    const parts = bar.weightsGib + bar.activationGib + bar.engineGib + bar.kvUsedGib + bar.kvFreeGib + bar.unusedGib;
    expect(parts).toBeCloseTo(bar.totalGib, 3);
    const serving = plan.replicas - plan.spare.replicas;
    expect(serving * plan.requestsInFlightPerReplica).toBeGreaterThanOrEqual(workload.inFlightPlanned ?? 0);
    expect(plan.requestsInFlightPerReplica).toBeLessThanOrEqual(plan.saturation.requestsInFlight);
    for (const figure of [
      plan.cost.perMonth,
      plan.watts,
      plan.tokensPerJoule,
      plan.costPerMillionTokens,
      plan.utilisation,
    ]) {
      expect(figure).toBeGreaterThan(0);
      expect(Number.isFinite(figure)).toBe(true);
    }
    expect(plan.utilisation).toBeLessThanOrEqual(1);
  }
  for (const plan of plans) {
    expect(plan.reasons.length).toBeGreaterThan(4);
    expect(plan.baseline.perMonth + plan.onDemand.perMonth).toBeCloseTo(plan.monthlyCost, 4);
  }
  for (const { reason, code } of rejected) {
    expect(reason).toMatch(/^[A-Z0-9].*\.$/);
    if (!["LICENCE", "LANGUAGE", "TOOLS", "SOVEREIGNTY", "PRECISION"].includes(code)) expect(reason).toMatch(/\d/);
  }
}

const named = { llama: llama70b, qwen3_moe: qwen235b };
const chat = { model: llama70b, peakUsers: 200, context: 8192 };
const nameOf = (plan: Plan) => `${plan.title} ${plan.kvCacheDtype}`;

describe("plans", () => {
  it("can all be run, by the estimators' own word, and every option that is missing has its reason", () => {
    for (const profile of Object.keys(workloadProfiles)) {
      const load = ["batch", "embeddings"].includes(profile) ? { documentsPerHour: 20_000 } : { peakUsers: 300 };
      expectRunnable(makePlans({ model: llama70b, profile, ...load, gpus: ["L40S", "H100", "MI300X"] }), named);
    }
    expectRunnable(makePlans({ model: qwen235b, headCount: 5000, profile: "agents", context: 32_768 }), named);
  });

  it("stand in the order of their cost, one large GPU before a pair that costs about the same", () => {
    const { plans } = makePlans({ ...chat, precisions: ["fp8"] });
    expect(plans.length).toBeGreaterThan(6);
    expect(plans.map(({ rank }) => rank)).toEqual(plans.map((_, index) => index + 1));
    const weights = plans.map(({ monthlyCost, gpusPerReplica }) => monthlyCost * (1 + 0.1 * Math.log2(gpusPerReplica)));
    expect(weights).toEqual(weights.toSorted((left, right) => left - right));
  });

  it("are never lost to a larger budget", () => {
    const brief = { ...chat, gpus: ["A100-80GB", "RTX-PRO-6000", "H100", "H200", "MI300X"] };
    const all = makePlans(brief);
    const costs = all.plans.map(({ monthlyCost }) => monthlyCost);
    let before: string[] = [];
    for (const perMonth of [Math.min(...costs) - 1, ...costs.toSorted((left, right) => left - right), 1e9]) {
      const { plans, rejected } = makePlans({ ...brief, budget: { perMonth } });
      const names = plans.map(nameOf);
      expect(names).toEqual(expect.arrayContaining(before));
      expect(plans.every(({ monthlyCost }) => monthlyCost <= perMonth)).toBe(true);
      for (const { code, reason } of rejected)
        if (code === "BUDGET") expect(reason).toMatch(/\$[\d,.]+ over the budget/);
      before = names;
    }
    expect(before).toEqual(all.plans.map(nameOf));
  });

  it("run on two nodes in production, and go on when one is lost; a trial runs on one", () => {
    const brief = { ...chat, gpus: ["H200"] };
    for (const plan of makePlans(brief).plans) {
      expect(plan.nodes).toBeGreaterThanOrEqual(2);
      expect(plan.spare.replicas).toBeGreaterThanOrEqual(1);
    }
    const [trial] = makePlans({ ...brief, production: false }).plans;
    expect(trial).toMatchObject({ nodes: 1, spare: { replicas: 0 } });
  });

  it("keep a replica's cost and the GPUs of a stricter limit above those of a looser one", () => {
    const cheapest = (tokensPerSecondPerUser: number) =>
      makePlans({ ...chat, gpus: ["H100"], slos: { tokensPerSecondPerUser } }).plans[0]?.gpusTotal ?? Infinity;
    expect(cheapest(10)).toBeLessThanOrEqual(cheapest(20));
    expect(cheapest(20)).toBeLessThanOrEqual(cheapest(40));
    expect(cheapest(5000)).toBe(Infinity);
  });

  it("hold fewer requests on a replica the longer their context", () => {
    const fullAt = [8192, 32_768, 131_072].map((context) => {
      const [plan] = makePlans({
        model: llama70b,
        requestsInFlight: 8,
        context,
        gpus: ["H200"],
        precisions: ["fp8"],
        slos: { ttftMs: 60_000 },
      }).plans;
      return plan!.saturation.requestsInFlight;
    });
    expect(fullAt).toEqual(fullAt.toSorted((left, right) => right - left));
    expect(fullAt[0]).toBeGreaterThan(2 * fullAt[2]!);
  });

  it("say what the brief left open, and nothing where it left nothing", () => {
    expect(makePlans({ ...chat, gpus: ["H200"] }).assumed.join(" ")).toMatch(
      /set profile.*set inputTokens.*set slos.*set production.*set purchase.*set qualityFloor.*set prices/,
    );
    const slos = { ttftMs: 2000, tokensPerSecondPerUser: 20 };
    const whole = { ...chat, profile: "chat", inputTokens: 2000, outputTokens: 200, slos, prefixCacheHitRate: 0 };
    const rest = {
      production: true,
      purchase: "rent",
      qualityFloor: 0.9,
      prices: { H200: { perHour: 3 } },
      dailyLoad: Array.from({ length: 24 }, () => 1),
    };
    expect(makePlans({ ...whole, ...rest, gpus: ["H200"] }).assumed).toEqual([]);
  });

  it("weigh disaggregation and prefix caches, with the network that they need", () => {
    const brief = {
      model: llama70b,
      requestsInFlight: 400,
      context: 131_072,
      inputTokens: 60_000,
      outputTokens: 300,
      gpus: ["H200"],
    };
    const [plan] = makePlans({
      ...brief,
      precisions: ["fp8"],
      kvCacheDtype: "auto",
      slos: { ttftMs: 30_000, tokensPerSecondPerUser: 10 },
    }).plans;
    const [disaggregation, prefix, shared] = plan!.options;
    expect(disaggregation).toMatchObject({ kind: "disaggregation", network: { kind: "RDMA (InfiniBand or RoCE)" } });
    // 80 layers x 8 heads x 128 x 2 (keys, values) x 2 bytes a token.
    expect(disaggregation!.network!.bytesPerRequest / (60_000 * 327_680)).toBeCloseTo(1, 2);
    expect(disaggregation!.reason).toMatch(/prefill and \d+ decode replicas.*19\.\d+ GB of KV cache.*Gbit\/s/);
    expect(disaggregation!.network!.linkGbps).toBeGreaterThanOrEqual(disaggregation!.network!.gbps);
    expect(prefix).toMatchObject({ kind: "prefix-cache", network: null, worthIt: true });
    expect(shared).toMatchObject({ kind: "shared-prefix-cache", worthIt: true });
    const [small] = makePlans({ ...chat, peakUsers: 20, gpus: ["H200"] }).plans;
    expect(small!.options[0]).toMatchObject({ kind: "disaggregation", worthIt: false });
  });
});

describe("rejected options", () => {
  it("name what is missing: memory, speed, quality, vendor, money", () => {
    const { rejected } = makePlans({
      ...chat,
      gpus: ["L4", "RTX-PRO-6000", "H200", "MI300X"],
      sovereignty: { vendors: ["nvidia"] },
      budget: { perMonth: 5000 },
      slos: { ttftMs: 150 },
    });
    const reasonOf = (code: string) => rejected.find((each) => each.code === code)?.reason;
    expect(reasonOf("SOVEREIGNTY")).toBe("AMD Instinct MI300X is made by AMD; only nvidia is allowed.");
    expect(reasonOf("MEMORY")).toMatch(/GiB/);
    expect(reasonOf("LATENCY")).toMatch(/misses the time to first token of 150 ms on .*: [\d.]+ m?s\./);
    expect(reasonOf("QUALITY")).toBe(
      "INT4 keeps about 96.0% of the model's quality; without a qualityFloor, 98% are asked for.",
    );
    expect(reasonOf("BUDGET")).toMatch(/It costs \$[\d,]+ a month, \$[\d,]+ over the budget of \$5,000\./);
  });

  it("are all there is where nothing fits, and that is no error", () => {
    const { plans, rejected } = makePlans({ model: llama70b, peakUsers: 5, gpus: ["L4"], precisions: ["bf16"] });
    expect(plans).toEqual([]);
    expect(rejected.map(({ code }) => code)).toContain("MEMORY");
  });
});

describe("existing GPUs", () => {
  const brief = { model: llama8b, peakUsers: 50, existingOnly: true };

  it("are used for their electricity, and never more than there are", () => {
    const { plans } = makePlans({ ...brief, existingGpus: [{ gpu: "L40S", count: 8, gpusPerNode: 4 }] });
    const [plan] = plans;
    expect(plan).toMatchObject({ supply: "existing", gpu: "L40S", capex: 0 });
    expect(plan!.gpusTotal).toBeLessThanOrEqual(8);
    expect(plan!.nodes).toBe(2);
    expect(plan!.monthlyCost).toBeLessThan(plan!.gpusTotal * 100);
  });

  it("on one node carry no production, and the reason says so", () => {
    const { plans, rejected } = makePlans({ ...brief, existingGpus: [{ gpu: "L40S", count: 8 }] });
    expect(plans).toEqual([]);
    expect(rejected.find(({ code }) => code === "NODES")?.reason).toContain("production takes two nodes at least");
    expect(makePlans({ ...brief, production: false, existingGpus: [{ gpu: "L40S", count: 8 }] }).plans).not.toEqual([]);
  });

  it("in a region that is not allowed, or in none that is known, are left out", () => {
    const existingGpus = [
      { gpu: "L40S", count: 8, gpusPerNode: 4, region: "eu" },
      { gpu: "H100", count: 16, region: "us" },
      { gpu: "H200", count: 16 },
    ];
    const { plans, rejected } = makePlans({ ...brief, existingGpus, sovereignty: { regions: ["eu"] } });
    expect(new Set(plans.map(({ gpu }) => gpu))).toEqual(new Set(["L40S"]));
    expect(rejected.filter(({ code }) => code === "SOVEREIGNTY").map(({ reason }) => reason)).toEqual([
      "The existing NVIDIA H100 SXM 80 GB stand in us; only eu is allowed.",
      "The existing NVIDIA H200 SXM 141 GB stand in a region that is not stated; only eu is allowed.",
    ]);
  });

  it("joined by PCIe make a slower replica than by NVLink", () => {
    const speed = (interconnect: string) =>
      makePlans({
        model: llama70b,
        requestsInFlight: 4,
        precisions: ["fp8"],
        existingOnly: true,
        existingGpus: [{ gpu: "H100", count: 16, interconnect }],
      }).plans[0]!.ttftMs;
    expect(speed("pcie")).toBeGreaterThan(speed("nvlink"));
  });

  it("are given away once to several workloads", () => {
    const workloads = [
      { name: "chat", profile: "chat", peakUsers: 200 },
      { name: "voice", profile: "voice", peakUsers: 50, model: llama8b },
    ];
    const answer = makePlans({
      model: llama70b,
      workloads,
      existingOnly: true,
      existingGpus: [{ gpu: "H200", count: 8, gpusPerNode: 2 }],
    });
    expect(answer.plans).not.toEqual([]);
    for (const plan of answer.plans) {
      expect(plan.pools.map(({ pool }) => pool)).toEqual(["chat", "voice"]);
      expect(plan.gpusTotal).toBeLessThanOrEqual(8);
      expect(plan.gpusTotal).toBe(plan.pools.reduce((sum, pool) => sum + pool.gpus, 0));
    }
    const tight = makePlans({
      model: llama70b,
      workloads,
      existingOnly: true,
      existingGpus: [{ gpu: "H200", count: 3, gpusPerNode: 1 }],
    });
    expect(tight.plans).toEqual([]);
    const reasons = tight.rejected.map(({ reason }) => reason).join("\n");
    expect(reasons).toMatch(/The pools together take \d GPUs of .*, and there are 3 on 3 nodes\./);
  });
});

describe("buying and renting", () => {
  it("keeps to what is bought on premises, within both budgets", () => {
    const { plans } = makePlans({ ...chat, sovereignty: { onPremises: true }, budget: { capex: 250_000 } });
    expect(plans).not.toEqual([]);
    for (const plan of plans) {
      expect(plan.supply).toBe("buy");
      expect(plan.capex).toBeGreaterThan(0);
      expect(plan.capex).toBeLessThanOrEqual(250_000);
      expect(plan.onDemand.gpusAtPeak).toBe(0);
    }
  });

  it("rents the peak of the day where the load has one", () => {
    const brief = { model: llama8b, headCount: 200_000, gpus: ["L40S"], precisions: ["fp8"] };
    const [office] = makePlans(brief).plans;
    const [steady] = makePlans({ ...brief, dailyLoad: Array.from({ length: 24 }, () => 1) }).plans;
    expect(office!.onDemand.gpusAtPeak).toBeGreaterThan(0);
    expect(office!.monthlyCost).toBeLessThan(steady!.monthlyCost);
    expect(steady!.onDemand.gpusAtPeak).toBe(0);
    expect(office!.warmReserve.replicas).toBeGreaterThan(0);
    expect(office!.costPerMillionTokens).toBeGreaterThan(steady!.costPerMillionTokens);
  });

  it("uses batch work's GPUs more than those of people who wait", () => {
    const brief = { model: llama8b, gpus: ["L40S"], precisions: ["fp8"], production: false };
    const [bulk] = makePlans({ ...brief, documentsPerHour: 100_000 }).plans;
    const [online] = makePlans({ ...brief, peakUsers: 300 }).plans;
    expect(bulk!.utilisation).toBeGreaterThan(0.5);
    expect(online!.utilisation).toBeLessThan(0.6);
  });

  it("takes the prices of the brief", () => {
    const cost = (perHour: number) =>
      makePlans({ ...chat, gpus: ["H200"], prices: { H200: { perHour } } }).plans[0]!.monthlyCost;
    expect(cost(7.2)).toBeCloseTo(2 * cost(3.6));
    expect(() => makePlans({ ...chat, prices: { H900: { perHour: 1 } } })).toThrow(/no GPU "H900"/);
  });
});

const load = fc.oneof(
  fc.record({ headCount: fc.constantFrom(1, 300, 5000, 100_000) }),
  fc.record({ peakUsers: fc.constantFrom(1, 40, 2000) }),
  fc.record({ requestsInFlight: fc.constantFrom(1, 17, 500) }),
  fc.record({ documentsPerHour: fc.constantFrom(0.5, 1000, 500_000) }),
);
const good = fc.record(
  {
    model: fc.constantFrom(llama8b, llama70b, qwen235b),
    gpus: fc.subarray(["L4", "L40S", "A100-40GB", "H100", "B300", "MI300X", "GB200"], { minLength: 1, maxLength: 2 }),
    profile: fc.constantFrom(...Object.keys(workloadProfiles)),
    context: fc.constantFrom(1024, 4096, 8192, 40_000),
    prefixCacheHitRate: fc.constantFrom(0, 0.5, 0.99),
    slos: fc.record(
      { ttftMs: fc.constantFrom(200, 5000), tokensPerSecondPerUser: fc.constantFrom(5, 30, 100) },
      { requiredKeys: [] },
    ),
    precisions: fc.subarray(["bf16", "fp8", "int8", "int4", "nvfp4"], { minLength: 1 }),
    kvCacheDtype: fc.constantFrom("auto", "fp8"),
    production: fc.boolean(),
    qualityFloor: fc.constantFrom(0.5, 0.97, 1),
    budget: fc.record({ perMonth: fc.constantFrom(1000, 50_000) }),
    sovereignty: fc.record(
      { onPremises: fc.boolean(), vendors: fc.constantFrom(["amd"], ["nvidia"]) },
      { requiredKeys: [] },
    ),
    existingGpus: fc.constantFrom([{ gpu: "H100", count: 16 }], [{ gpu: "L40S", count: 8, gpusPerNode: 2 }]),
  },
  { requiredKeys: ["model", "gpus"] },
);
/** Values that are wrong, absurd or at odds with others. */
const spoil = fc.record(
  {
    headCount: fc.constantFrom(-1, 0, 10 ** 9),
    peakUsers: fc.constantFrom(0, 3),
    context: fc.constantFrom(0, 16, 131_072, 10 ** 7),
    inputTokens: fc.constantFrom(1, 500, 20_000),
    outputTokens: fc.constantFrom(1, 200, 4000),
    prefixCacheHitRate: fc.constantFrom(1, 2),
    precisions: fc.constantFrom([], ["mxfp4"], ["int3"]),
    qualityFloor: fc.constantFrom(0, 80),
    budget: fc.constantFrom({ perMonth: -5 }, { capex: 10 ** 6 }, { capex: 0 }),
    purchase: fc.constantFrom("rent", "buy"),
    existingGpus: fc.constantFrom([{ gpu: "L40S", count: 1 }], [{ gpu: "nothing", count: 1 }]),
    existingOnly: fc.boolean(),
    safety: fc.constantFrom(1, 20, 0),
  },
  { requiredKeys: [] },
);
const anyBrief = fc
  .tuple(good, load, fc.option(spoil, { freq: 2 }))
  .map(([brief, amount, wrong]): Record<string, unknown> & { model: Record<string, unknown> } => ({
    ...brief,
    ...amount,
    ...wrong,
  }));

describe("any brief", () => {
  it("is answered with plans that keep its limits, or refused by name, and nothing else is ever thrown", () => {
    let planned = 0;
    fc.assert(
      fc.property(anyBrief, (brief) => {
        try {
          const answer = makePlans(brief);
          expectRunnable(answer, { llama: brief.model, qwen3_moe: brief.model });
          planned += answer.plans.length;
        } catch (error) {
          if (!(error instanceof SizingError)) throw error;
          expect(error.message).toMatch(/\.$/);
        }
      }),
      { numRuns: 120 },
    );
    // The generator must not have been refused all along.
    expect(planned).toBeGreaterThan(20);
  });
});
