import { readBrief, type Brief } from "./brief.ts";
import { combinePools, type Combination } from "./combine-pools.ts";
import { planConcurrency, type Workload } from "./concurrency.ts";
import { describePool } from "./describe-pool.ts";
import { explorePools } from "./explore-pool.ts";
import { listGpuSources } from "./gpu-sources.ts";
import { listAssumptions } from "./list-assumptions.ts";
import { selectModels } from "./model-selection.ts";
import type { Plan, PoolPlan, Rejection } from "./plan-types.ts";
import { nameOption } from "./pool.ts";
import { dollars, plural, precisionName } from "./words.ts";

export type PlanAnswer = {
  /** Best first; every one meets all limits of the brief. */
  plans: Plan[];
  rejected: Rejection[];
  /** The load as it was understood. */
  workloads: Workload[];
  /** What the brief left open, and how it was taken. */
  assumed: string[];
};

/**
 * From a brief to ranked plans in five steps: clarify, memory, GPU class, validation against the limits, redundancy. An
 * option that is not among the plans is among the rejected ones, with the reason and its numbers.
 * @throws SizingError for a brief that is wrong or contradicts itself, an unknown model or GPU; no plan at all is no error.
 */
export function makePlans(input: unknown): PlanAnswer {
  const brief = readBrief(input);
  const workloads = brief.workloads.map((workload) => planConcurrency(workload, brief.dailyLoad));
  const { sources, rejected } = listGpuSources(brief);
  const perPool = workloads.map((workload, index) => {
    const own = brief.workloads[index]?.candidates;
    const forPool = own ? { ...brief, candidates: own, oneModel: true } : brief;
    const models = selectModels(forPool, workload.contextTokens);
    rejected.push(...models.rejected);
    const explored = explorePools(forPool, workload, models.selected, sources);
    rejected.push(...explored.rejected);
    return { sharesModel: own === undefined, pools: explored.pools };
  });
  const combined = combinePools(perPool, sources);
  rejected.push(...combined.rejected);
  const affordable = combined.combinations.filter((combination) => {
    const reason = findOverspending(brief, combination);
    if (reason) rejected.push(reject(combination, "BUDGET", reason.text, reason.details));
    return !reason;
  });
  const undominated = affordable.filter((combination) => {
    const better = affordable.find((other) => other !== combination && dominates(other, combination));
    if (better)
      rejected.push(
        reject(combination, "DOMINATED", compare(better, combination), {
          betterPerMonth: better.perMonth,
          perMonth: combination.perMonth,
        }),
      );
    return !better;
  });
  const ranked = undominated.sort(
    (left, right) => weigh(left) - weigh(right) || left.gpus - right.gpus || right.quality - left.quality,
  );
  return {
    plans: ranked.map((combination, index) => describePlan(combination, index + 1)),
    rejected,
    workloads,
    assumed: listAssumptions(brief, workloads),
  };
}

function findOverspending(
  { budget }: Brief,
  { perMonth, capex }: Combination,
): { text: string; details: Record<string, unknown> } | null {
  if (budget?.perMonth !== undefined && perMonth > budget.perMonth) {
    const over = perMonth - budget.perMonth;
    return {
      text: `It costs ${dollars(perMonth)} a month, ${dollars(over)} over the budget of ${dollars(budget.perMonth)}.`,
      details: { perMonth, budget: budget.perMonth, over },
    };
  }
  if (budget?.capex !== undefined && capex > budget.capex) {
    const over = capex - budget.capex;
    return {
      text: `Buying it takes ${dollars(capex)}, ${dollars(over)} over the budget of ${dollars(budget.capex)}.`,
      details: { capex, budget: budget.capex, over },
    };
  }
  return null;
}

/**
 * On the same GPUs nothing about the other one is better; other GPUs stay beside it to be compared. The dominating plan is never dearer, so a larger budget, which only adds dearer
 * plans, takes none away.
 */
