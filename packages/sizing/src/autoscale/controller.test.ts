import fc from "fast-check";
import { expect, it } from "vitest";
import { createController, step, type ControllerState } from "./controller.ts";
import { FleetRoster, type FleetMember } from "./fleet-roster.ts";
import { observationOf, quietMetrics } from "./test-observation.ts";

const noon = Date.UTC(2026, 10, 27, 12) / 1000;

/** The controller after `seconds` of the same load on a fleet that follows it at once. */
function settle(share: number, replicas: number, seconds = 900, settings = {}) {
  let state = createController(settings);
  let at = noon;
  for (; at < noon + seconds; at += 15) {
    state = step(state, observationOf({ at, serving: replicas, share })).nextState;
  }
  return { state, at };
}

it("says with numbers why it starts replicas: what is, what is expected, and when a new one would serve", () => {
  const { state, at } = settle(1, 8);
  const decision = step(state, observationOf({ at, serving: 8, share: 2, metrics: { waiting: 30 } }));
  expect(decision.desiredReplicas).toBeGreaterThan(8);
  expect(decision.reasons[0]).toMatch(
    /^\d+ replicas, \d+ more: at 12:20 UTC, after a cold start of 300 s, load of [\d.]+ is expected .* and [\d.]+ is provided for .* 240 waiting/,
  );
});

it("adds replicas for a queue that stands, even when nothing more comes and nothing is served", () => {
  let state = createController({ coldStartSeconds: 30, maxReplicas: 4 });
  const stuck = { promptTokensPerSecond: 0, outputTokensPerSecond: 0, firstTokens: 0, running: 200, waiting: 4000 };
  for (let i = 0; i < 10; i++) {
    const decision = step(state, observationOf({ at: noon + i * 15, serving: 1, metrics: stuck }));
    expect(decision.desiredReplicas).toBe(4);
    state = decision.nextState;
  }
});

it("never asks for fewer than the least or more than the most, whatever the metrics say", () => {
  const metric = fc.double({ min: -1, max: 1e9 });
  const observation = fc.record({
    serving: fc.integer({ min: 0, max: 40 }),
    starting: fc.integer({ min: 0, max: 10 }),
    placeable: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constant(Number.NaN), fc.constant(Infinity)),
    promptTokensPerSecond: metric,
    waiting: metric,
    kvUsage: fc.double(),
  });
  fc.assert(
    fc.property(fc.array(observation, { maxLength: 30 }), (steps) => {
      let state = createController({ minReplicas: 2, maxReplicas: 20 });
      for (const [i, { serving, starting, placeable, ...metrics }] of steps.entries()) {
        const decision = step(
          state,
          observationOf({ at: noon + i * 15, serving, starting, placeable, metrics: { ...quietMetrics, ...metrics } }),
        );
        expect(decision.desiredReplicas).toBeGreaterThanOrEqual(2);
        expect(decision.desiredReplicas).toBeLessThanOrEqual(20);
        expect(decision.reasons.length).toBeGreaterThan(0);
        expect(decision.reasons.join(" ")).not.toMatch(/NaN|undefined/);
        state = decision.nextState;
      }
    }),
  );
});

it("does not change a fleet on constant load, once it has settled", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.1, max: 1.6, noNaN: true }), fc.integer({ min: 1, max: 40 }), (share, fleet) => {
      let state = createController();
      let replicas = fleet;
      const sizes: number[] = [];
      for (let i = 0; i < 400; i++) {
        const decision = step(
          state,
          observationOf({ at: noon + i * 15, serving: replicas, share: (share * fleet) / replicas }),
        );
        state = decision.nextState;
        replicas = Math.max(1, decision.desiredReplicas);
        sizes.push(replicas);
      }
      // It may give some up as it learns that load does not move; it never goes back and forth.
      const later = sizes.slice(40);
      expect(later).toEqual(later.toSorted((left, right) => right - left));
    }),
    { numRuns: 40 },
  );
});

