import type { ControllerSettings } from "./controller-settings.ts";
import type { Demand } from "./demand.ts";
import type { Forecast } from "./forecaster.ts";
import { placeableOf } from "./fleet-size.ts";
import type { Observation } from "./observation.ts";

type Facts = {
  observation: Observation;
  settings: ControllerSettings;
  demand: Demand;
  forecast: Forecast;
  multiple: number;
  capacity: number;
  active: number;
  wanted: number;
  kept: number;
  unclamped: number;
  desiredReplicas: number;
  lateShare: number;
};

/** Why the fleet gets this size, in sentences with the numbers that decided. */
export function explainDecision(facts: Facts): string[] {
  const { observation, settings, demand, forecast, multiple, capacity, active, wanted, kept, desiredReplicas } = facts;
  const state = [
    `${replicas(active)} now`,
    `load ${forecast.level.toFixed(1)}`,
    `${Math.round(demand.running)} requests running and ${Math.round(demand.waiting)} waiting`,
    `KV cache ${Math.round(demand.kvUsage * 100)} % full`,
    ...(demand.ttftP99Ms === null ? [] : [`p99 of the first token ${(demand.ttftP99Ms / 1000).toFixed(2)} s`]),
    `${tokens(demand.promptTokensPerSecond)} prompt and ${tokens(demand.outputTokensPerSecond)} output tokens/s`,
  ].join(", ");
  const when = timeOfDay(observation.at + settings.coldStartSeconds);
  const outlook =
    `at ${when}, after a cold start of ${Math.round(settings.coldStartSeconds)} s, load of ${forecast.expected.toFixed(1)} is expected` +
    `${forecast.seasonal ? " from the last minutes and the daily cycle" : " from the last minutes"} and ${(forecast.expected * multiple).toFixed(1)} is provided for ` +
    `(in busy replicas, of which one carries ${capacity.toFixed(2)}; ${percent(facts.lateShare)} of recent requests were late, ${percent(1 - settings.target)} may be)`;
  const reasons: string[] = [];
  if (desiredReplicas > active)
    reasons.push(`${replicas(desiredReplicas)}, ${desiredReplicas - active} more: ${outlook}; ${state}.`);
  else if (desiredReplicas < active) {
    const delay = Math.round(settings.scaleDownDelaySeconds);
    const enough =
      delay > 0 ? `${kept} would have been enough for ${delay} s` : `${kept} are enough for that and for now`;
    reasons.push(
      `${replicas(desiredReplicas)}, ${active - desiredReplicas} fewer: ${outlook}, and ${enough}; ${state}.`,
    );
  } else
    reasons.push(
      `${replicas(desiredReplicas)}, as before: ${outlook}; ${wanted} are needed and up to ${kept} are kept; ${state}.`,
    );
  const waitsTooLong = demand.ttftP99Ms !== null && demand.ttftP99Ms > settings.limits.ttftMs;
  if (waitsTooLong || (demand.waiting > 0 && demand.kvUsage > 0.9)) {
    reasons.push(
      waitsTooLong
        ? `The fleet is saturated: the first token takes ${(demand.ttftP99Ms! / 1000).toFixed(2)} s for the slowest in a hundred, more than ${(settings.limits.ttftMs / 1000).toFixed(2)} s.`
        : `The fleet is saturated: ${Math.round(demand.waiting)} requests wait because the KV cache is full.`,
    );
  }
  if (demand.backlog >= 0.5) {
    reasons.push(
      `To work off the ${Math.round(demand.waiting)} requests that wait by ${when} takes ${demand.backlog.toFixed(1)} busy replicas.`,
    );
  }
  if (demand.unknown.length > 0) {
    reasons.push(
      `No usable metrics from ${demand.unknown.join(", ")}: taken to do what the others do, and nothing is stopped meanwhile.`,
    );
  }
  reasons.push(...explainLimits(facts));
  return reasons;
}

function explainLimits({ observation, settings, unclamped, desiredReplicas, active }: Facts): string[] {
  if (desiredReplicas === unclamped) return [];
  if (unclamped > settings.maxReplicas)
    return [`${unclamped} would be needed; ${settings.maxReplicas} is the most allowed.`];
  if (unclamped < settings.minReplicas)
    return [`${unclamped} would be enough; ${settings.minReplicas} is the least allowed.`];
  return [
    `${unclamped} would be needed; the scheduler can place ${placeableOf(observation)} more beside the ${active} that are there.`,
  ];
}

/** Why nothing is decided, and what of the limits applies all the same. */
export function explainHold(reason: string, active: number, desired: number, settings: ControllerSettings): string[] {
  const limits =
    desired > active
      ? [`${settings.minReplicas} is the least allowed.`]
      : desired < active
        ? [`${settings.maxReplicas} is the most allowed.`]
        : [];
  return [`${replicas(desired)}, the fleet stays as it is: ${reason}.`, ...limits];
}

const replicas = (count: number) => `${count} ${count === 1 ? "replica" : "replicas"}`;
const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
const tokens = (rate: number) => (rate >= 1000 ? `${(rate / 1000).toFixed(1)} k` : rate.toFixed(0));
const timeOfDay = (at: number) => `${new Date(at * 1000).toISOString().slice(11, 16)} UTC`;
