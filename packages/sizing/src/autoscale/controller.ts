import { readDemand, type Demand } from "./demand.ts";
import { readControllerSettings, type ControllerSettings } from "./controller-settings.ts";
import { chooseDrains } from "./choose-drains.ts";
import { explainDecision, explainHold } from "./explain-decision.ts";
import { nextDerating } from "./derating.ts";
import { limitFleet, roundFleet } from "./fleet-size.ts";
import { addLateness, avoidablyLate, noLateness, riskedLoad, shareOfLate, type Lateness } from "./lateness.ts";
import { createForecaster, forecastLoad, forgetRecent, learnLoad, type Forecaster } from "./forecaster.ts";
import { multipleFor } from "./growth.ts";
import type { Observation } from "./observation.ts";
import { sustainableLoad, type RequestShape } from "./replica-profile.ts";

/** Everything that the controller remembers: plain data, to be stored as JSON between two steps. */
export type ControllerState = {
  /** Of this type: a state that another release stored begins anew with its settings. */
  version: number;
  settings: ControllerSettings;
  /** Of the step before; null before the first. */
  at: number | null;
  forecaster: Forecaster;
  shape: RequestShape;
  waiting: number;
  lateness: Lateness;
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

const stateVersion = 1;
/** A replica is not stopped when a little more load would start it again. */
const hysteresis = 0.1;

export function createController(settings: Parameters<typeof readControllerSettings>[0] = {}): ControllerState {
  const read = readControllerSettings(settings);
  return {
    version: stateVersion,
    settings: read,
    at: null,
    forecaster: createForecaster({ intervalSeconds: read.intervalSeconds, leadSeconds: read.coldStartSeconds }),
    shape: { promptTokens: 1000, outputTokens: 200 },
    waiting: 0,
    lateness: noLateness,
    derating: 1,
    enough: [],
  };
}

/**
 * One decision. Load is forecast at the time at which a replica that is ordered now would serve; the fleet is as large as
 * needed for the load that may come then, where "may" is what the target share of late requests allows, judged by how far
 * forecasts were off so far. Replicas that stand are kept as long as the larger of now, then and twice as far could need them.
 */
export function step(stored: ControllerState, observation: Observation): ScalingDecision {
  const state = stored.version === stateVersion ? stored : createController(stored.settings);
  const { settings } = state;
  const active = observation.replicas.filter(({ status }) => status !== "draining").length;
  const hold = (reason: string, nextState: ControllerState): ScalingDecision => {
    const desiredReplicas = limitFleet(active, settings, observation);
    return {
      desiredReplicas,
      warm: 0,
      reasons: explainHold(reason, active, desiredReplicas, settings),
      drain: chooseDrains(observation, desiredReplicas),
      nextState,
    };
  };
  if (!Number.isFinite(observation.at)) return hold(`the time of the observation is ${observation.at}`, state);
  const elapsed = state.at === null ? settings.intervalSeconds : observation.at - state.at;
  if (elapsed <= 0) {
    return hold(`the clock went back by ${Math.round(-elapsed)} s`, {
      ...state,
      at: observation.at,
      forecaster: forgetRecent(state.forecaster),
      enough: [],
    });
  }
  if (elapsed > 5 * settings.intervalSeconds) {
    return hold(`nothing was observed for ${Math.round(elapsed)} s`, {
      ...state,
      at: observation.at,
      forecaster: forgetRecent(state.forecaster),
      enough: [],
    });
  }
  const demand = readDemand(observation, settings.profile, state.shape, state.waiting, settings);
  if (demand === null) return hold("no replica that serves has usable metrics", { ...state, at: observation.at });

  const timing = { intervalSeconds: settings.intervalSeconds, leadSeconds: settings.coldStartSeconds };
  const forecast = forecastLoad(state.forecaster, timing, observation.at, demand.load);
  const shape = nextShape(state.shape, demand, settings.intervalSeconds);
  const late = avoidablyLate(demand);
  const modelled = sustainableLoad(settings.profile, settings.limits, state.shape);
  const derating = nextDerating(state.derating, demand, late, modelled, settings.intervalSeconds);
  const capacity = modelled * derating;
  const lateness = addLateness(state.lateness, demand, late, settings);
  const lateShare = shareOfLate(lateness, demand, settings);
  const missed = riskedLoad(state.lateness, lateShare, settings);
  const multiple = Math.max(0.9, multipleFor(state.forecaster.growth, missed));
  const replicasFor = (load: number) => roundFleet(load / capacity);
  const farther = forecastLoad(
    state.forecaster,
    { ...timing, leadSeconds: 2 * settings.coldStartSeconds },
    observation.at,
    demand.load,
  );
  const neededNow = replicasFor(forecast.level) + settings.warmReplicas;
  const wanted = Math.max(
    replicasFor(forecast.expected * multiple),
    replicasFor(forecast.level + demand.backlog),
    neededNow,
  );
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
  const desiredReplicas = limitFleet(unclamped, settings, observation);
  const drain = chooseDrains(observation, desiredReplicas);
  return {
    desiredReplicas,
    warm: Math.max(0, Math.min(desiredReplicas, active) - neededNow),
    reasons: explainDecision({
      observation,
      settings,
      demand,
      forecast,
      multiple,
      capacity,
      active,
      wanted,
      kept,
      unclamped,
      desiredReplicas,
      lateShare,
    }),
    drain,
    nextState: {
      ...state,
      at: observation.at,
      forecaster: learnLoad(state.forecaster, timing, observation.at, demand.load, forecast),
      shape,
      waiting: demand.waiting,
      lateness,
      derating,
      enough,
    },
  };
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
