import { readDemand, type Demand } from "./demand.ts";
import { readControllerSettings, type ControllerSettings } from "./controller-settings.ts";
import { chooseDrains } from "./choose-drains.ts";
import { explainDecision, explainHold } from "./explain-decision.ts";
import { createForecaster, forecastLoad, forgetRecent, learnLoad, type Forecaster } from "./forecaster.ts";
import { multipleFor } from "./growth.ts";
import type { Observation } from "./observation.ts";
import { sustainableLoad, type RequestShape } from "./replica-profile.ts";

/** Everything that the controller remembers: plain data, to be stored as JSON between two steps. */
export type ControllerState = {
  settings: ControllerSettings;
  /** Of the step before; null before the first. */
  at: number | null;
  forecaster: Forecaster;
  shape: RequestShape;
  waiting: number;
  /** Requests of about the last hour, and how many of them were late. */
  served: { requests: number; late: number };
  /** How much more (above 0) or less than at first may be risked, learnt over days; a natural logarithm. */
  ease: number;
  /** What replicas were seen to carry when saturated, as a share of what the model says; 1 where that was never less. */
  derating: number;
  /** What would have been enough, for as long as the delay before a scale-down asks. */
  enough: readonly { at: number; replicas: number }[];
};

export type ScalingDecision = {
  /** Starting and serving, without those that drain. */
  desiredReplicas: number;
  /** Of those, loaded ones that traffic does not need now: they may sleep until it does. */
  warm: number;
  /** In sentences, the most important first. */
  reasons: string[];
  /** Ids that should take no new requests and end when their last one is finished, in this order. */
  drain: string[];
  nextState: ControllerState;
};

/** Requests in flight are never cut, and a replica that is needed again within a cold start is not stopped. */
const hysteresis = 0.1;
const servedSeconds = 3600;
const easeSeconds = 6 * 3600;
/** Of the lateness that the target allows, what is planned with: the rest is for what no plan foresees. */
const spent = 0.85;
const graceSeconds = 1200;
/** How far the share of late requests of the last hour moves what is risked now: from a third to three times. */
const risk = 0.4;

export function createController(settings: Parameters<typeof readControllerSettings>[0] = {}): ControllerState {
  const read = readControllerSettings(settings);
  return {
    settings: read,
    at: null,
    forecaster: createForecaster({ intervalSeconds: read.intervalSeconds, leadSeconds: read.coldStartSeconds }),
    shape: { promptTokens: 1000, outputTokens: 200 },
    waiting: 0,
    served: { requests: 0, late: 0 },
    ease: 0,
    derating: 1,
    enough: [],
  };
}

/**
 * One decision. Load is forecast at the time at which a replica that is ordered now would serve; the fleet is as large as
 * needed for the load that may come then, where "may" is what the target share of late requests allows, judged by how far
 * forecasts were off so far. Replicas that stand are kept as long as the larger of now, then and twice as far could need them.
 */
export function step(state: ControllerState, observation: Observation): ScalingDecision {
  const { settings } = state;
  const active = observation.replicas.filter(({ status }) => status !== "draining").length;
  const hold = (reason: string, nextState: ControllerState): ScalingDecision => {
    const desiredReplicas = clamp(active, settings, observation);
    return { desiredReplicas, warm: 0, reasons: explainHold(reason, active, desiredReplicas, settings), drain: chooseDrains(observation, desiredReplicas), nextState };
  };
  if (!Number.isFinite(observation.at)) return hold(`the time of the observation is ${observation.at}`, state);
  const elapsed = state.at === null ? settings.intervalSeconds : observation.at - state.at;
  if (elapsed <= 0) {
    return hold(`the clock went back by ${Math.round(-elapsed)} s`, { ...state, at: observation.at, forecaster: forgetRecent(state.forecaster), enough: [] });
  }
  if (elapsed > 5 * settings.intervalSeconds) {
    return hold(`nothing was observed for ${Math.round(elapsed)} s`, { ...state, at: observation.at, forecaster: forgetRecent(state.forecaster), enough: [] });
  }
  const demand = readDemand(observation, settings.profile, state.shape, state.waiting, settings.intervalSeconds);
  if (demand === null) return hold("no replica that serves has usable metrics", { ...state, at: observation.at });

  const timing = { intervalSeconds: settings.intervalSeconds, leadSeconds: settings.coldStartSeconds };
  const forecast = forecastLoad(state.forecaster, timing, observation.at, demand.load);
  const shape = nextShape(state.shape, demand, settings.intervalSeconds);
  const late = avoidablyLate(demand, observation);
  const modelled = sustainableLoad(settings.profile, settings.limits, state.shape);
  const derating = nextDerating(state, demand, observation, modelled, late);
  const capacity = modelled * derating;
  const lateShare = shareOfLate(state, demand, late);
  const allowed = (1 - settings.target) * spent;
  const credit = Math.max(-2, Math.min(1, 1 - lateShare / allowed));
  const missed = Math.min(0.2, missedShare[settings.order] * allowed * Math.exp(risk * credit + state.ease));
  const multiple = Math.max(0.9, multipleFor(state.forecaster.growth, missed));
  const replicasFor = (load: number) => roundFleet(load / capacity);
  const farther = forecastLoad(state.forecaster, { ...timing, leadSeconds: 2 * settings.coldStartSeconds }, observation.at, demand.load);
  const neededNow = replicasFor(forecast.level) + settings.warmReplicas;
  const wanted = Math.max(replicasFor(forecast.expected * multiple), neededNow);
  const keepFor = Math.max(forecast.level, forecast.expected, farther.expected) * multiple;
  const enoughNow = Math.max(wanted, replicasFor(keepFor * (1 + hysteresis)));
  const enough = [...state.enough, { at: observation.at, replicas: enoughNow }].filter(
    ({ at }) => at >= observation.at - settings.scaleDownDelaySeconds,
  );
  const kept = Math.max(...enough.map(({ replicas }) => replicas));
  // What has not served yet is called off as soon as the forecast no longer asks for it: it costs without helping.
  const serving = observation.replicas.filter(({ status }) => status === "serving" || status === "warm").length;
  const ordered = Math.max(serving, wanted);
  const settled = state.forecaster.recent.length * settings.intervalSeconds >= settings.coldStartSeconds;
  const mayShrink = demand.unknown.length === 0 && settled;
  const unclamped = active < wanted ? wanted : mayShrink ? Math.min(active, kept, ordered) : active;
  const desiredReplicas = clamp(unclamped, settings, observation);
  const drain = chooseDrains(observation, desiredReplicas);
  return {
    desiredReplicas,
    warm: Math.max(0, Math.min(desiredReplicas, active) - neededNow),
    reasons: explainDecision({ observation, settings, demand, forecast, multiple, capacity, active, wanted, kept, unclamped, desiredReplicas, lateShare }),
    drain,
    nextState: {
      ...state,
      at: observation.at,
      forecaster: learnLoad(state.forecaster, timing, observation.at, demand.load, forecast),
      shape,
      waiting: demand.waiting,
      served: nextServed(state, demand, late),
      derating,
      ease: nextEase(state, lateShare / allowed),
      enough,
    },
  };
}

