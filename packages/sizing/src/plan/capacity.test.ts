import fc from "fast-check";
import { expect, it } from "vitest";
import { findCapacity, findMiss } from "./capacity.ts";
import { planConcurrency } from "./concurrency.ts";

const workload = planConcurrency({ peakUsers: 10, slos: { ttftMs: 1000, tokensPerSecondPerUser: 20 } });

it("finds the last number of requests within all limits, and names the limit of the next one", () => {
  fc.assert(
    fc.property(
      fc.record({
        firstMs: fc.double({ min: 1, max: 900, noNaN: true }),
        waitMs: fc.double({ min: 0, max: 100, noNaN: true }),
        stepMs: fc.double({ min: 1, max: 49, noNaN: true }),
        sequenceMs: fc.double({ min: 0, max: 1, noNaN: true }),
        meanRequests: fc.double({ min: 4, max: 2000, noNaN: true }),
        engineBatch: fc.constantFrom(8, 256, 1024),
      }),
      ({ firstMs, waitMs, stepMs, sequenceMs, meanRequests, engineBatch }) => {
        const limits = { meanRequests, fullRequests: meanRequests / 5, engineBatch };
        const latencyAt = (n: number) => ({
          ttftMs: firstMs + waitMs * (n - 1),
          tpotMs: stepMs + sequenceMs * (n - 1),
        });
        const capacity = findCapacity(workload, limits, latencyAt);
        if ("wanted" in capacity) {
          expect(findMiss(1, workload, limits, latencyAt)).toEqual(capacity);
          return;
        }
        expect(findMiss(capacity.requestsInFlight, workload, limits, latencyAt)).toBeNull();
        expect(findMiss(capacity.requestsInFlight + 1, workload, limits, latencyAt)?.limit).toBe(capacity.limitedBy);
      },
    ),
  );
});

it("counts the first clause and the speech pipeline into the time to the first sound", () => {
  const voice = planConcurrency({ peakUsers: 10, profile: "voice" });
  const limits = { meanRequests: 1e6, fullRequests: 1e6, engineBatch: 256 };
  const at = (ttftMs: number, tpotMs: number) => findMiss(1, voice, limits, () => ({ ttftMs, tpotMs }));
  expect(at(600, 30)).toBeNull();
  expect(at(700, 30)).toMatchObject({ limit: "time to first sound", wanted: 1500, got: 1560 });
});
