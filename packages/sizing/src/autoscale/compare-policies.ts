import { createController, step } from "./controller.ts";
import type { Policy } from "./fleet-roster.ts";
import type { FleetRun, FleetSettings } from "./fleet-run.ts";
import { loadByInterval, sumByInterval } from "./interval-load.ts";
import { findOracle } from "./oracle.ts";
import {
  defaultLimits,
  defaultProfile,
  sustainableLoad,
  type LatencyLimits,
  type ReplicaProfile,
} from "./replica-profile.ts";
import { scaleSpreadSeconds, scaleTrace, type RequestTrace } from "./request-trace.ts";
import { simulateFleet } from "./simulate-fleet.ts";
import { simulateIntervals } from "./simulate-intervals.ts";
import { fewest, leastFixed, tuneThreshold } from "./tune-policies.ts";
import type { AutoscaleReport, PolicySummary } from "./autoscale-report.ts";

export type ComparisonOptions = {
  /** Multiplies the trace's rate; `auto` takes the busiest five minutes to `peakReplicas`. */
  scale?: number | "auto";
  profile?: ReplicaProfile;
  limits?: LatencyLimits;
  target?: number;
  coldStartSeconds?: number;
  intervalSeconds?: number;
  order?: FleetSettings["order"];
  seed?: number;
  /** Beyond this many requests the fleet is simulated by interval. */
  maxRequests?: number;
  onProgress?: (sentence: string) => void;
};

const peakReplicas = 24;
const timelinePoints = 240;
const decisionsKept = 400;

/**
 * Anneal's controller, a fixed fleet, a threshold controller and the oracle on one trace, with the same replicas, cold
 * starts and scheduler. Nobody can change the fleet of the first cold start, so all begin with what the oracle needs then.
 * The threshold controller is tuned on this very trace: for each metric the highest target that reaches the attainment.
 */
