import type { Job } from "./cluster.ts";
import { lossOf, mayEvict, type Search } from "./eviction-rules.ts";
import { changeTrial, fitsTrial, startTrial } from "./eviction-trial.ts";
import { freeMilli } from "./gpu-codes.ts";
import { fitsType } from "./node-type.ts";
import type { Packing } from "./packing.ts";
import type { Pod } from "./place-gang.ts";
import { fitsSlot } from "./room.ts";
import { classOf } from "./waiting.ts";

/** The cheapest way to make room on one node; `jobs` in the order in which they stop. */
export type Option = { node: number; jobs: Job[]; score: readonly [number, number, number] };

export function bestOption(options: ReadonlyMap<number, Option>): Option | null {
  let best: Option | null = null;
  for (const option of options.values()) if (best === null || isCheaper(option, best)) best = option;
  return best;
}

function isCheaper(left: Option, right: Option): boolean {
  for (let i = 0; i < 3; i++) if (left.score[i] !== right.score[i]) return left.score[i]! < right.score[i]!;
  return left.jobs.length !== right.jobs.length ? left.jobs.length < right.jobs.length : left.node < right.node;
}

/** From so many equal pods on, every node is worked out. */
export const mostKept = 32;

/** What room would cost on each node; with `keep` below `mostKept`, at least on the so many cheapest. */
export function listOptions(
  search: Search,
  pods: readonly Pod[],
  nodes: readonly number[] | null,
  keep: number,
): Map<number, Option> {
  const { cluster, ask, allowed, domain } = search;
  const { packing } = cluster;
  const fits = packing.types.map(
    (type, i) => (allowed === null || allowed[i] === 1) && pods.every(({ shape }) => fitsType(type, shape)),
  );
  const { lowestStanding, fewestGpuMilli, latestSavedMs, heldGpuMilli } = cluster.stoppable;
  const neededMilli = pods.reduce((sum, { shape }) => sum + (shape.migProfile ? 0 : shape.gpus * shape.gpuMilli), 0);
  const candidates: { node: number; lowest: number; loss: number }[] = [];
  const look = (node: number) => {
    if (packing.slotOf[node] === -1 || !fits[packing.nodeType[node]!]) return;
    const isFree = pods.length === 1 && fitsSlot(packing, pods[0]!.shape, packing.slotOf[node]!);
    const lowest = isFree ? -Infinity : lowestStanding[node]!;
    const mayStop =
      classOf(ask.request) > 0 || (lowest < Infinity && (search.reclaims || lowest < ask.request.priority));
    if (!mayStop && pods.length === 1 && !isFree) return;
    if (!isFree && freeMilliOn(packing, node) + heldGpuMilli[node]! < neededMilli) return;
    const idleMs = Math.max(0, cluster.nowMs - latestSavedMs[node]!);
    candidates.push({ node, lowest, loss: !isFree && lowest < Infinity ? (fewestGpuMilli[node]! / 1000) * idleMs : 0 });
  };
  if (nodes !== null) nodes.filter((node) => domain === null || domain.includes(node)).forEach(look);
  else if (domain !== null) domain.forEach(look);
  else for (let node = 0; node < packing.slotOf.length; node++) look(node);
  // What may turn out cheapest first: then most others need no second look.
  if (candidates.length > keep) {
    candidates.sort((left, right) =>
      left.lowest !== right.lowest
        ? left.lowest < right.lowest
          ? -1
          : 1
        : left.loss - right.loss || left.node - right.node,
    );
  }
  const options = new Map<number, Option>();
  const cheapest: Option[] = [];
  for (const { node, lowest, loss } of candidates) {
    const limit = cheapest.length < keep ? null : cheapest.at(-1)!.score;
    if (limit !== null && limit[0] === 0 && (lowest > limit[1] || (lowest === limit[1] && loss >= limit[2]))) break;
    const option = cheapestOnNode(search, pods, node, limit);
    if (option === null) continue;
    options.set(node, option);
    if (keep >= mostKept) continue;
    const after = cheapest.findIndex((each) => isCheaper(option, each));
    cheapest.splice(after === -1 ? cheapest.length : after, 0, option);
    if (cheapest.length > keep) cheapest.pop();
  }
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
