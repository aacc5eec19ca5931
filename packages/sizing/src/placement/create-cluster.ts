import { SizingError } from "../sizing-error.ts";
import { book, readPlacements } from "./booking.ts";
import { type Cluster, createTeam, describePlacements, internShape, type PoolState } from "./cluster.ts";
import { type ClusterInput, type ClusterSnapshot, parseClusterSnapshot } from "./cluster-snapshot.ts";
import { describeDemand } from "./fragmentation.ts";
import { classKey, countShape, refreshDemand } from "./learned-demand.ts";
import { describeNodeType, type NodeType } from "./node-type.ts";
import { closeNode, createPacking } from "./packing.ts";
import { assertQuotas } from "./quota.ts";
import { describeAsk, enqueue } from "./waiting.ts";
import { describeTopology } from "./topology.ts";

/** @throws SizingError INVALID_REQUEST, CONTRADICTORY_QUOTA */
export function createCluster(input: ClusterInput): Cluster {
  const snapshot = parseClusterSnapshot(input);
  assertDistinct("node", snapshot.nodes);
  assertDistinct("pool", snapshot.pools);
  assertDistinct("team", snapshot.teams);
  const total = { gpuMilli: 0, cpuMilli: 0, memoryMib: 0 };
  let declaredMilli = 0;
  const declaredByPool = new Map<string, number>();
  const poolSpecs = new Map(snapshot.pools.map((pool) => [pool.name, pool]));
  const pools = new Map<string, PoolState>();
  const types: NodeType[] = [];
  const typeByKey = new Map<string, number>();
  const nodeTypes = snapshot.nodes.map((node) => {
    declaredMilli += node.gpus * 1000;
    if (!node.lost) {
      total.gpuMilli += node.gpus * 1000;
      total.cpuMilli += node.cpuMilli;
      total.memoryMib += node.memoryMib;
    }
    const spec = poolSpecs.get(node.pool);
    const pool = pools.get(node.pool) ?? {
      spec: spec ?? { name: node.pool, kinds: ["serving", "training", "batch"], servingReserveGpuMilli: 0 },
      gpuMilli: 0,
      otherThanServingMilli: 0,
      lastUnreservedMilli: 0,
    };
    if (!node.lost) pool.gpuMilli += node.gpus * 1000;
    declaredByPool.set(node.pool, (declaredByPool.get(node.pool) ?? 0) + node.gpus * 1000);
    pools.set(node.pool, pool);
    const type = describeNodeType(node, spec, types.length);
    const known = typeByKey.get(type.key);
    if (known !== undefined) return known;
    typeByKey.set(type.key, type.id);
    return types.push(type) - 1;
  });
  assertQuotas(snapshot.teams, snapshot.pools, declaredByPool, declaredMilli);
  const cluster: Cluster = {
    nowMs: snapshot.nowMs,
    settings: snapshot.settings,
    nodes: snapshot.nodes,
    nodeIndex: new Map(snapshot.nodes.map((node, i) => [node.name, i])),
    heldFor: snapshot.nodes.map(() => null),
    holders: new Map(),
    packing: createPacking(types, nodeTypes, describeDemand([], types, 0)),
    topology: describeTopology(snapshot.nodes),
    shapes: new Map(),
    learned: { counts: new Map(), observed: 0 },
    pools,
    teams: new Map(snapshot.teams.map((spec) => [spec.name, createTeam(spec)])),
    jobs: new Map(),
    jobsOnNode: snapshot.nodes.map(() => new Set()),
    stoppable: {
      lowestStanding: new Float64Array(snapshot.nodes.length).fill(Infinity),
      fewestGpuMilli: new Float64Array(snapshot.nodes.length),
      latestSavedMs: new Float64Array(snapshot.nodes.length),
      heldGpuMilli: new Float64Array(snapshot.nodes.length),
    },
    waiting: new Map(),
    waitingGroups: new Map(),
    freed: new Map(),
    rounds: { count: 0, evictAt: 0, holdAt: 0 },
    empty: null,
    finished: new Map(snapshot.finished.map((id) => [id, true])),
    total,
  };
  for (const booking of snapshot.bookings) {
    const { request, placements, startedAtMs, waitedSinceMs = startedAtMs, standing = request.priority } = booking;
    assertUnknown(cluster, request.id);
    book(cluster, request, readPlacements(cluster, request, placements), startedAtMs, waitedSinceMs, standing);
  }
  snapshot.nodes.forEach((node, i) => {
    if (node.cordoned || node.lost) closeNode(cluster.packing, i);
  });
  for (const { request, sinceMs } of snapshot.pending) {
    assertUnknown(cluster, request.id);
    enqueue(cluster, describeAsk(cluster, request, sinceMs), false);
  }
  restoreDemand(cluster, snapshot);
  return cluster;
}