export function comparePolicies(original: RequestTrace, options: ComparisonOptions = {}): AutoscaleReport {
  const {
    profile = defaultProfile,
    limits = defaultLimits,
    coldStartSeconds = 300,
    intervalSeconds = 15,
    order = "late-last",
    seed = 1,
    maxRequests = 800_000,
    onProgress = () => {},
  } = options;
  const scale =
    options.scale === undefined || options.scale === "auto" ? autoScale(original, profile, limits) : options.scale;
  const byRequest = original.arrivals.length * scale <= maxRequests;
  const trace = byRequest ? scaleTrace(original, scale, seed) : original;
  const load = byRequest
    ? sumByInterval(trace, intervalSeconds)
    : sumByInterval(trace, intervalSeconds, scale, scaleSpreadSeconds);
  const base = { profile, limits, coldStartSeconds, intervalSeconds, order, startAt: original.startAt };
  const play = (settings: FleetSettings, policy: Policy): FleetRun =>
    byRequest ? withoutResults(simulateFleet(trace, settings, policy)) : simulateIntervals(load, settings, policy);
  const fixedFleet = (replicas: number) =>
    play({ ...base, initialReplicas: replicas, maxReplicas: replicas }, () => ({ desiredReplicas: replicas }));

  const work = loadByInterval(load, profile);
  const most = Math.max(2, Math.ceil(work.reduce((peak, value) => Math.max(peak, value), 0) / 0.4));
  const bestAttainment = fixedFleet(most).sloAttainment;
  const asked = options.target ?? 0.99;
  // Some prompts take longer than the limit on any fleet: then of the others the share that was asked for.
  const target = bestAttainment >= asked + 0.002 ? asked : asked * bestAttainment;
  onProgress(
    `${Math.round(load.requests.reduce((sum, value) => sum + value, 0))} requests at ${scale} times the trace's rate.`,
  );
  const fixed = leastFixed(fixedFleet, most, target);
  const roster = { ...base, maxReplicas: 2 * fixed.replicas };
  const findPlan = (attainment: number) =>
    findOracle(load, { ...roster, initialReplicas: 1 }, attainment, ({ initialReplicas, policy }) =>
      play({ ...roster, initialReplicas }, policy),
    );
  const oracle = findPlan(target);
  onProgress("The fixed fleet and the oracle are known.");
  const settings = { ...roster, initialReplicas: oracle?.initialReplicas ?? fixed.replicas };

  const decisions: AutoscaleReport["decisions"] = [];
  const anneal = play(
    settings,
    annealPolicy(
      {
        profile,
        limits,
        target: asked,
        coldStartSeconds,
        intervalSeconds,
        order,
        maxReplicas: roster.maxReplicas,
      },
      decisions,
    ),
  );
  onProgress("Anneal's controller has run.");
  const level = Math.min(target, anneal.sloAttainment);
  const threshold = fewest([
    tuneThreshold("requests", settings, level, play),
    tuneThreshold("kv-cache", settings, level, play),
  ]);
  const loadThreshold = tuneThreshold("load", settings, level, play);
  onProgress("The threshold controllers are tuned.");
  // Where an attainment is so high that plans made for a price of lateness come out dearer, the oracle does what another did.
  const atSame = [oracle, anneal.sloAttainment > target ? findPlan(anneal.sloAttainment) : null]
    .map((plan) => plan?.run)
    .concat(anneal, fixed.run, threshold?.run, loadThreshold?.run)
    .filter((run) => run !== undefined && run.sloAttainment >= anneal.sloAttainment);
  const same = atSame.toSorted((left, right) => left!.gpuHours - right!.gpuHours)[0];

  const ratioTo = (other: FleetRun | undefined) => (other ? anneal.gpuHours / other.gpuHours : null);
  const toThreshold = ratioTo(threshold?.run);
  const toLoadThreshold = ratioTo(loadThreshold?.run);
  return {
    sloAttainment: anneal.sloAttainment,
    gpuHours: anneal.gpuHours,
    requests: anneal.requests,
    durationSeconds: load.durationSeconds,
    scale,
    simulated: byRequest ? "request by request" : "interval by interval",
    settings: {
      replica: profile.name,
      gpusPerReplica: profile.gpus,
      ttftMs: limits.ttftMs,
      tpotMs: limits.tpotMs,
      target,
      coldStartSeconds,
      intervalSeconds,
      order,
      seed,
      initialReplicas: settings.initialReplicas,
      maxReplicas: settings.maxReplicas,
    },
    policies: {
      anneal: summarise(anneal, {}),
      fixed: summarise(fixed.run, { replicas: fixed.replicas }),
      threshold: threshold && summarise(threshold.run, threshold.settings),
      loadThreshold: loadThreshold && summarise(loadThreshold.run, loadThreshold.settings),
      oracle: oracle && summarise(oracle.run, { needed: target }),
      oracleAtSameAttainment: same ? summarise(same, { needed: anneal.sloAttainment }) : null,
    },
    ratios: {
      toOracle: ratioTo(oracle?.run),
      toOracleAtSameAttainment: ratioTo(same),
      toFixed: ratioTo(fixed.run),
      toThreshold,
      toLoadThreshold,
    },
    saved: {
      againstThreshold: toThreshold === null ? null : 1 - toThreshold,
      againstLoadThreshold: toLoadThreshold === null ? null : 1 - toLoadThreshold,
    },
    bestAttainment,
    timeline: thin(
      anneal.timeline.map((point, i) => ({
        at: point.at,
        load: work[i] ?? 0,
        anneal: point.serving,
        fixed: fixed.replicas,
        threshold: threshold?.run.timeline[i]?.serving ?? null,
        oracle: oracle?.run.timeline[i]?.serving ?? null,
      })),
      timelinePoints,
    ),
    decisions: thin(decisions, decisionsKept),
  };
}

/** Two digits: such that the busiest five minutes keep `peakReplicas` busy. */
function autoScale(trace: RequestTrace, profile: ReplicaProfile, limits: LatencyLimits): number {
  const minutes = sumByInterval(trace, 300);
  const requests = trace.arrivals.length;
  const sum = (tokens: Int32Array) => tokens.reduce((total, value) => total + value, 0) / requests;
  const shape = { promptTokens: sum(trace.promptTokens), outputTokens: sum(trace.outputTokens) };
  const peak = loadByInterval(minutes, profile).reduce((most, value) => Math.max(most, value), 0);
  return Number(((peakReplicas * sustainableLoad(profile, limits, shape)) / Math.max(peak, 1e-9)).toPrecision(2));
}

function annealPolicy(
  settings: Parameters<typeof createController>[0],
  decisions: AutoscaleReport["decisions"],
): Policy {
  let state = createController(settings);
  return (observation) => {
    const before = observation.replicas.filter(({ status }) => status !== "draining").length;
    const decision = step(state, observation);
    state = decision.nextState;
    if (decision.desiredReplicas !== before) {
      decisions.push({ at: observation.at, desiredReplicas: decision.desiredReplicas, reasons: decision.reasons });
    }
    return decision;
  };
}

function summarise({ timeline: _, ...run }: FleetRun, settings: PolicySummary["settings"]): PolicySummary {
  return { ...run, settings };
}

function withoutResults({ results: _, ...run }: ReturnType<typeof simulateFleet>): FleetRun {
  return run;
}

function thin<Item>(items: readonly Item[], most: number): Item[] {
  const every = Math.max(1, Math.ceil(items.length / most));
  return items.filter((_, i) => i % every === 0);
}