/**
 * Load that a forecast may miss, per share of requests that may be late. More than one, because forecasts are missed at the
 * moment that they are for, while the fleet keeps what earlier moments needed; and because a gateway that puts late requests
 * last loses only what is beyond the fleet, where in order of arrival all that come after it are late too. Chosen on the
 * Azure conversation trace of 2023 and checked on others (see the benchmark).
 */
const missedShare = { "late-last": 4.2, arrival: 1 };

/**
 * A fleet of whole replicas. Half a replica too few is a twentieth of ten and a quarter of two, so small fleets are rounded
 * up, large ones to the nearest.
 */
function roundFleet(replicas: number): number {
  const slack = Math.min(0.5, replicas / 20);
  return Math.max(0, Math.ceil(replicas - slack));
}

function clamp(replicas: number, settings: ControllerSettings, observation: Observation): number {
  const active = observation.replicas.filter(({ status }) => status !== "draining").length;
  const draining = observation.replicas.length - active;
  const placeable = Number.isFinite(observation.placeable) ? Math.max(0, Math.floor(observation.placeable)) : 0;
  const placed = Math.min(replicas, Math.max(active, active + draining + placeable));
  return Math.min(settings.maxReplicas, Math.max(settings.minReplicas, placed));
}

function nextShape(shape: RequestShape, demand: Demand, intervalSeconds: number): RequestShape {
  if (demand.firstTokens <= 0) return shape;
  const weight = Math.min(0.1, demand.firstTokens / 1000);
  const toward = (old: number, value: number) => old + (value - old) * weight;
  return {
    promptTokens: toward(shape.promptTokens, (demand.promptTokensPerSecond * intervalSeconds) / demand.firstTokens),
    outputTokens: toward(shape.outputTokens, (demand.outputTokensPerSecond * intervalSeconds) / demand.firstTokens),
  };
}

const servingIn = (observation: Observation) =>
  observation.replicas.filter(({ status }) => status === "serving").length;

/**
 * Late requests that more replicas would have helped. Where hardly any waits, what is late is late by its own prompt, and no
 * fleet is large enough for it.
 */
function avoidablyLate(demand: Demand, observation: Observation): number {
  return demand.waiting >= Math.max(1, servingIn(observation)) ? demand.lateFirstTokens : 0;
}

function nextServed({ served, settings }: ControllerState, demand: Demand, late: number): ControllerState["served"] {
  const keep = 1 - settings.intervalSeconds / servedSeconds;
  return { requests: served.requests * keep + demand.firstTokens, late: served.late * keep + late };
}

/**
 * A fleet that is late while it carries less than the model says carries no more than that: the model was wrong for this
 * machine or these requests. Believed in parts, and forgotten within hours, because what was wrong may have been repaired.
 */
function nextDerating(
  { derating, settings }: ControllerState,
  demand: Demand,
  observation: Observation,
  modelled: number,
  late: number,
): number {
  const carried = demand.served / Math.max(1, servingIn(observation)) / modelled;
  if (late > 0.03 * demand.firstTokens && carried < 0.9 * derating) return Math.max(0.3, derating + (carried - derating) * 0.25);
  return derating + ((1 - derating) * settings.intervalSeconds) / easeSeconds;
}

/** Too many late for hours make it careful, none late for hours makes it bolder; one bad hour is bounded. */
function nextEase({ ease, settings }: ControllerState, over: number): number {
  return Math.max(-2, Math.min(0.7, ease + ((1 - Math.min(4, over)) * settings.intervalSeconds) / easeSeconds));
}

/** Of the last hour; with little behind it, as if some minutes had gone exactly as allowed. */
function shareOfLate(state: ControllerState, demand: Demand, lateNow: number): number {
  const { requests, late } = nextServed(state, demand, lateNow);
  const assumed = (demand.firstTokens * graceSeconds) / state.settings.intervalSeconds;
  if (requests + assumed <= 0) return 0;
  return (late + assumed * (1 - state.settings.target)) / (requests + assumed);
}
