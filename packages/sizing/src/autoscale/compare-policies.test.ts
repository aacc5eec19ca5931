import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { comparePolicies } from "./compare-policies.ts";
import { readRequestTrace } from "./request-trace.ts";
import { synthesizeTrace } from "./synthetic-trace.ts";

const sharedTrace = join(import.meta.dirname, "../../../../../shared/traces/azure-llm-2023-conv.csv");

it("serves calm traffic in time at hardly more than the oracle's GPU-hours", () => {
  const trace = synthesizeTrace({ shape: "steady", hours: 1, rate: 2, seed: 1 });
  const report = comparePolicies(trace, { scale: 40, maxRequests: 1 });
  expect(report.simulated).toBe("interval by interval");
  expect(report.sloAttainment).toBeGreaterThanOrEqual(0.99);
  expect(report.ratios.toOracle).toBeLessThan(1.2);
  expect(report.policies.oracle?.sloAttainment).toBeGreaterThanOrEqual(0.99);
});

it("follows the course of the days, well below the fleet for the peak", () => {
  const trace = synthesizeTrace({ shape: "daily", hours: 36, rate: 1, seed: 2 });
  const report = comparePolicies(trace, { scale: 60, maxRequests: 1 });
  expect(report.sloAttainment).toBeGreaterThanOrEqual(0.985);
  expect(report.ratios.toFixed).toBeLessThan(0.75);
  expect(report.ratios.toOracle).toBeLessThan(1.25);
  // Every change of the fleet has its reason.
  expect(report.decisions.length).toBeGreaterThan(10);
  for (const { reasons } of report.decisions)
    expect(reasons[0]).toMatch(/^\d+ replicas?, \d+ (more|fewer): at \d\d:\d\d UTC/);
});

it("says what no fleet can serve in time, and compares at what can be reached", () => {
  // Prompts of 40,000 tokens take three seconds on any replica.
  const trace = synthesizeTrace({
    shape: "steady",
    hours: 0.3,
    rate: 1,
    seed: 3,
    promptTokens: 20_000,
    outputTokens: 50,
  });
  const report = comparePolicies(trace, { scale: 2 });
  expect(report.bestAttainment).toBeLessThan(0.99);
  expect(report.settings["target"]).toBeLessThan(report.bestAttainment);
  expect(report.policies.oracle).not.toBeNull();
});

it.skipIf(!existsSync(sharedTrace))(
  "serves the Azure conversation trace within limits at close to the oracle's GPU-hours (needs ../shared)",
  { timeout: 300_000 },
  () => {
    const trace = readRequestTrace(readFileSync(sharedTrace, "utf8"));
    const report = comparePolicies(trace, { scale: 5 });
    expect(report.sloAttainment).toBeGreaterThanOrEqual(0.99);
    expect(report.ratios.toOracle).toBeLessThan(1.3);
    expect(report.saved.againstThreshold).toBeGreaterThan(0.2);
  },
);
