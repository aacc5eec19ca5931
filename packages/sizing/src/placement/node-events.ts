import { SizingError } from "../sizing-error.ts";
import { readClock } from "./clock.ts";
import { type Cluster, createTeam, isSchedulable, noteFreed } from "./cluster.ts";
import { teamSchema, type TeamSpec } from "./cluster-snapshot.ts";
import { closeNode, openNode } from "./packing.ts";
import { invalidInput } from "./placement-request.ts";
import { assertQuotas } from "./quota.ts";
import { requeueWork } from "./schedule.ts";
import { releaseHold } from "./waiting.ts";

/** The node takes no new work; what runs there goes on. */
export function cordonNode(cluster: Cluster, name: string): void {
  changeNode(cluster, name, { cordoned: true });
}

export function uncordonNode(cluster: Cluster, name: string): void {
  changeNode(cluster, name, { cordoned: false });
}

/** Cordons the node and requeues what may be stopped there; names what must be moved by whoever runs it. */
export function drainNode(cluster: Cluster, name: string, nowMs: number): { requeued: string[]; staying: string[] } {
  const node = changeNode(cluster, name, { cordoned: true });
  const jobs = [...cluster.jobsOnNode[node]!];
  const requeued = jobs.filter(({ preemptible }) => preemptible).map(({ request }) => request.id);
  for (const id of requeued) requeueWork(cluster, id, nowMs);
  return { requeued, staying: jobs.filter(({ preemptible }) => !preemptible).map(({ request }) => request.id) };
}

/** The node has vanished. Gangs with a member there are stopped whole and wait again; returns their ids. */
export function loseNode(cluster: Cluster, name: string, nowMs: number): string[] {
  const node = requireNode(cluster, name);
  if (cluster.nodes[node]!.lost) return [];
  cluster.nowMs = readClock(cluster, nowMs);
  changeNode(cluster, name, { lost: true });
  const ids = [...cluster.jobsOnNode[node]!].map(({ request }) => request.id);
  for (const id of ids) requeueWork(cluster, id, nowMs);
  countNode(cluster, node, -1);
  return ids;
}

/** A node that had vanished answers again, with nothing on it. */
export function returnNode(cluster: Cluster, name: string): void {
  const node = requireNode(cluster, name);
  if (!cluster.nodes[node]!.lost) return;
  changeNode(cluster, name, { lost: false });
  countNode(cluster, node, 1);
}

/**
 * Changes a team's quota, weight or budgets, or adds the team. What runs goes on, even above a lowered quota; nothing more
 * starts until the team is below it.
 * @throws SizingError INVALID_REQUEST, CONTRADICTORY_QUOTA; the cluster is then as it was
 */
export function setTeam(cluster: Cluster, input: TeamSpec): void {
  const { data, error } = teamSchema.safeParse(input);
  if (error) throw invalidInput("team", error);
  const others = [...cluster.teams.values()].map(({ spec }) => spec).filter(({ name }) => name !== data!.name);
  assertQuotas(
    [...others, data!],
    [],
    new Map(),
    cluster.nodes.reduce((sum, { gpus }) => sum + gpus * 1000, 0),
  );
  const team = cluster.teams.get(data!.name);
  if (team) Object.assign(team, { spec: data!, releases: team.releases + 1 });
  else cluster.teams.set(data!.name, createTeam(data!));
  cluster.rounds.evictAt = 0;
}

function requireNode(cluster: Cluster, name: string): number {
  const node = cluster.nodeIndex.get(name);
  if (node === undefined) throw new SizingError("INVALID_REQUEST", `There is no node ${name}.`, { name });
  return node;
}

function changeNode(cluster: Cluster, name: string, change: { cordoned?: boolean; lost?: boolean }): number {
  const node = requireNode(cluster, name);
  cluster.nodes[node] = { ...cluster.nodes[node]!, ...change };
  const holder = cluster.heldFor[node];
  if (isSchedulable(cluster, node)) {
    if (holder === null) openNode(cluster.packing, node);
    noteFreed(cluster, node, true);
  } else {
    // Held nodes were to take one gang together: without one of them, others are chosen.
    if (holder) releaseHold(cluster, holder);
    closeNode(cluster.packing, node);
  }
  cluster.rounds.evictAt = 0;
  cluster.empty = null;
  return node;
}

function countNode(cluster: Cluster, node: number, sign: 1 | -1): void {
  const { gpus, cpuMilli, memoryMib, pool } = cluster.nodes[node]!;
  cluster.total.gpuMilli += sign * gpus * 1000;
  cluster.total.cpuMilli += sign * cpuMilli;
  cluster.total.memoryMib += sign * memoryMib;
  cluster.pools.get(pool)!.gpuMilli += sign * gpus * 1000;
}
