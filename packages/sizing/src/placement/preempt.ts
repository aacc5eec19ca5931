import type { Cluster, Job, Waiting } from "./cluster.ts";
import { findIsland } from "./choose-gpus.ts";
import { changeTrial, fitsTrial, startTrial, wholeGpus } from "./eviction-trial.ts";
import { findMismatch, type RequestShape } from "./node-type.ts";
import { freeMilli } from "./gpu-codes.ts";
import { closeNode, giveBack, openNode, type Packing, retake } from "./packing.ts";
import { fitsSlot } from "./room.ts";
import type { AllowedTypes } from "./slot-costs.ts";
import { type GangPlacement, type Placed, placeOn, type Pod, undo } from "./place-gang.ts";
import type { TopologyLevel } from "./placement-request.ts";
import { borrowedMilli } from "./quota.ts";
import { classOf } from "./waiting.ts";

export type EvictionPlan = GangPlacement & { evicted: Job[] };

/** What stopping the job now throws away: its GPUs times the time since its last checkpoint, in GPU-milliseconds. */
export function lossOf(job: Job, nowMs: number): number {
  const savedMs = Math.max(job.startedAtMs, Math.min(job.request.checkpointedAtMs ?? 0, nowMs));
  return (job.gpuMilli / 1000) * Math.max(0, nowMs - savedMs);
}

/**
 * Whose place the work may take: preemptible work of a lower class or, within its class, of lower standing; at equal
 * priority what a team borrowed, as long as the asking team stays within its own quota. Nothing takes serving's place
 * but serving.
 */
function mayEvict(ask: Waiting, job: Job, reclaims: boolean, borrowed: ReadonlyMap<Job["team"], number>): boolean {
  if (!job.preemptible) return false;
  const classes = classOf(ask.request) - classOf(job.request);
  if (classes !== 0) return classes > 0;
  if (ask.request.priority > job.standing) return true;
  return (
    ask.request.priority >= job.request.priority &&
    reclaims &&
    job.team !== ask.team &&
    (borrowed.get(job.team) ?? borrowedMilli(job.team)) > 0
  );
}

/** The cheapest way to make room on one node; `jobs` in the order in which they stop. */
type Option = { node: number; jobs: Job[]; score: readonly [number, number, number] };

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
  for (const job of cluster.jobs.values()) if (mayEvict(ask, job, reclaims, none)) any = true;
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

type Search = {
  cluster: Cluster;
  ask: Waiting;
  allowed: AllowedTypes;
  domain: readonly number[] | null;
  reclaims: boolean;
  apart: boolean;
  level: TopologyLevel;
  /** Ids that have only just started. */
  spared: ReadonlySet<string>;
  evicted: Set<Job>;
  borrowed: Map<Job["team"], number>;
};

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

function bestOption(options: ReadonlyMap<number, Option>): Option | null {
  let best: Option | null = null;
  for (const option of options.values()) if (best === null || isCheaper(option, best)) best = option;
  return best;
}

function isCheaper(left: Option, right: Option): boolean {
  for (let i = 0; i < 3; i++) if (left.score[i] !== right.score[i]) return left.score[i]! < right.score[i]!;
  return left.jobs.length !== right.jobs.length ? left.jobs.length < right.jobs.length : left.node < right.node;
}

const countEqual = (pods: readonly Pod[], shape: RequestShape) => pods.filter((pod) => pod.shape === shape).length;

/** From so many equal pods on, every node is worked out. */
const mostKept = 32;

/** What room would cost on each node; with `keep` below `mostKept`, at least on the so many cheapest. */
function listOptions(
  search: Search,
  pods: readonly Pod[],
  nodes: readonly number[] | null,
  keep: number,
): Map<number, Option> {
  const { cluster, ask, allowed, domain } = search;
  const { packing } = cluster;
  const fits = packing.types.map(
    (type, i) =>
      (allowed === null || allowed[i] === 1) && pods.every(({ shape }) => findMismatch(type, shape) === null),
  );
  const options = new Map<number, Option>();
  const cheapest: Option[] = [];
  const look = (node: number) => {
    if (packing.slotOf[node] === -1 || !fits[packing.nodeType[node]!]) return;
    const limit = cheapest.length < keep ? null : cheapest.at(-1)!.score;
    const mayStop = search.reclaims || classOf(ask.request) > 0 || cluster.lowestStanding[node]! < ask.request.priority;
    if (!mayStop && pods.length === 1 && !fitsSlot(packing, pods[0]!.shape, packing.slotOf[node]!)) return;
    if (limit !== null && limit[0] === 0 && cluster.lowestStanding[node]! > limit[1]) return;
    const option = cheapestOnNode(search, pods, node, limit);
    if (option === null) return;
    options.set(node, option);
    if (keep >= mostKept) return;
    const after = cheapest.findIndex((each) => isCheaper(option, each));
    cheapest.splice(after === -1 ? cheapest.length : after, 0, option);
    if (cheapest.length > keep) cheapest.pop();
  };
  if (nodes !== null) nodes.filter((node) => domain === null || domain.includes(node)).forEach(look);
  else if (domain !== null) domain.forEach(look);
  else for (let node = 0; node < packing.slotOf.length; node++) look(node);
  return options;
}

