import type { Demand } from "./demand.ts";

const believed = 0.25;
const forgetSeconds = 6 * 3600;

/**
 * What replicas carry, as a share of what the model says. A fleet that is late, or whose KV caches are full while requests
 * wait, carries no more than it does: where that is less than the model says, the model is wrong for this machine or these
 * requests. Believed in parts, and forgotten within hours, because what was wrong may have been repaired.
 */
export function nextDerating(
  derating: number,
  demand: Demand,
  late: number,
  modelled: number,
  seconds: number,
): number {
  const carried = demand.served / Math.max(1, demand.busy) / modelled;
  const full = demand.kvUsage > 0.95 && demand.waiting >= Math.max(1, demand.serving);
  if ((late > 0.03 * demand.firstTokens || full) && carried < 0.85 * derating) {
    return Math.max(0.3, derating + (carried - derating) * believed);
  }
  return derating + ((1 - derating) * seconds) / forgetSeconds;
}
