import { qualityOf } from "./explore-pool.ts";
import type { GpuSource } from "./gpu-sources.ts";
import type { Rejection } from "./plan-types.ts";
import { nameOption, type ServedPool } from "./pool.ts";
import { plural } from "./words.ts";

/** A pool for each workload, with what they cost together. */
export type Combination = {
  index: number;
  pools: readonly ServedPool[];
  /** Which GPUs each pool runs on, as one key. */
  sources: string;
  /** Of the main pool. */
  model: string;
  hasQuality: boolean;
  quality: number;
  perMonth: number;
  capex: number;
  gpus: number;
  /** Of all pools: the slowest one, and the largest replica. */
  slowestTokensPerSecond: number;
  gpusPerReplica: number;
};

export type WorkloadPools = {
  /** It runs the model of the brief, the same one in every such workload. */
  sharesModel: boolean;
  pools: readonly ServedPool[];
};

/**
 * Every pool of a single workload. Of several workloads, for each model: all on one kind of GPU, and each on its cheapest;
 * existing GPUs are given away once.
 */
export function combinePools(
  perWorkload: readonly WorkloadPools[],
  sources: readonly GpuSource[],
): { combinations: Combination[]; rejected: Rejection[] } {
  const [only] = perWorkload;
  const chosen =
    perWorkload.length === 1 && only ? only.pools.map((pool) => [pool]) : combineSeveral(perWorkload, sources);
  const combinations: Combination[] = [];
  const rejected: Rejection[] = [];
  for (const pools of chosen) {
    const scarce = findScarce(pools, sources);
    const [main] = pools;
    if (scarce && main) rejected.push({ option: nameOption(main.request), code: "NODES", ...scarce });
    else combinations.push(summarise(pools, combinations.length));
  }
  return { combinations, rejected };
}

function combineSeveral(perWorkload: readonly WorkloadPools[], sources: readonly GpuSource[]): ServedPool[][] {
  const shared = perWorkload.filter(({ sharesModel }) => sharesModel).flatMap(({ pools }) => pools);
  const models = [...new Set(shared.map(({ request }) => request.selected.id))];
  const keys = sources.map(({ key }) => key);
  const combinations = (models.length === 0 ? [null] : models).flatMap((model) => {
    const perPool = perWorkload.map(({ sharesModel, pools }) =>
      pools
        .filter(({ request }) => !sharesModel || request.selected.id === model)
        .sort((left, right) => left.cost.perMonth - right.cost.perMonth),
    );
    const onOneKind = keys.map((key) =>
      perPool.map((pools) => pools.find(({ request }) => request.source.key === key)),
    );
    return [...onOneKind, takeCheapest(perPool, sources)];
  });
  const complete = combinations.filter((pools): pools is ServedPool[] => pools.every((pool) => pool !== undefined));
  const names = complete.map((pools) => pools.map(({ request }) => JSON.stringify(nameOption(request))).join());
  return complete.filter((_, index) => names.indexOf(names[index] ?? "") === index);
}

/** Each workload in turn takes the cheapest pool that those before it left room for. */
function takeCheapest(
  perPool: readonly (readonly ServedPool[])[],
  sources: readonly GpuSource[],
): (ServedPool | undefined)[] {
  const taken: ServedPool[] = [];
  return perPool.map((pools) => {
    const pool = pools.find((each) => findScarce([...taken, each], sources) === null);
    if (pool) taken.push(pool);
    return pool;
  });
}

/** Pools may share a node, each with GPUs of its own; the widest is placed first, where most is free. */
function findScarce(
  pools: readonly ServedPool[],
  sources: readonly GpuSource[],
): { reason: string; details: Record<string, unknown> } | null {
  for (const { key, gpu, gpusPerNode, nodesAvailable } of sources) {
    const here = pools.filter(({ request }) => request.source.key === key);
    if (nodesAvailable === null || here.length < 2 || canShare(here, gpusPerNode, nodesAvailable)) continue;
    const gpus = here.reduce((sum, { fleet }) => sum + fleet.gpus, 0);
    const there = gpusPerNode * nodesAvailable;
    const reason = `The pools together take ${plural(gpus, "GPU")} of ${gpu.name} on nodes apart, and there are ${there} on ${plural(nodesAvailable, "node")}.`;
    return { reason, details: { gpus, gpusAvailable: there, nodesAvailable } };
  }
  return null;
}

function canShare(pools: readonly ServedPool[], gpusPerNode: number, nodes: number): boolean {
  const free = Array.from({ length: nodes }, () => gpusPerNode);
  const wanted = pools
    .map(({ fleet }) => ({
      nodes: fleet.nodes,
      each: (fleet.replicasPerNode * (fleet.gpus / fleet.replicas)) / fleet.nodesPerReplica,
    }))
    .sort((left, right) => right.each - left.each);
  return wanted.every((pool) => {
    free.sort((left, right) => right - left);
    if (pool.nodes > nodes || (free[pool.nodes - 1] ?? 0) < pool.each) return false;
    for (let node = 0; node < pool.nodes; node++) free[node] = (free[node] ?? 0) - pool.each;
    return true;
  });
}

function summarise(pools: readonly ServedPool[], index: number): Combination {
  const sum = (value: (pool: ServedPool) => number) => pools.reduce((total, pool) => total + value(pool), 0);
  return {
    index,
    pools,
    sources: pools.map(({ request }) => request.source.key).join(" + "),
    model: pools[0]?.request.selected.id ?? "",
    hasQuality: pools.every(({ request }) => request.selected.quality !== null),
    quality: Math.min(...pools.map(qualityOf)),
    perMonth: sum(({ cost }) => cost.perMonth),
    capex: sum(({ cost }) => cost.capex),
    gpus: sum(({ fleet }) => fleet.gpus),
    slowestTokensPerSecond: Math.min(...pools.map(({ load }) => 1000 / load.latency.tpotMs)),
    gpusPerReplica: Math.max(...pools.map(({ fleet }) => fleet.gpus / fleet.replicas)),
  };
}
