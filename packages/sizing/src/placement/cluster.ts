import { SizingError } from "../sizing-error.ts";
import type { Draw } from "./budget.ts";
import type { MemberPlacement, NodeSpec, PoolSpec, SchedulerSettings, TeamSpec } from "./cluster-snapshot.ts";
import { copyFree, type FreeResources, freeOf } from "./free-resources.ts";
import type { LearnedDemand } from "./learned-demand.ts";
import { type RequestShape, shapeKey } from "./node-type.ts";
import type { Packing, Taken } from "./packing.ts";
import { countGpuMilli, type GangMember, type PlacementRequest } from "./placement-request.ts";
import type { Topology } from "./topology.ts";

/** Running work. */
export type Job = {
  request: PlacementRequest;
  team: TeamState;
  taken: (Taken & { member: number })[];
  startedAtMs: number;
  /** When it came into the queue: where it goes back to if it is stopped. */
  waitedSinceMs: number;
  /** Its priority with what it had gained by waiting when it started: what may stop it must exceed that. */
  standing: number;
  gpuMilli: number;
  preemptible: boolean;
};

/** Work that asks for a place, and since when. */
export type Waiting = {
  request: PlacementRequest;
  team: TeamState;
  sinceMs: number;
  gpuMilli: number;
  /** Of each member of the gang. */
  shapes: RequestShape[];
  /** The team's `releases` when its quota was last seen to be too small; -1: it was not. */
  blockedAt: number;
};

/** Waiting work that differs in nothing that placement looks at: where one does not fit, none does. */
export type WaitingGroup = {
  members: Waiting[];
  /** Known to have no room but on what has been freed since. */
  failed: boolean;
  /** Where it failed for too little room in all: how many pods of which shape had none. */
  missing: { shape: RequestShape; pods: number } | null;
};

export type TeamState = {
  spec: TeamSpec;
  usedGpuMilli: number;
  usedCpuMilli: number;
  usedMemoryMib: number;
  /** Of that, what cannot be taken back. */
  fixedGpuMilli: number;
  committed: Draw;
  running: number;
  waiting: Set<Waiting>;
  /** Increases whenever its quota may have become enough for more. */
  releases: number;
};

export type PoolState = {
  spec: PoolSpec;
  gpuMilli: number;
  otherThanServingMilli: number;
  /** When the queue was last gone through. */ lastUnreservedMilli: number;
};

/**
 * A cluster's state with the indices that make decisions quick. `toSnapshot` gives the plain data that it stands for;
 * only the functions of this folder change it, and `decide` leaves it as it was.
 */
export type Cluster = {
  nowMs: number;
  settings: SchedulerSettings;
  nodes: NodeSpec[];
  nodeIndex: Map<string, number>;
  /** The waiting request that a node is kept free for. */
  heldFor: (string | null)[];
  /** Those requests, with their nodes. */
  holders: Map<string, number[]>;
  packing: Packing;
  topology: Topology;
  shapes: Map<string, RequestShape>;
  learned: LearnedDemand;
  pools: Map<string, PoolState>;
  teams: Map<string, TeamState>;
  jobs: Map<string, Job>;
  jobsOnNode: Set<Job>[];
  /** Of what may be stopped on each node, serving aside, what stopping it costs at least. */
  stoppable: {
    /** Infinity where there is nothing. */
    lowestStanding: Float64Array;
    fewestGpuMilli: Float64Array;
    /** When the latest of it started or wrote a checkpoint. */
    latestSavedMs: Float64Array;
    /** What all of it holds on the node, serving that may be stopped included. */
    heldGpuMilli: Float64Array;
  };
  waiting: Map<string, Waiting>;
  waitingGroups: Map<string, WaitingGroup>;
  /** Nodes on which something became free since the queue was last gone through, with what was free there before. */
  freed: Map<number, FreeResources>;
  /** How often the queue was gone through, and when what is costly is due again. */
  rounds: { count: number; evictAt: number; holdAt: number };
  /** The same nodes with nothing on them, to tell what can never fit; null until it is needed. */
  empty: Packing | null;
  /** Ids that ended, the oldest first. */
  finished: Map<string, true>;
  total: { gpuMilli: number; cpuMilli: number; memoryMib: number };
};

export const createTeam = (spec: TeamSpec): TeamState => ({
  spec,
  usedGpuMilli: 0,
  usedCpuMilli: 0,
  usedMemoryMib: 0,
  fixedGpuMilli: 0,
  committed: { gpuHours: 0, tokens: 0 },
  running: 0,
  waiting: new Set(),
  releases: 0,
});

export function internShape(
  cluster: Cluster,
  member: GangMember,
  request: Pick<PlacementRequest, "kind" | "pools">,
): RequestShape {
  const key = shapeKey(member, request);
  const known = cluster.shapes.get(key);
  if (known) return known;
  if (cluster.shapes.size >= 16_384) cluster.shapes.clear();
  const shape: RequestShape = {
    key,
    cpuMilli: member.cpuMilli,
    memoryMib: member.memoryMib,
    gpus: member.gpus,
    gpuMilli: member.gpuMilli,
    migProfile: member.migProfile ?? null,
    kind: request.kind,
    pools: request.pools ?? null,
    member: { ...member, count: 1 },
    fits: new Int8Array(cluster.packing.types.length),
  };
  cluster.shapes.set(key, shape);
  return shape;
}

/** Whether new work may go to the node at all; nodes that are held for a waiting request count as open. */
export const isSchedulable = (cluster: Cluster, node: number) => {
  const { cordoned, lost } = cluster.nodes[node]!;
  return !cordoned && !lost;
};

/** To be called before something becomes free on the node; `closed`: before that nothing of it could be used. */
export function noteFreed(cluster: Cluster, node: number, closed = false): void {
  if (cluster.freed.has(node)) return;
  const free = copyFree(freeOf(cluster.packing, node));
  cluster.freed.set(node, closed ? { ...free, cpuMilli: 0, memoryMib: 0, codes: new Int16Array(free.to) } : free);
}

export function requireTeam(cluster: Cluster, name: string): TeamState {
  const team = cluster.teams.get(name);
  if (team) return team;
  const known = [...cluster.teams.keys()].slice(0, 10).join(", ");
  throw new SizingError("INVALID_REQUEST", `There is no team ${name}; there are: ${known || "none"}.`, { team: name });
}

export function gpuMilliOf(cluster: Cluster, request: PlacementRequest): number {
  return countGpuMilli(request, (profile) => migShareOf(cluster, profile));
}

function migShareOf(cluster: Cluster, name: string): number {
  for (const type of cluster.packing.types) {
    const profile = type.migProfiles.find((each) => each.name === name);
    if (profile) return profile.computeShare;
  }
  return 0;
}

export function describePlacements(cluster: Cluster, taken: Job["taken"]): MemberPlacement[] {
  return taken.map(({ member, node, gpus }) => ({ member, node: cluster.nodes[node]!.name, gpus }));
}
