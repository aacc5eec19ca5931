import { findIsland } from "./choose-gpus.ts";
import { freeGpu, freeMilli } from "./gpu-codes.ts";
import type { RequestShape } from "./node-type.ts";
import { closeNode, giveBack, openNode, type Packing, type Taken, takeShape } from "./packing.ts";
import { type AllowedTypes, costInSlot, findBestNode, findBestNodeAmong } from "./slot-costs.ts";
import { type PlacementRequest, type TopologyLevel, topologyLevels } from "./placement-request.ts";
import { countMissing, fitsSlot } from "./room.ts";
import type { Topology } from "./topology.ts";

/** One pod of a gang, to be placed. */
export type Pod = { member: number; shape: RequestShape };
export type Placed = Taken & { member: number };
export type GangPlacement = { taken: Placed[]; level: TopologyLevel };

/** Domains and nodes that are tried at one level before the next wider one: the tightest fits come first. */
const mostTries = 16;

/** The gang's pods, those that are hardest to place first. */
export function listPods(request: PlacementRequest, shapes: readonly RequestShape[]): Pod[] {
  return request.gang
    .map((_, member) => member)
    .sort((left, right) => weightOf(shapes[right]!) - weightOf(shapes[left]!) || left - right)
    .flatMap((member) =>
      Array.from({ length: request.gang[member]!.count }, () => ({ member, shape: shapes[member]! })),
    );
}

const weightOf = (shape: RequestShape) => shape.gpus * shape.gpuMilli * 1e6 + shape.cpuMilli;

/** The levels that a gang may lie at, in the order in which they are tried. */
export function levelsOf(request: PlacementRequest, pods: number): TopologyLevel[] {
  const required = request.topology?.required ?? "any";
  // Replicas of a model gain nothing from lying together; a training job's members talk to each other all the time.
  const preferred = request.topology?.preferred ?? (pods === 1 || request.kind === "serving" ? "any" : "nvlink");
  const widest = topologyLevels.indexOf(required);
  return topologyLevels.slice(Math.min(topologyLevels.indexOf(preferred), widest), widest + 1);
}

/** Takes nodes for every pod, or for none and returns null. The caller gives them back or keeps them. */
export function placeGang(
  packing: Packing,
  topology: Topology,
  request: PlacementRequest,
  pods: readonly Pod[],
  allowed: AllowedTypes,
): GangPlacement | null {
  const apart = request.topology?.apart ?? false;
  const levels = levelsOf(request, pods.length);
  const [single] = pods;
  if (pods.length === 1 && single && levels.includes("any")) {
    const node = findBestNode(packing, single.shape, allowed);
    return node === -1
      ? null
      : { taken: [{ ...takeShape(packing, node, single.shape), member: single.member }], level: "node" };
  }
  // What does not fit anywhere does not fit closer together either.
  const counts = new Map<RequestShape, number>();
  for (const { shape } of pods) counts.set(shape, (counts.get(shape) ?? 0) + 1);
  for (const [shape, count] of counts) if (countMissing(packing, shape, count, allowed, apart) > 0) return null;
  for (const level of levels) {
    const taken = placeAtLevel(packing, topology, pods, allowed, level, levels.at(-1)!, apart);
    if (taken !== null) return { taken, level };
  }
  return null;
}

function placeAtLevel(
  packing: Packing,
  topology: Topology,
  pods: readonly Pod[],
  allowed: AllowedTypes,
  level: TopologyLevel,
  widest: TopologyLevel,
  apart: boolean,
): Placed[] | null {
  switch (level) {
    case "nvlink": {
      const onOne = apart ? null : placeOnOneNode(packing, pods, allowed, true);
      return onOne ?? (widest === "node" ? null : placeInDomains(packing, topology.nvlink, pods, allowed, apart));
    }
    case "node":
      return apart && pods.length > 1 ? null : placeOnOneNode(packing, pods, allowed, false);
    case "rail":
      return placeInDomains(packing, topology.rail, pods, allowed, apart);
    case "pool":
      return placeInDomains(packing, topology.pool, pods, allowed, apart);
    case "any":
      return placeAmong(packing, null, pods, allowed, apart);
  }
}

