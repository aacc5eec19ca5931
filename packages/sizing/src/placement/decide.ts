import { type BudgetRefusal, checkBudgets } from "./budget.ts";
import { expectedDraw } from "./booking.ts";
import { readClock } from "./clock.ts";
import { type Cluster, describePlacements, type Waiting } from "./cluster.ts";
import {
  type Decision,
  describeGang,
  describeWay,
  queueForQuota,
  refuseForBudget,
  refuseForQuota,
} from "./decision.ts";
import { fitsEmptyCluster } from "./empty-cluster.ts";
import { describeReasons, explainNodes } from "./explain.ts";
import { lossOf } from "./eviction-rules.ts";
import { closeNode, openNode } from "./packing.ts";
import { listPods, placeGang, type Pod, undo } from "./place-gang.ts";
import { isPreemptible, parsePlacementRequest, type PlacementRequest } from "./placement-request.ts";
import { planEviction } from "./preempt.ts";
import { borrowedMilli, checkQuota, type QuotaRefusal, unreservedMilli } from "./quota.ts";
import type { AllowedTypes } from "./slot-costs.ts";
import { describeAsk, outranks } from "./waiting.ts";

const parsed = new WeakSet<PlacementRequest>();

/** The request as it was read before, or read now. @throws SizingError INVALID_REQUEST */
export function readRequest(input: PlacementRequest): PlacementRequest {
  if (parsed.has(input)) return input;
  const request = parsePlacementRequest(input);
  parsed.add(request);
  return request;
}

/**
 * Decides on one request: places it now, lets it wait, or refuses it, with the reason in words and numbers. A pure
 * function: the same cluster, request and time give the same decision, and the cluster is left as it was;
 * `submitRequest` carries the decision out. A request that the cluster already holds gets the answer that it has.
 * @throws SizingError INVALID_REQUEST for a malformed request, an unknown team, or an id that stands for other work
 */
export function decide(cluster: Cluster, input: PlacementRequest, nowMs: number): Decision {
  const request = readRequest(input);
  const time = readClock(cluster, nowMs);
  const known = cluster.waiting.get(request.id);
  const ask = known ?? describeAsk(cluster, request, Math.min(request.submittedAtMs ?? time, time));
  const restore = cluster.nowMs;
  cluster.nowMs = time;
  try {
    return decideAt(cluster, ask, { mayEvict: true, isNew: known === undefined });
  } finally {
    cluster.nowMs = restore;
  }
}

/** The same for work that has been read, at the cluster's own time. */
export function decideAt(cluster: Cluster, ask: Waiting, options: { mayEvict: boolean; isNew: boolean }): Decision {
  const { request } = ask;
  const { id } = request;
  const decision = tryAdmit(cluster, ask, options.mayEvict);
  if (decision !== null && !(options.isNew && decision.status === "queued")) return decision;
  const pods = listPods(request, ask.shapes);
  const hardest = pods[0]!.shape;
  if (options.isNew && !fitsEmptyCluster(cluster, request, pods)) {
    const explanation = explainNodes(cluster, hardest, null);
    return {
      status: "refused",
      id,
      code: "never-fits",
      reason: `It needs ${describeGang(request, pods)}, and that does not fit even with nothing else running: ${describeReasons(explanation, hardest)}.`,
      action: "Ask for less, allow more GPU models or a wider topology, or add nodes with that much.",
      explanation,
    };
  }
  if (decision !== null) return decision;
  const explanation = explainNodes(cluster, hardest, allowedTypes(cluster, ask));
  return {
    status: "queued",
    id,
    code: "no-room",
    reason: `It needs ${describeGang(request, pods)}, and there is no room now: ${describeReasons(explanation, hardest)}.`,
    action: describeWay(explanation),
    explanation,
  };
}

/** What keeps work from starting whether or not there is room. */
type Block =
  | { by: "budget"; refusal: BudgetRefusal }
  | { by: "quota"; refusal: QuotaRefusal }
  | { by: "work ahead"; ahead: Waiting };

export function findBlock(cluster: Cluster, ask: Waiting): Block | null {
  const { request, team } = ask;
  const quota = checkQuota(team, ask.gpuMilli, isPreemptible(request));
  const draw = expectedDraw(request, ask.gpuMilli);
  const budget = checkBudgets(team.spec.budgets, draw, team.committed, cluster.nowMs);
  if (budget !== null) return { by: "budget", refusal: budget };
  if (quota !== null) return { by: "quota", refusal: quota };
  const ahead = findAhead(cluster, ask);
  return ahead === null ? null : { by: "work ahead", ahead };
}

