import { SizingError } from "../sizing-error.ts";
import type { Cluster, PoolState, TeamState } from "./cluster.ts";
import type { PoolSpec, TeamSpec } from "./cluster-snapshot.ts";

/** Null where the team may use that much more now; `ever` says whether waiting can help. */
export type QuotaRefusal = { ever: boolean; used: number; limit: number; needed: number; fixed: boolean };

/**
 * A team may use its nominal quota and borrow up to its limit. What cannot be taken back (serving, unless it says
 * otherwise) must lie within the nominal quota, since lenders are owed theirs on demand.
 */
export function checkQuota(team: TeamState, neededMilli: number, preemptible: boolean): QuotaRefusal | null {
  const nominal = team.spec.nominalGpuMilli;
  if (nominal === null || neededMilli === 0) return null;
  const limit = nominal + (team.spec.borrowingLimitGpuMilli ?? Infinity);
  const refuse = (used: number, most: number, fixed: boolean) => ({
    ever: neededMilli <= most,
    used,
    limit: most,
    needed: neededMilli,
    fixed,
  });
  if (!preemptible && team.fixedGpuMilli + neededMilli > nominal) return refuse(team.fixedGpuMilli, nominal, true);
  return team.usedGpuMilli + neededMilli > limit ? refuse(team.usedGpuMilli, limit, false) : null;
}

/** How far a team would be above its nominal quota, in thousandths of GPUs. */
export function borrowedMilli(team: TeamState, moreMilli = 0): number {
  const nominal = team.spec.nominalGpuMilli;
  return nominal === null ? 0 : Math.max(0, team.usedGpuMilli + moreMilli - nominal);
}

/**
 * The team's dominant share over its weight (Ghodsi et al., "Dominant Resource Fairness", NSDI 2011): the largest part
 * of any one resource of the cluster that it holds. The queue serves the smallest first.
 */
export function fairShare(cluster: Cluster, team: TeamState): number {
  const { total } = cluster;
  const part = (used: number, all: number) => (all > 0 ? used / all : 0);
  return (
    Math.max(
      part(team.usedGpuMilli, total.gpuMilli),
      part(team.usedCpuMilli, total.cpuMilli),
      part(team.usedMemoryMib, total.memoryMib),
    ) / team.spec.weight
  );
}

/** What training and batch may still take in the pool, in thousandths of GPUs. */
export function unreservedMilli(pool: PoolState): number {
  return pool.gpuMilli - pool.spec.servingReserveGpuMilli - pool.otherThanServingMilli;
}

/** @throws SizingError CONTRADICTORY_QUOTA that names the numbers which cannot hold together */
export function assertQuotas(
  teams: readonly TeamSpec[],
  listedPools: readonly PoolSpec[],
  declaredByPool: ReadonlyMap<string, number>,
  totalMilli: number,
): void {
  const nominal = teams.reduce((sum, team) => sum + (team.nominalGpuMilli ?? 0), 0);
  if (nominal > totalMilli) {
    throw contradiction(
      `The teams' nominal quotas add up to ${nominal / 1000} GPUs, and the cluster has ${totalMilli / 1000}: lower them, or let teams borrow.`,
      { nominalGpuMilli: nominal, totalGpuMilli: totalMilli },
    );
  }
  for (const team of teams) {
    if (team.nominalGpuMilli === null && team.borrowingLimitGpuMilli !== null) {
      throw contradiction(
        `The team ${team.name} has a borrowing limit but no nominal quota to borrow above: set both, or neither.`,
        {
          team: team.name,
        },
      );
    }
    const units = team.budgets.map(({ unit }) => unit);
    if (new Set(units).size < units.length)
      throw contradiction(`The team ${team.name} has two budgets of one unit: keep one.`, { team: team.name });
  }
  for (const { name, servingReserveGpuMilli: reserve, kinds } of listedPools) {
    const has = declaredByPool.get(name) ?? 0;
    if (reserve > has) {
      throw contradiction(`The pool ${name} reserves ${reserve / 1000} GPUs for serving and has ${has / 1000}.`, {
        pool: name,
      });
    }
    if (reserve > 0 && !kinds.includes("serving"))
      throw contradiction(`The pool ${name} reserves GPUs for serving but takes no serving.`, { pool: name });
  }
}

const contradiction = (message: string, details: Record<string, unknown>) =>
  new SizingError("CONTRADICTORY_QUOTA", message, details);