it("asks for no fewer replicas when there is more load, all else equal", () => {
  const load = fc.double({ min: 0, max: 5, noNaN: true });
  const past = fc.array(load, { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(past, load, load, fc.integer({ min: 1, max: 20 }), (history, one, other, serving) => {
      let state = createController();
      let at = noon;
      for (const share of history) state = step(state, observationOf({ at: (at += 15), serving, share })).nextState;
      const [less, more] = [Math.min(one, other), Math.max(one, other)];
      const ask = (share: number) => step(state, observationOf({ at: at + 15, serving, share })).desiredReplicas;
      expect(ask(more)).toBeGreaterThanOrEqual(ask(less));
    }),
    { numRuns: 200 },
  );
});

it("leaves the fleet alone and says why when metrics are no numbers, are missing, or the clock jumps", () => {
  const { state, at } = settle(0.2, 10, 120);
  const cases = [
    {
      observation: observationOf({ at, serving: 10, metrics: { promptTokensPerSecond: Number.NaN } }),
      why: /no replica that serves has usable metrics/,
    },
    {
      observation: observationOf({ at, serving: 10, metrics: null }),
      why: /no replica that serves has usable metrics/,
    },
    { observation: observationOf({ at: at - 7200, serving: 10 }), why: /the clock went back by 7185 s/ },
    { observation: observationOf({ at: at + 86_400 * 365, serving: 10 }), why: /nothing was observed for/ },
    { observation: observationOf({ at: Number.NaN, serving: 10 }), why: /the time of the observation is NaN/ },
  ];
  for (const { observation, why } of cases) {
    const decision = step(state, observation);
    expect(decision.desiredReplicas).toBe(10);
    expect(decision.drain).toEqual([]);
    expect(decision.reasons[0]).toMatch(why);
    // And goes on from there when all is well again.
    const after = step(decision.nextState, observationOf({ at: at + 15, serving: 10 }));
    expect(after.desiredReplicas).toBeGreaterThanOrEqual(10);
  }
});

it("takes a replica without metrics to do what the others do, and stops none meanwhile", () => {
  const { state, at } = settle(0.2, 10);
  const whole = observationOf({ at, serving: 10, share: 0.2 });
  const partly = { ...whole, replicas: whole.replicas.map((each, i) => (i === 3 ? { ...each, metrics: null } : each)) };
  expect(step(state, whole).desiredReplicas).toBeLessThan(10);
  const decision = step(state, partly);
  expect(decision.desiredReplicas).toBe(10);
  expect(decision.reasons.join(" ")).toContain("No usable metrics from serving-3");
});

it("asks for no more than the scheduler can place, and says what would be needed", () => {
  const { state, at } = settle(1, 8);
  const decision = step(state, observationOf({ at, serving: 8, share: 8, placeable: 2 }));
  expect(decision.desiredReplicas).toBe(10);
  expect(decision.reasons.at(-1)).toMatch(
    /would be needed; the scheduler can place 2 more beside the 8 that are there/,
  );
});

it("keeps the warm reserve above what traffic needs, and says how much of the fleet may sleep", () => {
  const { state, at } = settle(0.5, 10, 900);
  const plain = step(state, observationOf({ at, serving: 10, share: 0.5 }));
  const reserve = settle(0.5, 10, 900, { warmReplicas: 6 });
  const warm = step(reserve.state, observationOf({ at: reserve.at, serving: 10, share: 0.5 }));
  expect(warm.desiredReplicas).toBeGreaterThan(plain.desiredReplicas);
  expect(plain.warm).toBeGreaterThan(0);
  expect(plain.warm).toBeLessThan(plain.desiredReplicas);
});

it("starts replicas before the daily peak once it has seen the days before", () => {
  const shareAt = (at: number) => 1 + 0.75 * Math.sin((2 * Math.PI * (at % 86_400)) / 86_400);
  const settings = { intervalSeconds: 60, coldStartSeconds: 3600 };
  let state: ControllerState = createController(settings);
  const start = Date.UTC(2026, 10, 2) / 1000;
  for (let at = start; at < start + 4 * 86_400; at += 60) {
    state = step(state, observationOf({ at, serving: 10, share: shareAt(at) })).nextState;
  }
  // Two in the morning: load rises by a third in the hour that a start takes.
  const at = start + 4 * 86_400;
  const known = step(state, observationOf({ at, serving: 10, share: shareAt(at) }));
  expect(known.reasons[0]).toContain("the daily cycle");
  const fresh = settle(shareAt(at), 10, 3600, settings);
  const unknown = step(fresh.state, observationOf({ at: fresh.at, serving: 10, share: shareAt(at) }));
  expect(expectedOf(known.reasons[0]!)).toBeGreaterThan(1.08 * expectedOf(unknown.reasons[0]!));
});

it("drains a replica to its last request before it ends, whatever is decided", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 9 }), (wanted, requests) => {
      const members: (FleetMember & { inFlight: number })[] = [];
      const roster = new FleetRoster(
        { coldStartSeconds: 30, initialReplicas: 4, maxReplicas: 12, startAt: 0 },
        (id, startedAt, readyAt) => {
          const member = { id, startedAt, readyAt, draining: false, inFlight: 0 };
          members.push(member);
          return member;
        },
      );
      for (const [i, desiredReplicas] of wanted.entries()) {
        const now = i * 15;
        for (const member of roster.members) {
          if (member.readyAt <= now && !member.draining) member.inFlight = requests;
          else member.inFlight = Math.max(0, member.inFlight - 4);
        }
        roster.apply(now, { desiredReplicas });
        for (const member of members) if (member.inFlight > 0) expect(roster.members).toContain(member);
      }
    }),
  );
});

it("begins anew from a state that another release stored", () => {
  const { state, at } = settle(1, 8, 60);
  const older = { ...state, version: 0, forecaster: null } as unknown as ControllerState;
  expect(step(older, observationOf({ at, serving: 8 })).desiredReplicas).toBeGreaterThan(0);
  expect(JSON.parse(JSON.stringify(state))).toEqual(state);
});

const expectedOf = (reason: string) => Number(/load of ([\d.]+) is expected/.exec(reason)?.[1]);
