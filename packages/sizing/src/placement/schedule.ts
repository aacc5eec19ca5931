import { SizingError } from "../sizing-error.ts";
import { book, expectedDraw, noteStoppable, readPlacements, unbook } from "./booking.ts";
import { drawFromBudgets } from "./budget.ts";
import { readClock } from "./clock.ts";
import {
  type Cluster,
  describePlacements,
  type Job,
  type PoolState,
  type Waiting,
  type WaitingGroup,
} from "./cluster.ts";
import { allowedTypes, decide, decideAt, findBlock, readRequest, tryAdmit } from "./decide.ts";
import type { Decision } from "./decision.ts";
import { holdNodes } from "./hold.ts";
import { observeShape } from "./learned-demand.ts";
import type { RequestShape } from "./node-type.ts";
import { isPreemptible, type PlacementRequest } from "./placement-request.ts";
import { borrowedMilli, checkQuota, unreservedMilli } from "./quota.ts";
import { countByShape, countMissing, countRoom, countRoomIn } from "./room.ts";
import { agedPriority, dequeue, describeAsk, enqueue, groupOf, outranks, sortWaiting } from "./waiting.ts";

/** Ended ids that are remembered, so that a submission that is repeated late does not run twice. */
const rememberedIds = 65_536;

/** Decides on a request and carries the decision out; the same id again gets the answer that it has, and changes nothing. */
export function submitRequest(cluster: Cluster, input: PlacementRequest, nowMs: number): Decision {
  cluster.nowMs = readClock(cluster, nowMs);
  const request = readRequest(input);
  const answered = findAnswer(cluster, request);
  if (answered !== null) return answered;
  const decision = decide(cluster, request, nowMs);
  const entry = describeAsk(cluster, request, Math.min(request.submittedAtMs ?? cluster.nowMs, cluster.nowMs));
  entry.shapes.forEach((shape, i) => observeShape(cluster.packing, cluster.learned, shape, request.gang[i]!.count));
  carryOut(cluster, entry, decision);
  return decision;
}

/** Starts what waits and fits by now, in the queue's order. Call it after whatever may have made room, and now and then. */
export function startWaiting(cluster: Cluster, nowMs: number): Decision[] {
  cluster.nowMs = readClock(cluster, nowMs);
  const started: Decision[] = [];
  const startedIds = new Set<string>();
  cluster.rounds.count += 1;
  // What a start released (nodes that were kept free for it, the rest of what it stopped) is for the first in line again.
  while (cluster.waiting.size > 0 && startInOrder(cluster, started, startedIds));
  cluster.freed.clear();
  holdNodes(cluster);
  return started;
}

/** Goes through the queue once; true where it has to be gone through again. */
function startInOrder(cluster: Cluster, started: Decision[], startedIds: Set<string>): boolean {
  const freed = new Map(cluster.freed);
  cluster.freed.clear();
  const { candidates, head, reopened } = listCandidates(cluster, freed);
  for (const entry of candidates) {
    const group = groupOf(cluster, entry);
    // What was freed may be taken again by those who went before.
    if (reopened.has(group) && !group.failed) group.failed = !mayHaveRoom(cluster, group, entry, freed);
    if (group.failed && entry !== head) continue;
    group.missing = entry === head || isSingle(entry) ? null : findMissing(cluster, entry);
    const decision = group.missing ? null : tryAdmit(cluster, entry, entry === head, startedIds);
    if (decision?.status === "admitted") {
      carryOut(cluster, entry, decision);
      started.push(decision);
      startedIds.add(decision.id);
      if (cluster.freed.size > 0) break;
    } else if (decision === null) group.failed = true;
  }
  for (const pool of cluster.pools.values()) pool.lastUnreservedMilli = unreservedMilli(pool);
  return cluster.freed.size > 0;
}

/**
 * In the queue's order, what may have room: of groups that are not known to have none, or to which something that was freed
 * since may give some. `head` is the first in line of all, whenever it is due to look for work that may be stopped for it.
 */