/** Null where there is no room to be made, or none below the cost `limit`. */
function cheapestOnNode(
  search: Search,
  pods: readonly Pod[],
  node: number,
  limit: Option["score"] | null,
): Option | null {
  const { cluster, ask } = search;
  const { packing } = cluster;
  const jobs: Job[] = [];
  let cpuMilli = packing.freeCpuMilli[node]!;
  let memoryMib = packing.freeMemoryMib[node]!;
  let gpuMilli = freeMilliOn(packing, node);
  for (const job of cluster.jobsOnNode[node]!) {
    if (search.evicted.has(job) || search.spared.has(job.request.id)) continue;
    if (!mayEvict(ask, job, search.reclaims, search.borrowed)) continue;
    jobs.push(job);
    for (const each of job.taken) {
      if (each.node !== node) continue;
      cpuMilli += each.shape.cpuMilli;
      memoryMib += each.shape.memoryMib;
      for (const { milli } of each.gpus) gpuMilli += milli;
    }
  }
  if (limit !== null && !jobs.some((job) => mayCostLess(job, limit, cluster.nowMs))) return null;
  // Most nodes are out of the question even with everything stopped that may be.
  for (const { shape } of pods) {
    cpuMilli -= shape.cpuMilli;
    memoryMib -= shape.memoryMib;
    if (shape.migProfile === null) gpuMilli -= shape.gpus * shape.gpuMilli;
  }
  if (cpuMilli < 0 || memoryMib < 0 || gpuMilli < 0) return null;
  const trial = startTrial(packing, node);
  const inIsland = search.level === "nvlink" && search.domain === null;
  if (!fitsTrial(trial, pods, inIsland)) {
    const everything = startTrial(packing, node);
    for (const job of jobs) changeTrial(everything, job, node, 1);
    if (!fitsTrial(everything, pods, inIsland)) return null;
  }
  jobs.sort((left, right) => compareJobs(left, right, cluster.nowMs));
  let stopped = 0;
  while (!fitsTrial(trial, pods, inIsland)) {
    const job = jobs[stopped];
    if (job === undefined) return null;
    changeTrial(trial, job, node, 1);
    stopped += 1;
  }
  // What turned out not to be needed goes on, the dearest first.
  const needed = jobs.slice(0, stopped);
  for (let i = stopped - 1; i >= 0; i--) {
    const job = needed[i]!;
    changeTrial(trial, job, node, -1);
    if (fitsTrial(trial, pods, inIsland)) needed.splice(i, 1);
    else changeTrial(trial, job, node, 1);
  }
  const serving = needed.filter(({ request }) => request.kind === "serving").length;
  const highest = needed.reduce((most, { standing }) => Math.max(most, standing), -Infinity);
  const loss = needed.reduce((sum, job) => sum + lossOf(job, cluster.nowMs), 0);
  return { node, jobs: needed, score: [serving, highest, loss] };
}

/** Whether stopping the job, and perhaps others, can cost less than the limit. */
function mayCostLess(job: Job, [serving, highest, loss]: Option["score"], nowMs: number): boolean {
  const ofServing = classOf(job.request);
  if (ofServing !== serving) return ofServing < serving;
  return job.standing !== highest ? job.standing < highest : lossOf(job, nowMs) < loss;
}

function compareJobs(left: Job, right: Job, nowMs: number): number {
  return (
    classOf(left.request) - classOf(right.request) ||
    left.standing - right.standing ||
    lossOf(left, nowMs) - lossOf(right, nowMs) ||
    (left.request.id < right.request.id ? -1 : 1)
  );
}

function freeMilliOn(packing: Packing, node: number): number {
  const from = node * packing.stride;
  let milli = 0;
  for (let i = from; i < from + packing.types[packing.nodeType[node]!]!.gpus; i++)
    milli += freeMilli(packing.codes[i]!);
  return milli;
}
