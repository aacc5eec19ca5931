import fc from "fast-check";
import { expect, it } from "vitest";
import { createController, step } from "./controller.ts";
import type { Policy } from "./fleet-roster.ts";
import type { FleetSettings } from "./fleet-run.ts";
import { sumByInterval } from "./interval-load.ts";
import { defaultLimits, defaultProfile, loadOf, sustainableLoad } from "./replica-profile.ts";
import { simulateFleet } from "./simulate-fleet.ts";
import { simulateIntervals } from "./simulate-intervals.ts";
import { synthesizeTrace } from "./synthetic-trace.ts";
import { createThresholdPolicy } from "./threshold-policy.ts";

const settings: FleetSettings = {
  profile: defaultProfile,
  limits: defaultLimits,
  coldStartSeconds: 300,
  intervalSeconds: 15,
  initialReplicas: 4,
  maxReplicas: 30,
  startAt: 0,
  order: "late-last",
};
const fixed =
  (replicas: number): Policy =>
  () => ({ desiredReplicas: replicas });
const short = synthesizeTrace({ shape: "steps", hours: 0.2, rate: 20, seed: 4 });

it("serves every request to its end, however the fleet is resized meanwhile", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(sizes, fc.constantFrom("late-last" as const, "arrival" as const), (wanted, order) => {
      let tick = 0;
      const policy: Policy = () => ({ desiredReplicas: wanted[tick++ % wanted.length]! });
      // A fleet of none is left alone at the end of the trace: whoever waits is served by the next one that there is.
      const run = simulateFleet(short, { ...settings, coldStartSeconds: 20, order }, (observation) => {
        const { desiredReplicas } = policy(observation);
        return { desiredReplicas: observation.at > 600 ? Math.max(1, desiredReplicas) : desiredReplicas };
      });
      expect(run.results.ttftMs.every((ms) => ms > 0)).toBe(true);
      expect(run.results.tpotMs.every((ms) => ms >= 0)).toBe(true);
    }),
    { numRuns: 25 },
  );
});

it("gives no first token before its prompt can be computed, nor tokens faster than a step", () => {
  const { results } = simulateFleet(short, settings, fixed(4));
  for (const [i, tokens] of short.promptTokens.entries()) {
    expect(results.ttftMs[i]).toBeGreaterThanOrEqual((1000 * tokens) / defaultProfile.prefillTokensPerSecond);
    if (short.outputTokens[i]! > 1) expect(results.tpotMs[i]).toBeGreaterThanOrEqual(defaultProfile.decodeBaseMs);
  }
});

it("comes to the time per token that the load formula gives", () => {
  const trace = synthesizeTrace({ shape: "steady", hours: 0.5, rate: 24, seed: 2 });
  const rate = (tokens: Int32Array) => tokens.reduce((sum, value) => sum + value, 0) / 1800;
  for (const replicas of [4, 6]) {
    const { results } = simulateFleet(trace, { ...settings, initialReplicas: replicas }, fixed(replicas));
    const load =
      loadOf(
        { promptTokensPerSecond: rate(trace.promptTokens), outputTokensPerSecond: rate(trace.outputTokens) },
        defaultProfile,
      ) / replicas;
    const mean = results.tpotMs.reduce((sum, ms) => sum + ms, 0) / results.tpotMs.length;
    expect(mean / (defaultProfile.decodeBaseMs / (1 - load))).toBeGreaterThan(0.85);
    expect(mean / (defaultProfile.decodeBaseMs / (1 - load))).toBeLessThan(1.15);
    expect(load).toBeLessThan(
      sustainableLoad(defaultProfile, defaultLimits, { promptTokens: 1155, outputTokens: 211 }),
    );
  }
});

it("is late for a few where late requests go last, and for all that follow where they do not", () => {
  const trace = synthesizeTrace({ shape: "steady", hours: 0.3, rate: 33, seed: 2 });
  const tight = { ...settings, initialReplicas: 4 };
  const lateLast = simulateFleet(trace, tight, fixed(4));
  const inOrder = simulateFleet(trace, { ...tight, order: "arrival" }, fixed(4));
  expect(lateLast.sloAttainment).toBeGreaterThan(0.9);
  expect(inOrder.sloAttainment).toBeLessThan(0.6);
});

it("counts GPU-hours from the order of a replica to its end", () => {
  const run = simulateFleet(short, { ...settings, initialReplicas: 2 }, ({ at }) => ({
    desiredReplicas: at < 60 ? 2 : at < 300 ? 3 : 2,
  }));
  const end = short.arrivals.at(-1)!;
  expect(run).toMatchObject({ starts: 1, cancelledStarts: 1, drains: 0 });
  expect(run.gpuHours).toBeCloseTo(((2 * end + 240) * defaultProfile.gpus) / 3600, 6);
});

it("agrees, an interval at a time, with the simulation of each request", () => {
  const trace = synthesizeTrace({ shape: "drift", hours: 1, rate: 60, seed: 9 });
  const load = sumByInterval(trace, settings.intervalSeconds);
  const ours = (): Policy => {
    let state = createController({ order: "late-last", maxReplicas: 30 });
    return (observation) => {
      const decision = step(state, observation);
      state = decision.nextState;
      return decision;
    };
  };
  const threshold = () =>
    createThresholdPolicy({ metric: "load", target: 0.7, stabilisationSeconds: 300, profile: defaultProfile });
  for (const policy of [() => fixed(9), () => fixed(12), ours, threshold]) {
    const start = { ...settings, initialReplicas: 9 };
    const exact = simulateFleet(trace, start, policy());
    const coarse = simulateIntervals(load, start, policy());
    expect(Math.abs(coarse.sloAttainment - exact.sloAttainment)).toBeLessThan(0.02);
    expect(Math.abs(coarse.gpuHours / exact.gpuHours - 1)).toBeLessThan(0.05);
  }
});