function dominates(one: Combination, other: Combination): boolean {
  if (one.sources !== other.sources || (one.model !== other.model && !(one.hasQuality && other.hasQuality)))
    return false;
  const noWorse =
    one.perMonth <= other.perMonth &&
    one.capex <= other.capex &&
    one.quality >= other.quality &&
    one.slowestTokensPerSecond >= other.slowestTokensPerSecond &&
    one.gpusPerReplica <= other.gpusPerReplica;
  const better =
    one.perMonth < other.perMonth ||
    one.capex < other.capex ||
    one.quality > other.quality ||
    one.slowestTokensPerSecond > other.slowestTokensPerSecond ||
    one.gpusPerReplica < other.gpusPerReplica;
  // Of two that are alike in everything the first one stays.
  return noWorse && (better || one.index < other.index);
}

function compare(better: Combination, worse: Combination): string {
  return (
    `${titleOf(better)} is no worse in anything: ${dollars(better.perMonth)} a month instead of ${dollars(worse.perMonth)}, ` +
    `${better.slowestTokensPerSecond.toFixed(0)} tokens/s a user instead of ${worse.slowestTokensPerSecond.toFixed(0)}, ` +
    `${plural(better.gpusPerReplica, "GPU")} in a replica instead of ${worse.gpusPerReplica}.`
  );
}

/** Each doubling of the GPUs that must work together is one more thing to fail and to tune: a tenth of the cost. */
const perDoubling = 0.1;

function weigh({ perMonth, gpusPerReplica }: Combination): number {
  return perMonth * (1 + perDoubling * Math.log2(gpusPerReplica));
}

function reject(
  { pools }: Combination,
  code: Rejection["code"],
  reason: string,
  details: Record<string, unknown>,
): Rejection {
  const [main] = pools;
  return { option: main ? nameOption(main.request) : {}, code, reason, details };
}

function titleOf({ pools }: Combination): string {
  return pools
    .map(({ request: { option, workload }, fleet }) => {
      const each = fleet.gpus / fleet.replicas;
      const size = each === 1 ? "" : ` of ${each}`;
      const name = pools.length > 1 ? `${workload.name}: ` : "";
      return `${name}${fleet.gpus} x ${option.gpu.name}, ${plural(fleet.replicas, "replica")}${size} on ${plural(fleet.nodes, "node")}, ${precisionName(option.precision)}`;
    })
    .join("; ");
}

function describePlan(combination: Combination, rank: number): Plan {
  const pools = combination.pools.map(describePool);
  const sum = (value: (pool: PoolPlan) => number) => pools.reduce((total, pool) => total + value(pool), 0);
  const [{ pool: _, cost: __, ...main }] = pools as [PoolPlan, ...PoolPlan[]];
  const name = (pool: PoolPlan, words: string) => (pools.length > 1 ? `${pool.pool}: ${words}` : words);
  return {
    ...main,
    reasons: pools.flatMap((pool) => pool.reasons.map((reason) => name(pool, reason))),
    notes: [...new Set(pools.flatMap(({ notes }) => notes))],
    options: pools.flatMap((pool) => pool.options.map((option) => ({ ...option, reason: name(pool, option.reason) }))),
    rank,
    title: titleOf(combination),
    quality: combination.quality,
    gpusTotal: combination.gpus,
    monthlyCost: combination.perMonth,
    capex: combination.capex,
    wattsTotal: sum(({ watts }) => watts),
    baseline: {
      gpus: sum(({ cost }) => cost.baseline.gpus),
      replicas: sum(({ cost }) => cost.baseline.replicas),
      perMonth: sum(({ cost }) => cost.baseline.perMonth),
    },
    onDemand: {
      gpusAtPeak: sum(({ cost }) => cost.onDemand.gpusAtPeak),
      replicasAtPeak: sum(({ cost }) => cost.onDemand.replicasAtPeak),
      gpuHoursPerMonth: sum(({ cost }) => cost.onDemand.gpuHoursPerMonth),
      perMonth: sum(({ cost }) => cost.onDemand.perMonth),
    },
    pools: pools.map(({ reasons: _reasons, notes: _notes, options: _options, ...pool }) => pool),
  };
}
