/**
 * The autoscaler on the Azure conversation trace of 2023 (where `../shared/traces` has it) and on synthetic traffic, against
 * a fixed fleet, threshold controllers and the oracle: `node autoscale.ts [--trace file] [--scale n]` prints one JSON object
 * and exits 1 when the trace's figures are missed. Thresholds are tuned on each trace, the autoscaler on none of the
 * synthetic ones.
 */
import { comparePolicies, type ComparisonOptions } from "@anneal/sizing/autoscale/compare-policies";
import { readRequestTrace, type RequestTrace } from "@anneal/sizing/autoscale/request-trace";
import { synthesizeTrace, type TraceShape } from "@anneal/sizing/autoscale/synthetic-trace";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    trace: { type: "string", default: join(import.meta.dirname, "../../shared/traces/azure-llm-2023-conv.csv") },
    scale: { type: "string", default: "auto" },
  },
});

const scale = values.scale === "auto" ? "auto" : Number(values.scale);
const synthetic: { shape: TraceShape; hours: number; scale: number }[] = [
  { shape: "steady", hours: 1, scale: 1 },
  { shape: "drift", hours: 1, scale: 1 },
  { shape: "steps", hours: 1, scale: 1 },
  { shape: "bursts", hours: 1, scale: 1 },
  // Two weeks at a fiftieth of the rate, scaled up: by interval.
  { shape: "daily", hours: 336, scale: 50 },
];

const real = existsSync(values.trace) ? readRequestTrace(readFileSync(values.trace, "utf8")) : null;
const trace = real && compare(real, { scale });
const report = {
  bench: "autoscale",
  trace: trace ?? `not there: ${values.trace}`,
  ...(real && {
    smallerFleet: compare(real, { scale: 6 }),
    inOrderOfArrival: compare(real, { scale, order: "arrival" }),
  }),
  ...Object.fromEntries(
    synthetic.map(({ shape, hours, scale: times }) => [
      shape,
      compare(synthesizeTrace({ shape, hours, rate: 100 / times, seed: 7 }), { scale: times }),
    ]),
  ),
};
console.log(JSON.stringify(report));
if (trace && (trace.sloAttainment < 0.99 || (trace.toOracle ?? 9) > 1.15 || (trace.saved ?? 0) < 0.2)) {
  process.exitCode = 1;
}

function compare(requests: RequestTrace, options: ComparisonOptions) {
  const { sloAttainment, gpuHours, ratios, saved, policies, simulated } = comparePolicies(requests, options);
  const round = (value: number | null) => (value === null ? null : Math.round(value * 1000) / 1000);
  return {
    sloAttainment: Math.round(sloAttainment * 10_000) / 10_000,
    gpuHours: round(gpuHours),
    toOracle: round(ratios.toOracle),
    toOracleAtSameAttainment: round(ratios.toOracleAtSameAttainment),
    toFixed: round(ratios.toFixed),
    saved: round(saved.againstThreshold),
    savedAgainstLoadThreshold: round(saved.againstLoadThreshold),
    thresholdAttainment: round(policies.threshold?.sloAttainment ?? null),
    simulated,
  };
}