/** The plain data of the cluster, which `createCluster` reads back. */
export function toSnapshot(cluster: Cluster): ClusterSnapshot {
  const weights = new Map(
    cluster.packing.demand.shapes.map((shape, i) => [shape.key, cluster.packing.demand.weight[i]!]),
  );
  return {
    nowMs: cluster.nowMs,
    nodes: cluster.nodes,
    pools: [...cluster.pools.values()].map(({ spec }) => spec),
    teams: [...cluster.teams.values()].map(({ spec }) => spec),
    bookings: [...cluster.jobs.values()].map(({ request, taken, startedAtMs, waitedSinceMs, standing }) => ({
      request,
      startedAtMs,
      waitedSinceMs,
      standing,
      placements: describePlacements(cluster, taken),
    })),
    pending: [...cluster.waiting.values()].map(({ request, sinceMs }) => ({ request, sinceMs })),
    finished: [...cluster.finished.keys()],
    demand: [...cluster.learned.counts.values()].map(({ shape, count, votes }) => ({
      kind: shape.kind,
      member: shape.member,
      ...(shape.pools === null ? {} : { pools: [...shape.pools] }),
      count,
      votes,
      weight: weights.get(shape.key) ?? 0,
    })),
    settings: cluster.settings,
  };
}

/** Before anything was asked for: jobs with one, two, four and eight GPUs, as if each had been asked for a few times. */
function expectWholeGpus(cluster: Cluster): void {
  for (const gpus of [1, 2, 4, 8]) {
    const member = { count: 1, gpus, gpuMilli: 1000, cpuMilli: 0, memoryMib: 0 };
    const shape = internShape(cluster, member, { kind: "training" });
    countShape(cluster.learned, shape, 4);
  }
  refreshDemand(cluster.packing, cluster.learned);
}

/** The weights are taken as they were, so that a cluster read back decides as the one that was written. */
function restoreDemand(cluster: Cluster, { demand }: ClusterSnapshot): void {
  if (demand.length === 0) {
    expectWholeGpus(cluster);
    return;
  }
  const weights = new Map<string, number>();
  for (const { member, kind, pools, count, votes, weight } of demand) {
    const shape = internShape(cluster, member, { kind, ...(pools === undefined ? {} : { pools }) });
    cluster.learned.counts.set(classKey(shape), { shape, count, votes });
    cluster.learned.observed += count;
    weights.set(shape.key, weight);
  }
  const followed = demand.some(({ weight }) => weight > 0)
    ? [...cluster.learned.counts.values()].filter(({ shape }) => weights.get(shape.key)! > 0)
    : [];
  const described = describeDemand(followed, cluster.packing.types, 1);
  cluster.packing.demand = {
    ...described,
    weight: Float64Array.from(described.shapes, ({ key }) => weights.get(key)!),
  };
}

function assertUnknown(cluster: Cluster, id: string): void {
  if (cluster.jobs.has(id) || cluster.waiting.has(id))
    throw new SizingError("INVALID_REQUEST", `The request ${id} is in the cluster twice.`, { id });
}

function assertDistinct(what: string, named: readonly { name: string }[]): void {
  const seen = new Set<string>();
  for (const { name } of named) {
    if (seen.has(name)) throw new SizingError("INVALID_REQUEST", `The ${what} ${name} is listed twice.`, { name });
    seen.add(name);
  }
}