function listCandidates(cluster: Cluster, freed: Freed) {
  const reopened = new Set<WaitingGroup>();
  const candidates: Waiting[] = [];
  for (const group of cluster.waitingGroups.values()) {
    if (group.failed) {
      if (!mayHaveRoom(cluster, group, group.members[0]!, freed)) continue;
      group.failed = false;
      reopened.add(group);
    }
    for (const entry of group.members) if (mayStart(cluster, entry)) candidates.push(entry);
  }
  let head: Waiting | null = null;
  if (cluster.rounds.count >= cluster.rounds.evictAt) {
    cluster.rounds.evictAt = cluster.rounds.count + evictEvery;
    for (const entry of cluster.waiting.values()) {
      if (mayStart(cluster, entry) && (head === null || sortWaiting(cluster, [entry, head])[0] === entry)) head = entry;
    }
    if (head !== null && groupOf(cluster, head).failed) candidates.push(head);
  }
  return { candidates: sortWaiting(cluster, candidates), head, reopened };
}

/** The quota first: it is what most of the queue waits for, and known until the team has released something. */
function mayStart(cluster: Cluster, entry: Waiting): boolean {
  if (entry.blockedAt === entry.team.releases) return false;
  const isBlocked = checkQuota(entry.team, entry.gpuMilli, isPreemptible(entry.request)) !== null;
  entry.blockedAt = isBlocked ? entry.team.releases : -1;
  return !isBlocked && findBlock(cluster, entry) === null;
}

type Freed = Cluster["freed"];

/** How often the first in line looks again for work to stop: it has looked when it came, and looking is dear. */
const evictEvery = 64;

/** Looks only at what was freed: what has been taken since can have made nothing better. */
function mayHaveRoom(cluster: Cluster, group: WaitingGroup, entry: Waiting, freed: Freed): boolean {
  const { packing } = cluster;
  const { missing } = group;
  const isGuarded = entry.request.kind !== "serving" && entry.gpuMilli > 0;
  const guarded = isGuarded ? [...cluster.pools.values()].filter(({ spec }) => spec.servingReserveGpuMilli > 0) : [];
  const mayUse = (pool: PoolState) => entry.gpuMilli <= unreservedMilli(pool);
  if (guarded.some((pool) => entry.gpuMilli > pool.lastUnreservedMilli && mayUse(pool))) return true;
  let gained = 0;
  for (const [node, before] of freed) {
    const holder = cluster.heldFor[node];
    const held = holder ? cluster.waiting.get(holder) : undefined;
    if (held && held !== entry && !outranks(cluster, entry, held)) continue;
    if (guarded.some((pool) => pool.spec.name === cluster.nodes[node]!.pool && !mayUse(pool))) continue;
    const gain = (shape: RequestShape) =>
      Math.max(0, countRoom(packing, shape, node) - countRoomIn(packing, shape, before));
    if (missing !== null) gained += gain(missing.shape);
    else if (entry.shapes.some((shape) => gain(shape) > 0)) return true;
  }
  if (missing === null) return false;
  if (gained >= missing.pods) return true;
  missing.pods -= gained;
  return false;
}

const isSingle = ({ request }: Waiting) => request.gang.length === 1 && request.gang[0]!.count === 1;

/** Too little room in all, nodes that are kept free for others included: then nothing needs to be tried. */
function findMissing(cluster: Cluster, entry: Waiting): WaitingGroup["missing"] {
  const allowed = allowedTypes(cluster, entry);
  for (const [shape, pods] of countByShape(entry.request, entry.shapes)) {
    let missing = countMissing(cluster.packing, shape, pods, allowed, false);
    for (const nodes of cluster.holders.values()) {
      for (const node of nodes) missing -= countRoom(cluster.packing, shape, node);
    }
    if (missing > 0) return { shape, pods: missing };
  }
  return null;
}

