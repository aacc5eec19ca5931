import type { ControllerSettings } from "./controller-settings.ts";
import type { Demand } from "./demand.ts";

/** How many requests were late, and what that means for what may be risked. */
export type Lateness = {
  /** Requests of about the last hour, and how many of them were late. */
  requests: number;
  late: number;
  /** How much more (above 0) or less than at first may be risked, learnt over days; a natural logarithm. */
  ease: number;
};

const memorySeconds = 3600;
const easeSeconds = 6 * 3600;
/** As if so long everything had gone exactly as allowed before anything was seen. */
const graceSeconds = 1200;
/** Of the lateness that the target allows, what is planned with: the rest is for what no plan foresees. */
const spent = 0.85;
/** How far the last hour moves what is risked now: half as much after one with three times the lateness allowed. */
const sway = 0.4;

/**
 * Load that a forecast may miss, per share of requests that may be late. More than one, because forecasts are missed at the
 * moment that they are for, while the fleet keeps what earlier moments needed; and because a gateway that puts late requests
 * last loses only what is beyond the fleet, where in order of arrival all that come after it are late too. Chosen on the
 * Azure conversation trace of 2023 and checked on others (see the benchmark).
 */
const missedPerLate = { "late-last": 4.2, arrival: 1 };

export const noLateness: Lateness = { requests: 0, late: 0, ease: 0 };

export function addLateness(
  lateness: Lateness,
  demand: Demand,
  late: number,
  settings: Pick<ControllerSettings, "target" | "intervalSeconds">,
): Lateness {
  const keep = 1 - settings.intervalSeconds / memorySeconds;
  const next = {
    ...lateness,
    requests: lateness.requests * keep + demand.firstTokens,
    late: lateness.late * keep + late,
  };
  // Too many late for hours make it careful, none late for hours makes it bolder; one bad hour is bounded.
  const over = Math.min(4, shareOfLate(next, demand, settings) / allowedShare(settings.target));
  const ease = lateness.ease + ((1 - over) * settings.intervalSeconds) / easeSeconds;
  return { ...next, ease: Math.max(-2, Math.min(0.7, ease)) };
}

/** Of the last hour. */
export function shareOfLate(
  { requests, late }: Lateness,
  demand: Demand,
  settings: Pick<ControllerSettings, "target" | "intervalSeconds">,
): number {
  const assumed = (demand.firstTokens * graceSeconds) / settings.intervalSeconds;
  return requests + assumed > 0 ? (late + assumed * (1 - settings.target)) / (requests + assumed) : 0;
}

/** The share of load that forecasts may miss from here on, given the share of requests that were late. */
export function riskedLoad(
  { ease }: Lateness,
  share: number,
  settings: Pick<ControllerSettings, "target" | "order">,
): number {
  const allowed = allowedShare(settings.target);
  const credit = Math.max(-2, Math.min(1, 1 - share / allowed));
  return Math.min(0.2, missedPerLate[settings.order] * allowed * Math.exp(sway * credit + ease));
}

const allowedShare = (target: number) => (1 - target) * spent;

/**
 * Late requests that more replicas would have helped. Where hardly any waits, what is late is late by its own prompt, and no
 * fleet is large enough for it.
 */
export function avoidablyLate(demand: Demand): number {
  return demand.waiting >= Math.max(1, demand.serving) ? demand.lateFirstTokens : 0;
}
