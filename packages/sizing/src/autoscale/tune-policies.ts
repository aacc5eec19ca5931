import type { Policy } from "./fleet-roster.ts";
import type { FleetRun, FleetSettings } from "./fleet-run.ts";
import { createThresholdPolicy, type ThresholdMetric } from "./threshold-policy.ts";

/** The smallest fleet that never changes and reaches the target; `most` where none below does. */
export function leastFixed(
  run: (replicas: number) => FleetRun,
  most: number,
  target: number,
): { replicas: number; run: FleetRun } {
  let low = 0;
  let high = most;
  let best: FleetRun | undefined;
  while (high - low > 1) {
    const replicas = (low + high) >> 1;
    const result = run(replicas);
    if (result.sloAttainment >= target) [high, best] = [replicas, result];
    else low = replicas;
  }
  return { replicas: high, run: best ?? run(high) };
}

export type TunedThreshold = {
  run: FleetRun;
  settings: { metric: ThresholdMetric; target: number; stabilisationSeconds: number };
};

/** Between two targets that are tried; coarse where a target's cost and attainment follow it smoothly. */
const factor: Record<ThresholdMetric, number> = { requests: 0.8, "kv-cache": 0.8, load: 0.9 };
const tries = 10;

/**
 * The target with the fewest GPU-hours that reaches the attainment: of a row of targets, because a higher one is not always
 * cheaper, then between the best and the next higher, and that once with twice the stabilisation.
 */
export function tuneThreshold(
  metric: ThresholdMetric,
  settings: FleetSettings,
  attainment: number,
  play: (settings: FleetSettings, policy: Policy) => FleetRun,
): TunedThreshold | null {
  const enough: TunedThreshold[] = [];
  const reaches = (target: number, stabilisationSeconds: number): boolean => {
    const tuned = { metric, target, stabilisationSeconds };
    const run = play(settings, createThresholdPolicy({ ...tuned, profile: settings.profile }));
    if (run.sloAttainment >= attainment) enough.push({ run, settings: tuned });
    return run.sloAttainment >= attainment;
  };
  const highest: Record<ThresholdMetric, number> = {
    requests: settings.profile.maxBatch / 2,
    "kv-cache": 0.6,
    load: 0.9,
  };
  for (let i = 0; i < tries; i++) reaches(highest[metric] * factor[metric] ** i, 300);
  const best = fewest(enough);
  if (best === null) return null;
  let low = best.settings.target;
  let high = low / factor[metric];
  for (let fine = 0; fine < 3; fine++) {
    const middle = Math.sqrt(low * high);
    if (reaches(middle, 300)) low = middle;
    else high = middle;
  }
  reaches(high, 600);
  return fewest(enough);
}

export function fewest(tuned: readonly (TunedThreshold | null)[]): TunedThreshold | null {
  return tuned.reduce(
    (best, each) => (each !== null && (best === null || each.run.gpuHours < best.run.gpuHours) ? each : best),
    null,
  );
}
