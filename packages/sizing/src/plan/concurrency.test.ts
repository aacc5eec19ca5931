import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inFlightShareOf, planConcurrency } from "./concurrency.ts";
import { workloadProfiles } from "./workload-profile.ts";

describe("requests in flight from heads", () => {
  it("expects 30 to 40 of 5,000 staff in flight and plans for about 100", () => {
    const { inFlightExpected, inFlightPlanned, reasons } = planConcurrency({ headCount: 5000 });
    expect(inFlightExpected).toBeGreaterThanOrEqual(30);
    expect(inFlightExpected).toBeLessThanOrEqual(40);
    expect(inFlightPlanned).toBe(113);
    expect(reasons[0]).toBe(
      "5000 people x 15% active at the peak x 5% of their time with a request in flight = 37.5 in flight; x 3 for safety = 113 planned for.",
    );
  });

  it("multiplies the load of agents by their calls, but never beyond a user's whole time", () => {
    const chat = planConcurrency({ headCount: 5000 }).inFlightPlanned!;
    const agents = planConcurrency({ headCount: 5000, profile: "agents" }).inFlightPlanned!;
    expect(agents / chat).toBeGreaterThan(4);
    expect(agents / chat).toBeLessThan(8);
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        fc.integer({ min: 1, max: 1000 }),
        (share, calls) => {
          const more = inFlightShareOf(share, calls + 1);
          expect(inFlightShareOf(share, 1)).toBeCloseTo(share, 12);
          expect(more).toBeGreaterThan(inFlightShareOf(share, calls));
          expect(more).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it("takes shares and safety from the brief where it has them", () => {
    const workload = planConcurrency({ headCount: 1000, activeShare: 0.5, inFlightShare: 0.1, safety: 2 });
    expect(workload.inFlightExpected).toBeCloseTo(50);
    expect(workload.inFlightPlanned).toBe(100);
  });

  it("never plans for more requests than there are users", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.constantFrom(...(Object.keys(workloadProfiles) as (keyof typeof workloadProfiles)[])),
        (users, profile) => {
          const { inFlightExpected, inFlightPlanned, inFlightAtOnce } = planConcurrency({ peakUsers: users, profile });
          expect(inFlightPlanned!).toBeLessThanOrEqual(users);
          expect(inFlightPlanned!).toBeGreaterThanOrEqual(Math.min(users, inFlightExpected!));
          expect(inFlightAtOnce).toBe(users);
        },
      ),
    );
  });
});

describe("other loads", () => {
  it("keeps room for every user of a known number, and takes requests in flight as they are", () => {
    expect(planConcurrency({ peakUsers: 40 })).toMatchObject({
      inFlightExpected: 2,
      inFlightPlanned: 6,
      inFlightAtOnce: 40,
    });
    expect(planConcurrency({ requestsInFlight: 40 })).toMatchObject({ inFlightPlanned: 40, inFlightAtOnce: 40 });
  });

  it("turns documents an hour into requests a second, without limits of latency", () => {
    const workload = planConcurrency({ documentsPerHour: 7200 });
    expect(workload).toMatchObject({ online: false, requestsPerSecond: 2, inFlightPlanned: null });
    expect(workload.limits).toEqual({ ttftMs: null, tokensPerSecondPerUser: null, firstSoundMs: null });
  });
});

describe("lengths", () => {
  it("holds a growing number and a falling share of a longer context", () => {
    fc.assert(
      fc.property(fc.integer({ min: 512, max: 500_000 }), (context) => {
        const [shorter, longer] = [context, 2 * context].map((each) =>
          planConcurrency({ peakUsers: 1, context: each }),
        );
        expect(longer!.residentTokens).toBeGreaterThan(shorter!.residentTokens);
        expect(longer!.residentTokens / (2 * context)).toBeLessThan(shorter!.residentTokens / context);
      }),
    );
  });

  it("never makes a request longer than its context, nor empty", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 16, max: 1_000_000 }),
        fc.option(fc.double({ min: 0.001, max: 0.9, noNaN: true })),
        fc.constantFrom(...(Object.keys(workloadProfiles) as (keyof typeof workloadProfiles)[])),
        (context, outputShare, profile) => {
          const output = outputShare === null ? {} : { outputTokens: Math.max(1, Math.floor(context * outputShare)) };
          const workload = planConcurrency({ peakUsers: 1, context, profile, ...output });
          expect(workload.inputTokens).toBeGreaterThanOrEqual(1);
          expect(workload.outputTokens).toBeGreaterThanOrEqual(1);
          expect(workload.inputTokens + workload.outputTokens).toBeLessThanOrEqual(context);
          expect(workload.residentTokens).toBeLessThanOrEqual(context);
        },
      ),
    );
  });

  it("counts the whole prompt and half of the answer where both are stated", () => {
    const workload = planConcurrency({ peakUsers: 1, inputTokens: 3000, outputTokens: 400 });
    expect(workload).toMatchObject({ residentTokens: 3200, contextTokens: 8192 });
    expect(planConcurrency({ peakUsers: 1, inputTokens: 20_000, outputTokens: 400 }).contextTokens).toBe(32_768);
  });
});
