import type { Policy } from "./fleet-roster.ts";
import type { FleetRun, FleetSettings } from "./fleet-run.ts";
import { loadByInterval, type IntervalLoad } from "./interval-load.ts";

/**
 * Replicas that should serve in each interval when all load is known, at a price for load that is not served in time.
 * A replica-interval costs 1, a start costs `startIntervals` more, and load above the capacity costs `price` a unit. The
 * costs of a level (the first replica, the second, ...) depend on no other level, and load above a level falls from level to
 * level, so the best path of each, found by dynamic programming over on and off, adds up to the best fleet.
 */
export function planServing(
  load: ArrayLike<number>,
  capacity: number,
  startIntervals: number,
  price: number,
): Int32Array {
  const intervals = load.length;
  const serving = new Int32Array(intervals).fill(1);
  const cameOn = new Uint8Array(intervals);
  const cameOff = new Uint8Array(intervals);
  for (let level = 2; ; level++) {
    // Least cost up to here with this replica on, and with it off; at the beginning either is free.
    let on = 0;
    let off = 0;
    for (let k = 0; k < intervals; k++) {
      const saved = price * Math.max(0, Math.min(capacity, load[k]! - capacity * (level - 1)));
      const started = off + (k === 0 ? 0 : startIntervals);
      cameOn[k] = started < on ? 0 : 1;
      cameOff[k] = on < off ? 1 : 0;
      [on, off] = [Math.min(on, started) + 1 - saved, Math.min(on, off)];
    }
    let isOn = on < off;
    let used = false;
    for (let k = intervals - 1; k >= 0; k--) {
      if (isOn) {
        serving[k]!++;
        used = true;
      }
      isOn = (isOn ? cameOn[k] : cameOff[k]) === 1;
    }
    if (!used) return serving;
  }
}

export type FleetPlan = { initialReplicas: number; policy: Policy };

/** Starts each replica one cold start before it must serve. */
export function followPlan(
  serving: ArrayLike<number>,
  settings: Pick<FleetSettings, "coldStartSeconds" | "intervalSeconds" | "startAt">,
): FleetPlan {
  const active = startAhead(serving, settings);
  return {
    initialReplicas: active[0]!,
    policy: ({ at }) => ({
      desiredReplicas: active[Math.round((at - settings.startAt) / settings.intervalSeconds)] ?? active.at(-1)!,
    }),
  };
}

/** Starting and serving in each interval: the most that serve from then until a cold start later. */
function startAhead(
  serving: ArrayLike<number>,
  settings: Pick<FleetSettings, "coldStartSeconds" | "intervalSeconds">,
): Int32Array {
  const ahead = Math.ceil(settings.coldStartSeconds / settings.intervalSeconds);
  const active = Int32Array.from(serving);
  for (let k = 0; k < active.length; k++) {
    for (let later = k + 1; later <= k + ahead && later < active.length; later++) {
      active[k] = Math.max(active[k]!, serving[later]!);
    }
  }
  return active;
}

type Best = Oracle & { cost: number; serving: Int32Array; cheaper: Int32Array | null };

export type Oracle = { run: FleetRun; initialReplicas: number };

/**
 * The policy that knows the trace. Of the best plans at several capacities of a replica and prices of lateness, the one
 * with the fewest replica-hours whose run has at least `attainment`; then, because plans come in steps, the next cheaper one
 * for as long a part of the trace as that allows. `run` plays a plan. Null when none reaches it.
 */
export function findOracle(
  load: IntervalLoad,
  settings: FleetSettings,
  attainment: number,
  run: (plan: FleetPlan) => FleetRun,
): Oracle | null {
  const work = loadByInterval(load, settings.profile);
  const startIntervals = Math.ceil(settings.coldStartSeconds / settings.intervalSeconds);
  let best = null as Best | null;
  const attempt = (serving: Int32Array, cheaper: Int32Array | null): boolean => {
    const plan = followPlan(serving, settings);
    const result = run(plan);
    const cost = costOf(serving, settings);
    if (result.sloAttainment < attainment) return false;
    if (best === null || cost < best.cost) {
      best = { run: result, initialReplicas: plan.initialReplicas, cost, serving, cheaper };
    }
    return true;
  };
  for (const capacity of capacities) {
    // A higher price buys more replicas and more attainment; each fleet once, and only those that would be an improvement.
    const plans: { cost: number; serving: Int32Array }[] = [];
    for (const price of prices) {
      const serving = planServing(work, capacity, startIntervals, price);
      const cost = costOf(serving, settings);
      if (cost < (best?.cost ?? Infinity) && cost !== plans.at(-1)?.cost) plans.push({ cost, serving });
    }
    let failed = -1;
    let passed = plans.length;
    // The dearest first: where it fails, no other of this capacity is tried.
    for (let next = plans.length - 1; passed - failed > 1; next = (failed + passed) >> 1) {
      if (attempt(plans[next]!.serving, plans[next - 1]?.serving ?? null)) passed = next;
      else failed = next;
    }
  }
  for (const cheaperFirst of [true, false]) mixWithCheaper(cheaperFirst);
  return best && { run: best.run, initialReplicas: best.initialReplicas };

  function mixWithCheaper(cheaperFirst: boolean): void {
    if (best === null || best.cheaper === null) return;
    const { serving, cheaper } = best;
    let [low, high] = [0, 1];
    for (let i = 0; i < 5; i++) {
      const part = (low + high) / 2;
      const border = Math.round((cheaperFirst ? part : 1 - part) * serving.length);
      const mixed = serving.map((replicas, k) => (k < border === cheaperFirst ? cheaper[k]! : replicas));
      if (attempt(mixed, cheaper)) low = part;
      else high = part;
    }
  }
}

function costOf(serving: Int32Array, settings: Pick<FleetSettings, "coldStartSeconds" | "intervalSeconds">): number {
  return startAhead(serving, settings).reduce((sum, replicas) => sum + replicas, 0);
}

const capacities = [0.88, 0.92, 0.86, 0.9, 0.94, 0.84, 0.96, 0.82, 0.98, 0.75, 0.65];
const prices = Array.from({ length: 24 }, (_, i) => 1.2 * 1.27 ** i);