function placeOnOneNode(
  packing: Packing,
  pods: readonly Pod[],
  allowed: AllowedTypes,
  inIsland: boolean,
): Placed[] | null {
  const need = sumNeeds(pods);
  const candidates: { node: number; spare: number }[] = [];
  for (const slot of packing.live) {
    const typeId = packing.slotType[slot]!;
    if (allowed !== null && allowed[typeId] === 0) continue;
    if (packing.slotCpuMilli[slot]! < need.cpuMilli || packing.slotMemoryMib[slot]! < need.memoryMib) continue;
    if (packing.slotWholeGpus[slot]! < need.wholeGpus || !fitsSlot(packing, pods[0]!.shape, slot)) continue;
    const node = packing.slotNodes[slot]![0]!;
    const type = packing.types[typeId]!;
    const from = node * packing.stride;
    let spare = -need.gpuMilli;
    for (let i = from; i < from + type.gpus; i++) spare += freeMilli(packing.codes[i]!);
    if (spare < 0 && !need.mig) continue;
    if (inIsland && need.wholeGpus > 0 && findIsland(packing.codes, from, type, need.wholeGpus) === -1) continue;
    candidates.push({ node, spare });
  }
  candidates.sort((left, right) => left.spare - right.spare || left.node - right.node);
  for (const { node } of candidates.slice(0, mostTries)) {
    const type = packing.types[packing.nodeType[node]!]!;
    const island =
      inIsland && need.wholeGpus > 0 ? findIsland(packing.codes, node * packing.stride, type, need.wholeGpus) : -1;
    const taken = placeOn(packing, node, pods, island);
    if (taken !== null) return taken;
  }
  return null;
}

/** All pods on that node, or none and null. */
export function placeOn(packing: Packing, node: number, pods: readonly Pod[], island = -1): Placed[] | null {
  const taken: Placed[] = [];
  for (const { member, shape } of pods) {
    const slot = packing.slotOf[node]!;
    if (slot === -1 || costInSlot(packing, shape, slot) === Infinity) return undo(packing, taken);
    taken.push({ ...takeShape(packing, node, shape, island), member });
  }
  return taken;
}

function placeInDomains(
  packing: Packing,
  domains: readonly (readonly number[])[],
  pods: readonly Pod[],
  allowed: AllowedTypes,
  apart: boolean,
): Placed[] | null {
  const need = sumNeeds(pods);
  const fitting = domains
    .map((nodes) => ({
      nodes,
      spare: sumFreeMilli(packing, nodes, need.wholeGpus * freeGpu === need.gpuMilli) - need.gpuMilli,
    }))
    .filter(({ spare }) => spare >= 0 || need.mig)
    .sort((left, right) => left.spare - right.spare || left.nodes[0]! - right.nodes[0]!);
  for (const { nodes } of fitting.slice(0, mostTries)) {
    const taken = placeAmong(packing, nodes, pods, allowed, apart);
    if (taken !== null) return taken;
  }
  return null;
}

function placeAmong(
  packing: Packing,
  nodes: readonly number[] | null,
  pods: readonly Pod[],
  allowed: AllowedTypes,
  apart: boolean,
): Placed[] | null {
  const taken: Placed[] = [];
  let complete = true;
  for (const { member, shape } of pods) {
    const node =
      nodes === null ? findBestNode(packing, shape, allowed) : findBestNodeAmong(packing, shape, allowed, nodes);
    if (node === -1) {
      complete = false;
      break;
    }
    taken.push({ ...takeShape(packing, node, shape), member });
    if (apart) closeNode(packing, node);
  }
  if (apart) for (const { node } of taken) openNode(packing, node);
  return complete ? taken : undo(packing, taken);
}

export function undo(packing: Packing, taken: readonly Taken[]): null {
  for (const each of taken) giveBack(packing, each);
  return null;
}

function sumNeeds(pods: readonly Pod[]) {
  const need = { gpuMilli: 0, wholeGpus: 0, cpuMilli: 0, memoryMib: 0, mig: false };
  for (const { shape } of pods) {
    if (shape.migProfile === null) need.gpuMilli += shape.gpus * shape.gpuMilli;
    else need.mig = true;
    if (shape.migProfile === null && shape.gpuMilli === freeGpu) need.wholeGpus += shape.gpus;
    need.cpuMilli += shape.cpuMilli;
    need.memoryMib += shape.memoryMib;
  }
  return need;
}

function sumFreeMilli(packing: Packing, nodes: readonly number[], wholeOnly: boolean): number {
  let milli = 0;
  for (const node of nodes) {
    if (packing.slotOf[node] === -1) continue;
    const from = node * packing.stride;
    const to = from + packing.types[packing.nodeType[node]!]!.gpus;
    for (let i = from; i < to; i++)
      milli += wholeOnly ? (packing.codes[i] === freeGpu ? freeGpu : 0) : freeMilli(packing.codes[i]!);
  }
  return milli;
}
