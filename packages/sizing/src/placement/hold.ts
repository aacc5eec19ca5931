import { emptyPacking } from "./empty-cluster.ts";
import type { Cluster, Waiting } from "./cluster.ts";
import { closeNode, openNode, retake } from "./packing.ts";
import { listPods, placeGang } from "./place-gang.ts";
import { isPreemptible } from "./placement-request.ts";
import { checkQuota } from "./quota.ts";
import { sortWaiting } from "./waiting.ts";
import { allowedTypes } from "./decide.ts";

/** Requests that nodes are kept free for at one time: enough that nobody starves, few enough that little stands idle. */
const mostHolders = 4;

/** How often it is looked for such requests, in rounds of the queue. */
const holdEvery = 8;

/**
 * Keeps nodes free for what has waited long and is first in line, so that small work which always fits somewhere does not
 * pass it for ever. The nodes chosen are those that would take the whole gang once what can end there has ended, the
 * emptiest first; work of higher rank may still use them.
 */
export function holdNodes(cluster: Cluster): void {
  const { count, holdAt } = cluster.rounds;
  if (cluster.holders.size >= mostHolders || cluster.waiting.size === 0 || count < holdAt) return;
  cluster.rounds.holdAt = count + holdEvery;
  const { holdAfterMs } = cluster.settings;
  const overdue: Waiting[] = [];
  for (const entry of cluster.waiting.values()) {
    if (cluster.nowMs - entry.sinceMs < holdAfterMs || cluster.holders.has(entry.request.id)) continue;
    if (checkQuota(entry.team, entry.gpuMilli, isPreemptible(entry.request)) === null) overdue.push(entry);
  }
  if (overdue.length === 0) return;
  for (const entry of sortWaiting(cluster, overdue).slice(0, mostHolders - cluster.holders.size)) hold(cluster, entry);
}

function hold(cluster: Cluster, entry: Waiting): void {
  const { request } = entry;
  const pods = listPods(request, entry.shapes);
  const drained = emptyPacking(cluster);
  for (const job of cluster.jobs.values()) if (!job.preemptible) for (const each of job.taken) retake(drained, each);
  const candidates: { node: number; busy: number }[] = [];
  cluster.nodes.forEach(({ lost, cordoned, gpus, memoryMib }, node) => {
    closeNode(drained, node);
    if (lost || cordoned || cluster.heldFor[node] !== null) return;
    let busy = 0;
    for (const job of cluster.jobsOnNode[node]!) {
      for (const each of job.taken) {
        if (each.node !== node) continue;
        busy +=
          gpus > 0
            ? each.gpus.reduce((sum, { milli }) => sum + milli, 0) / 1000
            : each.shape.memoryMib / Math.max(memoryMib, 1);
      }
    }
    candidates.push({ node, busy });
  });
  candidates.sort((left, right) => left.busy - right.busy || left.node - right.node);
  const allowed = allowedTypes(cluster, entry);
  for (let next = 0, step = 1; next < candidates.length; step *= 2) {
    for (const { node } of candidates.slice(next, next + step)) openNode(drained, node);
    next += step;
    const placed = placeGang(drained, cluster.topology, request, pods, allowed);
    if (placed === null) continue;
    const nodes = [...new Set(placed.taken.map(({ node }) => node))];
    for (const node of nodes) {
      cluster.heldFor[node] = request.id;
      closeNode(cluster.packing, node);
    }
    cluster.holders.set(request.id, nodes);
    return;
  }
}
