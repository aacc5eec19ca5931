import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gpuCatalogue } from "@anneal/sizing/gpus/catalogue";
import { makePlans } from "@anneal/sizing/plan/plan";
import { openModels } from "./open-models.ts";
import { defaultState, loadKinds, readState, toBrief, writeState, type PlannerState } from "./planner-state.ts";
import { isPreset, presets } from "./presets.ts";

const count = fc.integer({ min: 1, max: 1_000_000 });
const gpu = fc.constantFrom(...gpuCatalogue.map(({ id }) => id));
const anyState: fc.Arbitrary<PlannerState> = fc.record({
  model: fc.constantFrom(...openModels.map(({ id }) => id), "pasted"),
  load: fc.constantFrom(...loadKinds),
  amount: count,
  profile: fc.constantFrom("chat", "report", "voice", "agents", "api", "batch", "embeddings"),
  context: fc.option(count),
  inputTokens: fc.option(count),
  outputTokens: fc.option(count),
  precision: fc.option(fc.constantFrom("bf16", "fp8", "int8", "int4", "nvfp4", "mxfp4")),
  kvCacheDtype: fc.option(fc.constantFrom("auto", "fp8")),
  ttftMs: fc.option(count),
  tokensPerSecond: fc.option(fc.constantFrom(0.5, 20, 51.25)),
  trial: fc.boolean(),
  onPremises: fc.boolean(),
  vendor: fc.option(fc.constantFrom("nvidia", "amd")),
  gpus: fc.uniqueArray(gpu),
  existing: fc.array(fc.record({ gpu, count })),
  existingOnly: fc.boolean(),
  shownGpu: fc.option(gpu),
  shownPlan: fc.integer({ min: 1, max: 40 }),
  allPlans: fc.boolean(),
  sort: fc.option(fc.constantFrom("month", "-speed")),
});
const modelOf = (id: string) => openModels.find((each) => each.id === id)!;
const planFor = (title: string) => {
  const { state } = presets.find((preset) => preset.title === title)!;
  const { repository, licence, config } = modelOf(state.model);
  return makePlans(toBrief(state, { id: repository, licence, config }));
};

describe("a link", () => {
  it("brings every state back as it was", () => {
    fc.assert(
      fc.property(anyState, (state) => {
        expect(readState(new URLSearchParams(writeState(state).toString()))).toEqual(state);
      }),
    );
  });

  it("says nothing about what is as it is without one", () => {
    expect(writeState(defaultState).toString()).toBe("");
    expect(writeState({ ...defaultState, amount: 80 }).toString()).toBe("users=80");
  });

  it("that is wrong somewhere is taken without that", () => {
    const wrong = "model=gpt-9&users=-4&profile=gossip&context=long&gpus=V100,H200&have=H200:0,L4:2,L4&precision=fp3";
    expect(readState(new URLSearchParams(wrong))).toEqual({
      ...defaultState,
      gpus: ["H200"],
      existing: [{ gpu: "L4", count: 2 }],
    });
  });
});

describe("a brief", () => {
  it("states what the person stated, and leaves the rest to be reported as assumed", () => {
    expect(toBrief(defaultState, { config: {} })).toEqual({
      model: { config: {} },
      peakUsers: 40,
      profile: "chat",
      production: true,
    });
  });

  it("names no GPUs to choose from where only the existing ones are to be used", () => {
    const existing = [{ gpu: "H200", count: 8 }];
    const brief = toBrief({ ...defaultState, existing, existingOnly: true, gpus: ["L4"] }, { config: {} });
    expect(brief).toMatchObject({ existingGpus: existing, existingOnly: true });
    expect(brief).not.toHaveProperty("gpus");
  });
});

describe("the worked cases", () => {
  it("70B INT8 for 40 users: about 99 GB, pairs of 96-GB cards on two nodes", () => {
    const [plan] = planFor("70B INT8, 40 users at 8K").plans;
    expect(plan).toMatchObject({ gpu: "RTX-PRO-6000", tensorParallel: 2, replicas: 2, nodes: 2 });
    expect(plan!.need.totalGb).toBeGreaterThan(97);
    expect(plan!.need.totalGb).toBeLessThan(101);
  });

  it("5,000 staff: 30 to 40 in flight, about 100 planned for; agents need several times that", () => {
    const [chat] = planFor("5,000 staff").workloads;
    expect(chat!.inFlightExpected).toBeGreaterThanOrEqual(30);
    expect(chat!.inFlightExpected).toBeLessThanOrEqual(40);
    expect(chat!.inFlightPlanned).toBeGreaterThan(90);
    expect(chat!.inFlightPlanned).toBeLessThan(125);
    const [agents] = planFor("Agents for 5,000 staff").workloads;
    expect(agents!.inFlightPlanned! / chat!.inFlightPlanned!).toBeGreaterThan(3);
  });

  it("are known again whatever of their answer is looked at, and no longer once something is moved", () => {
    for (const preset of presets) {
      expect(isPreset(preset, { ...preset.state, shownGpu: "L4", shownPlan: 2, allPlans: true })).toBe(true);
      expect(isPreset(preset, { ...preset.state, amount: 7 })).toBe(false);
    }
  });

  it.each(presets.map(({ title }) => title))("%s has a plan", (title) => {
    expect(planFor(title).plans.length).toBeGreaterThan(0);
  });
});