/**
 * The decision without explanations of full nodes: null means that there is no room. `spared` are ids that are not stopped
 * for it.
 */
export function tryAdmit(
  cluster: Cluster,
  ask: Waiting,
  mayEvict: boolean,
  spared: ReadonlySet<string> = new Set(),
): Decision | null {
  const { request } = ask;
  const block = findBlock(cluster, ask);
  switch (block?.by) {
    case "budget":
      return refuseForBudget(ask, block.refusal);
    case "quota":
      return block.refusal.ever ? queueForQuota(ask, block.refusal) : refuseForQuota(ask, block.refusal);
    case "work ahead": {
      const reason = `${block.ahead.request.id} of the same team goes first and has waited long for quota.`;
      const action = "It starts after that work.";
      return { status: "queued", id: request.id, code: "behind", reason, action, explanation: null };
    }
    case undefined:
      return withHeldNodes(cluster, ask, () =>
        tryPlace(cluster, ask, listPods(request, ask.shapes), mayEvict ? spared : null),
      );
  }
}

function tryPlace(
  cluster: Cluster,
  ask: Waiting,
  pods: readonly Pod[],
  spared: ReadonlySet<string> | null,
): Decision | null {
  const { request, team } = ask;
  const allowed = allowedTypes(cluster, ask);
  const placed = placeGang(cluster.packing, cluster.topology, request, pods, allowed);
  if (placed !== null) undo(cluster.packing, placed.taken);
  const plan =
    placed === null
      ? spared === null
        ? null
        : planEviction(cluster, ask, pods, allowed, spared)
      : { ...placed, evicted: [] };
  if (plan === null) return null;
  const { evicted } = plan;
  const placements = describePlacements(cluster, plan.taken);
  const nodes = [...new Set(placements.map(({ node }) => node))];
  const where =
    nodes.length > 3 ? `${nodes.slice(0, 3).join(", ")} and ${nodes.length - 3} more nodes` : nodes.join(", ");
  const stops =
    evicted.length === 0
      ? ""
      : ` once ${evicted.map(({ request: { id } }) => id).join(", ")} has stopped, which loses least`;
  return {
    status: "admitted",
    id: request.id,
    placements,
    level: plan.level,
    evict: evicted.map((job) => ({
      id: job.request.id,
      team: job.request.team,
      lostGpuHours: lossOf(job, cluster.nowMs) / 3_600_000,
    })),
    borrowedGpuMilli: borrowedMilli(team, ask.gpuMilli),
    reason: `Goes to ${where}${stops}: there it leaves the most room for what is usually asked for.`,
  };
}

/** Node types that training and batch may use without touching what pools reserve for serving; null: all. */
export function allowedTypes(cluster: Cluster, { request, gpuMilli }: Waiting): AllowedTypes {
  if (request.kind === "serving" || gpuMilli === 0) return null;
  let allowed: Uint8Array | null = null;
  for (const pool of cluster.pools.values()) {
    if (pool.spec.servingReserveGpuMilli === 0 || gpuMilli <= unreservedMilli(pool)) continue;
    allowed ??= new Uint8Array(cluster.packing.types.length).fill(1);
    for (let i = 0; i < allowed.length; i++) if (cluster.packing.types[i]!.pool === pool.spec.name) allowed[i] = 0;
  }
  return allowed;
}

/** Nodes that are kept free for this request, or for one that it outranks, count as open while `look` runs. */
function withHeldNodes<Result>(cluster: Cluster, ask: Waiting, look: () => Result): Result {
  if (cluster.holders.size === 0) return look();
  const opened: number[] = [];
  for (const [holder, nodes] of cluster.holders) {
    const waiting = cluster.waiting.get(holder);
    if (holder !== ask.request.id && waiting && !outranks(cluster, ask, waiting)) continue;
    for (const node of nodes) {
      openNode(cluster.packing, node);
      opened.push(node);
    }
  }
  const result = look();
  for (const node of opened) closeNode(cluster.packing, node);
  return result;
}

/** Work of the same team that goes first and has waited long for quota: what is smaller must not overtake it for ever. */
function findAhead(cluster: Cluster, ask: Waiting): Waiting | null {
  if (ask.gpuMilli === 0 || ask.team.spec.nominalGpuMilli === null) return null;
  for (const other of ask.team.waiting) {
    if (other.request.id === ask.request.id || cluster.nowMs - other.sinceMs < cluster.settings.holdAfterMs) continue;
    if (!outranks(cluster, other, ask)) continue;
    if (checkQuota(other.team, other.gpuMilli, isPreemptible(other.request)) !== null) return other;
  }
  return null;
}
