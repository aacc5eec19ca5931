import {
  type Cluster,
  gpuMilliOf,
  internShape,
  isSchedulable,
  noteFreed,
  requireTeam,
  type Waiting,
  type WaitingGroup,
} from "./cluster.ts";
import { openNode } from "./packing.ts";
import type { PlacementRequest } from "./placement-request.ts";
import { fairShare } from "./quota.ts";

/** The request as the queue and the decision see it. */
export function describeAsk(cluster: Cluster, request: PlacementRequest, sinceMs: number): Waiting {
  return {
    request,
    team: requireTeam(cluster, request.team),
    sinceMs,
    gpuMilli: gpuMilliOf(cluster, request),
    shapes: request.gang.map((member) => internShape(cluster, member, request)),
    blockedAt: -1,
  };
}

/** `failed`: it has just been seen that it has no room. */
export function enqueue(cluster: Cluster, entry: Waiting, failed: boolean): void {
  cluster.waiting.set(entry.request.id, entry);
  entry.team.waiting.add(entry);
  const signature = signatureOf(entry.request);
  const group = cluster.waitingGroups.get(signature);
  if (group) group.members.push(entry);
  else cluster.waitingGroups.set(signature, { members: [entry], failed, missing: null });
}

/** Takes it out of the queue; nodes that were kept free for it are free for others. */
export function dequeue(cluster: Cluster, entry: Waiting): void {
  const { request, team } = entry;
  cluster.waiting.delete(request.id);
  team.waiting.delete(entry);
  const signature = signatureOf(request);
  const group = cluster.waitingGroups.get(signature);
  group?.members.splice(group.members.indexOf(entry), 1);
  if (group?.members.length === 0) cluster.waitingGroups.delete(signature);
  releaseHold(cluster, request.id);
}

export function releaseHold(cluster: Cluster, id: string): void {
  for (const node of cluster.holders.get(id) ?? []) {
    cluster.heldFor[node] = null;
    if (!isSchedulable(cluster, node)) continue;
    openNode(cluster.packing, node);
    noteFreed(cluster, node, true);
  }
  cluster.holders.delete(id);
}

export const groupOf = (cluster: Cluster, entry: Waiting): WaitingGroup =>
  cluster.waitingGroups.get(signatureOf(entry.request))!;

const signatures = new WeakMap<PlacementRequest, string>();

function signatureOf(request: PlacementRequest): string {
  let signature = signatures.get(request);
  if (signature === undefined) {
    const { kind, gang, topology, pools } = request;
    signature = JSON.stringify([kind, gang, topology, pools]);
    signatures.set(request, signature);
  }
  return signature;
}

/** Serving before everything else: training never starves it. */
export const classOf = (request: PlacementRequest) => (request.kind === "serving" ? 1 : 0);

/** Priority with one step more for each `agingMs` that it has waited, so that nothing waits for ever. */
export function agedPriority(cluster: Cluster, entry: Pick<Waiting, "request" | "sinceMs">): number {
  return entry.request.priority + Math.floor(Math.max(0, cluster.nowMs - entry.sinceMs) / cluster.settings.agingMs);
}

/** Whether the first goes strictly before the second by class and aged priority; fair share and time only break ties. */
export function outranks(cluster: Cluster, left: Waiting, right: Waiting): boolean {
  const classes = classOf(left.request) - classOf(right.request);
  return classes !== 0 ? classes > 0 : agedPriority(cluster, left) > agedPriority(cluster, right);
}

/** The queue's order: class, aged priority, the team with the smaller share, who came first. */
export function sortWaiting(cluster: Cluster, entries: Iterable<Waiting>): Waiting[] {
  const shares = new Map<Waiting["team"], number>();
  const shareOf = (entry: Waiting) => {
    let share = shares.get(entry.team);
    if (share === undefined) shares.set(entry.team, (share = fairShare(cluster, entry.team)));
    return share;
  };
  return [...entries].sort(
    (left, right) =>
      classOf(right.request) - classOf(left.request) ||
      agedPriority(cluster, right) - agedPriority(cluster, left) ||
      shareOf(left) - shareOf(right) ||
      left.sinceMs - right.sinceMs ||
      (left.request.id < right.request.id ? -1 : 1),
  );
}
