import type { Cluster, Job, Waiting } from "./cluster.ts";
import { findIsland } from "./choose-gpus.ts";
import { bestOption, listOptions, mostKept, type Option } from "./eviction-options.ts";
import { mayEvict, type Search } from "./eviction-rules.ts";
import { wholeGpus } from "./eviction-trial.ts";
import type { RequestShape } from "./node-type.ts";
import { closeNode, giveBack, openNode, retake } from "./packing.ts";
import { type GangPlacement, type Placed, placeOn, type Pod, undo } from "./place-gang.ts";
import type { TopologyLevel } from "./placement-request.ts";
import { borrowedMilli } from "./quota.ts";
import type { AllowedTypes } from "./slot-costs.ts";

export type EvictionPlan = GangPlacement & { evicted: Job[] };

/**
 * Finds room for the whole gang by stopping the work that loses least: node by node the fewest and cheapest jobs, then
 * the node where that is cheapest, comparing serving stopped, then the highest standing stopped, then GPU time lost.
 * Only the level that is required is looked at: stopping work for others to lie closer together than they must would be
 * out of proportion. The cluster is left as it was. Null where even stopping everything that may be stopped makes no room.
 */
export function planEviction(
  cluster: Cluster,
  ask: Waiting,
  pods: readonly Pod[],
  allowed: AllowedTypes,
  spared: ReadonlySet<string>,
): EvictionPlan | null {
  const nominal = ask.team.spec.nominalGpuMilli;
  const reclaims = nominal !== null && ask.team.usedGpuMilli + ask.gpuMilli <= nominal;
  const none = new Map<Job["team"], number>();
  let any = false;
  for (const job of cluster.jobs.values()) {
    any = mayEvict(ask, job, reclaims, none);
    if (any) break;
  }
  if (!any) return null;
  const apart = ask.request.topology?.apart ?? false;
  const level = ask.request.topology?.required ?? "any";
  if ((level === "nvlink" || level === "node") && apart && pods.length > 1) return null;
  for (const domain of domainsOf(cluster, level)) {
    const search: Search = {
      cluster,
      ask,
      allowed,
      domain,
      reclaims,
      apart,
      level,
      spared,
      evicted: new Set(),
      borrowed: new Map(),
    };
    const taken = domain === null && level !== "any" ? evictForGroup(search, pods) : evictForEach(search, pods);
    const evicted = [...search.evicted];
    undo(cluster.packing, taken ?? []);
    for (const job of evicted) for (const each of job.taken) retake(cluster.packing, each);
    if (taken !== null) return { taken, level, evicted };
  }
  return null;
}

/** Where a gang may lie at a level: among the nodes of one of these; null: on any one node, or at "any" on all of them. */
function domainsOf({ topology }: Cluster, level: TopologyLevel): readonly (readonly number[] | null)[] {
  switch (level) {
    case "nvlink":
      return [null, ...topology.nvlink];
    case "rail":
      return topology.rail;
    case "pool":
      return topology.pool;
    case "node":
    case "any":
      return [null];
  }
}

function evictForGroup(search: Search, pods: readonly Pod[]): Placed[] | null {
  const option = bestOption(listOptions(search, pods, null, 1));
  return option === null ? null : carryOut(search, option, pods);
}

/** Pod by pod; what was worked out for a node is kept until something changes there. */
function evictForEach(search: Search, pods: readonly Pod[]): Placed[] | null {
  const { packing } = search.cluster;
  const taken: Placed[] = [];
  const closed: number[] = [];
  let options = new Map<number, Option>();
  let shape: RequestShape | null = null;
  let complete = true;
  for (const pod of pods) {
    if (pod.shape !== shape) options = listOptions(search, [pod], null, countEqual(pods, pod.shape));
    shape = pod.shape;
    // Stopping a gang for one pod changes other nodes too: then what had been passed over counts again.
    if (options.size === 0) options = listOptions(search, [pod], null, 1);
    const option = bestOption(options);
    const placed = option === null ? null : carryOut(search, option, [pod]);
    if (option === null || placed === null) {
      complete = false;
      break;
    }
    taken.push(...placed);
    const changed = new Set([option.node, ...option.jobs.flatMap((job) => job.taken.map(({ node }) => node))]);
    if (search.apart) {
      closeNode(packing, option.node);
      closed.push(option.node);
    }
    for (const node of changed) options.delete(node);
    for (const [node, fresh] of listOptions(search, [pod], [...changed], mostKept)) options.set(node, fresh);
  }
  for (const node of closed) openNode(packing, node);
  return complete ? taken : undo(packing, taken);
}

function carryOut(search: Search, option: Option, pods: readonly Pod[]): Placed[] | null {
  const { packing } = search.cluster;
  for (const job of option.jobs) {
    for (const each of job.taken) giveBack(packing, each);
    search.evicted.add(job);
    search.borrowed.set(job.team, (search.borrowed.get(job.team) ?? borrowedMilli(job.team)) - job.gpuMilli);
  }
  const type = packing.types[packing.nodeType[option.node]!]!;
  const whole = wholeGpus(pods);
  const island =
    search.level === "nvlink" && whole > 0 && search.domain === null
      ? findIsland(packing.codes, option.node * packing.stride, type, whole)
      : -1;
  return placeOn(packing, option.node, pods, island);
}

const countEqual = (pods: readonly Pod[], shape: RequestShape) => pods.filter((pod) => pod.shape === shape).length;
