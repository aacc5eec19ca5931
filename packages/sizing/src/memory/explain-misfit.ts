import { countBlocks, type KvLimits, type KvPlan } from "./kv-cache.ts";
import type { ServingSetup } from "./serving-request.ts";

const gib = 1024 ** 3;

/**
 * What must be left over before a setup is said to fit: more than twice the worst error of these formulas on the boots
 * that they were held against (0.05 GiB), and more on kinds of GPUs that none was measured on.
 */
const reserveBytes = { measured: 0.125 * gib, other: 0.5 * gib };

/** What the CUDA context of the process takes before vLLM looks whether `gpuMemoryUtilization` is free (`request_memory`). */
export const contextBytes = 0.5 * gib;

/** The cache's plan, and for each pipeline stage: bytes of one block, bytes left for the cache, and of the weights. */
export type Balance = {
  plan: KvPlan;
  blockBytes: readonly number[];
  free: readonly number[];
  weights: readonly number[];
  limits: KvLimits;
  graphs: number;
};

/** Why a setup does not fit, with the numbers and what would help; null where it does. */
export function explainMisfit(setup: ServingSetup, balance: Balance): string | null {
  const { gpu, maxModelLen } = setup;
  const { plan, blockBytes, free, limits } = balance;
  const reserve = gpu === null ? 0 : gpu.architecture === "hopper" ? reserveBytes.measured : reserveBytes.other;
  if (gpu !== null) {
    const reason = explainBudget(setup, gpu, balance, reserve);
    if (reason !== null) return reason;
  }
  const needed = (length: number, stage: number) => countBlocks(plan, length, limits) * (blockBytes[stage] ?? 0);
  const holds = (length: number) => free.every((bytes, stage) => bytes - reserve >= needed(length, stage));
  if (holds(maxModelLen)) return null;
  const tightest = free.indexOf(Math.min(...free));
  const longest = findLongest(maxModelLen, holds);
  const help = longest > 0 ? `At most ${longest} tokens fit: lower maxModelLen, or take` : "Take";
  return `One sequence of ${maxModelLen} tokens needs ${toText(needed(maxModelLen, tightest))} of KV cache on a GPU, and ${toText(Math.max(0, free[tightest] ?? 0))} are free. ${help} more memory or an FP8 cache.`;
}

function explainBudget(
  setup: ServingSetup,
  gpu: NonNullable<ServingSetup["gpu"]>,
  { free, weights, limits, graphs }: Balance,
  reserve: number,
): string | null {
  const { gpuMemoryUtilization } = setup;
  const total = gpu.memoryGib * gib;
  const allowed = total * gpuMemoryUtilization;
  if (free.some((bytes) => bytes <= reserve)) {
    return `The weights take ${toText(Math.max(...weights))} of each GPU, and with what the engine itself needs nothing is left for the KV cache: ${gpu.id} allows ${toText(allowed)} (${gpuMemoryUtilization} of ${toText(total)}). Take more GPUs, a larger one, or fewer bits per weight.`;
  }
  if (total - allowed < contextBytes) {
    return `gpuMemoryUtilization is ${gpuMemoryUtilization}, but the driver's context takes about ${toText(contextBytes)} of ${gpu.id} before the engine starts, and it would refuse. Lower gpuMemoryUtilization.`;
  }
  if (!limits.release.reservesGraphs && graphs > total - allowed) {
    return `CUDA graphs take about ${toText(graphs)} beyond what gpuMemoryUtilization allows, and ${gpuMemoryUtilization} leaves only ${toText(total - allowed)}. Lower gpuMemoryUtilization.`;
  }
  return null;
}

function toText(bytes: number): string {
  return `${(bytes / gib).toFixed(1)} GiB`;
}

/** The greatest length up to `limit` that holds; lengths that hold are all those below it. */
function findLongest(limit: number, holds: (length: number) => boolean): number {
  let [low, high] = [0, limit];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