/** The work has ended, well or badly. Its GPU-hours and tokens are drawn from the team's budgets. Unknown ids change nothing. */
export function finishWork(cluster: Cluster, id: string, nowMs: number): void {
  cluster.nowMs = readClock(cluster, nowMs);
  const entry = cluster.waiting.get(id);
  const job = cluster.jobs.get(id);
  if (!entry && !job) return;
  if (entry) dequeue(cluster, entry);
  if (job) stop(cluster, job, true);
  cluster.finished.set(id, true);
  if (cluster.finished.size > rememberedIds) cluster.finished.delete(cluster.finished.keys().next().value!);
}

/** A checkpoint was written: stopping the work now would lose only what comes after. */
export function noteCheckpoint(cluster: Cluster, id: string, atMs: number): void {
  const job = cluster.jobs.get(id);
  if (!job) return;
  job.request = readRequest({ ...job.request, checkpointedAtMs: Math.max(atMs, job.request.checkpointedAtMs ?? 0) });
  for (const { node } of job.taken) noteStoppable(cluster, node);
}

/** Stops the whole gang and puts it back into the queue at its old place. */
export function requeueWork(cluster: Cluster, id: string, nowMs: number): void {
  cluster.nowMs = readClock(cluster, nowMs);
  const job = cluster.jobs.get(id);
  if (!job) throw new SizingError("INVALID_REQUEST", `There is no running work ${id}.`, { id });
  stop(cluster, job, false);
  enqueue(cluster, describeAsk(cluster, job.request, job.waitedSinceMs), false);
}

function carryOut(cluster: Cluster, entry: Waiting, decision: Decision): void {
  const { request, sinceMs } = entry;
  if (decision.status === "queued") enqueue(cluster, entry, decision.code === "no-room");
  if (decision.status !== "admitted") return;
  for (const { id } of decision.evict) requeueWork(cluster, id, cluster.nowMs);
  const waiting = cluster.waiting.get(request.id);
  if (waiting) dequeue(cluster, waiting);
  const taken = readPlacements(cluster, request, decision.placements);
  book(cluster, request, taken, cluster.nowMs, sinceMs, agedPriority(cluster, entry));
}

function stop(cluster: Cluster, job: Job, ended: boolean): void {
  unbook(cluster, job);
  const { team, request, gpuMilli, startedAtMs } = job;
  if (team.spec.budgets.length === 0) return;
  const gpuHours = (gpuMilli / 1000) * ((cluster.nowMs - startedAtMs) / 3_600_000);
  const drawn = { gpuHours, tokens: ended ? expectedDraw(request, gpuMilli).tokens : 0 };
  team.spec = { ...team.spec, budgets: drawFromBudgets(team.spec.budgets, drawn, cluster.nowMs) };
}

/** The answer to a request that the cluster already knows by its id; null for a new one. */
function findAnswer(cluster: Cluster, request: PlacementRequest): Decision | null {
  const { id } = request;
  const entry = cluster.waiting.get(id);
  const job = cluster.jobs.get(id);
  const known = entry?.request ?? job?.request;
  if (known && describeWork(known) !== describeWork(request)) {
    throw new SizingError(
      "INVALID_REQUEST",
      `The id ${id} already stands for other work: give each request an id of its own.`,
      { id },
    );
  }
  if (entry) return decideAt(cluster, entry, { mayEvict: false, isNew: false });
  if (job) {
    return {
      id,
      status: "admitted",
      placements: describePlacements(cluster, job.taken),
      level: "any",
      evict: [],
      borrowedGpuMilli: borrowedMilli(job.team),
      reason: "It runs already.",
    };
  }
  if (!cluster.finished.has(id)) return null;
  return {
    id,
    status: "refused",
    code: "already-ran",
    reason: `Work with the id ${id} has run and ended.`,
    action: "To run it again, give it a new id.",
    explanation: null,
  };
}

/** What makes two submissions the same work: all but the moments that a retry may state anew. */
function describeWork(request: PlacementRequest): string {
  const { id, submittedAtMs: _submitted, checkpointedAtMs: _checkpointed, ...work } = request;
  return JSON.stringify([id, Object.entries(work).sort(([left], [right]) => (left < right ? -1 : 1))]);
}
