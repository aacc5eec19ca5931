import type { MemberPlacement } from "./cluster-snapshot.ts";
import { chooseWholeGpus, takeMig } from "./choose-gpus.ts";
import type { TypicalDemand } from "./fragmentation.ts";
import { freeGpu, freeMilli, returnMigSlice, takeMigSlice } from "./gpu-codes.ts";
import { migShapeOf, type NodeType, type RequestShape } from "./node-type.ts";
import { codeInSlot } from "./slot-costs.ts";

/**
 * The nodes by what is free on them. Nodes of one type with equally much free share a slot, so a decision looks at
 * distinct situations rather than at nodes, and what a shape would cost in a slot is computed once.
 */
export type Packing = {
  types: NodeType[];
  stride: number;
  nodeType: Int32Array;
  freeCpuMilli: Float64Array;
  freeMemoryMib: Float64Array;
  /** `stride` for each node, in the order of its GPUs. */
  codes: Int16Array;
  /** The node's slot, or -1 while it takes no new work. */
  slotOf: Int32Array;
  slots: Map<string, number>;
  slotKey: string[];
  /** Nodes of each slot, ascending. */
  slotNodes: number[][];
  /** What is free on each of its nodes, for looking at many slots quickly. */
  slotType: Int32Array;
  slotCpuMilli: Float64Array;
  slotMemoryMib: Float64Array;
  slotWholeGpus: Int16Array;
  slotLargestShare: Int16Array;
  /** Changes whenever the slot starts to mean something else. */
  slotStamp: Int32Array;
  slotValue: Float64Array;
  slotValueVersion: Int32Array;
  /** The slots in use, in no order. */
  live: number[];
  livePosition: Int32Array;
  unused: number[];
  stamps: number;
  demand: TypicalDemand;
  costs: Map<RequestShape, ShapeCosts>;
  costsLimit: number;
};

/** What placing a shape costs, by slot; valid where the stamp is the slot's. */
export type ShapeCosts = { version: number; stamp: Int32Array; cost: Float64Array; code: Int16Array };

/** For undoing: what was taken of a node. */
export type Taken = { node: number; shape: RequestShape; gpus: MemberPlacement["gpus"] };

const costBytesLimit = 48 * 2 ** 20;

export function createPacking(types: NodeType[], nodeTypes: readonly number[], demand: TypicalDemand): Packing {
  const nodes = nodeTypes.length;
  const stride = Math.max(1, ...types.map((type) => type.gpus));
  const packing: Packing = {
    types,
    stride,
    nodeType: Int32Array.from(nodeTypes),
    freeCpuMilli: Float64Array.from(nodeTypes, (type) => types[type]!.cpuMilli),
    freeMemoryMib: Float64Array.from(nodeTypes, (type) => types[type]!.memoryMib),
    codes: new Int16Array(nodes * stride),
    slotOf: new Int32Array(nodes).fill(-1),
    slots: new Map(),
    slotKey: [],
    slotNodes: [],
    slotType: new Int32Array(nodes + 1),
    slotCpuMilli: new Float64Array(nodes + 1),
    slotMemoryMib: new Float64Array(nodes + 1),
    slotWholeGpus: new Int16Array(nodes + 1),
    slotLargestShare: new Int16Array(nodes + 1),
    slotStamp: new Int32Array(nodes + 1),
    slotValue: new Float64Array(nodes + 1),
    slotValueVersion: new Int32Array(nodes + 1).fill(-1),
    live: [],
    livePosition: new Int32Array(nodes + 1),
    unused: Array.from({ length: nodes + 1 }, (_, i) => nodes - i),
    stamps: 1,
    demand,
    costs: new Map(),
    costsLimit: Math.max(16, Math.min(512, Math.floor(costBytesLimit / (15 * (nodes + 1))))),
  };
  for (let node = 0; node < nodes; node++) {
    packing.codes.fill(freeGpu, node * stride, node * stride + types[nodeTypes[node]!]!.gpus);
    openNode(packing, node);
  }
  return packing;
}

const scratch = new Int16Array(64);

function sortedCodes(packing: Packing, node: number): Int16Array {
  const from = node * packing.stride;
  const count = packing.types[packing.nodeType[node]!]!.gpus;
  const codes = scratch.subarray(0, count);
  for (let i = 0; i < count; i++) codes[i] = packing.codes[from + i]!;
  return count > 1 ? codes.sort() : codes;
}

export function openNode(packing: Packing, node: number): void {
  if (packing.slotOf[node] !== -1) return;
  const key = `${packing.nodeType[node]},${packing.freeCpuMilli[node]},${packing.freeMemoryMib[node]},${sortedCodes(packing, node).join()}`;
  let slot = packing.slots.get(key);
  if (slot === undefined) {
    slot = packing.unused.pop()!;
    packing.slots.set(key, slot);
    packing.slotKey[slot] = key;
    packing.slotNodes[slot] = [];
    describeSlot(packing, slot, node);
    packing.slotStamp[slot] = packing.stamps++;
    packing.slotValueVersion[slot] = -1;
    packing.livePosition[slot] = packing.live.push(slot) - 1;
  }
  const nodes = packing.slotNodes[slot]!;
  nodes.splice(lowerBound(nodes, node), 0, node);
  packing.slotOf[node] = slot;
}

function describeSlot(packing: Packing, slot: number, node: number): void {
  packing.slotType[slot] = packing.nodeType[node]!;
  packing.slotCpuMilli[slot] = packing.freeCpuMilli[node]!;
  packing.slotMemoryMib[slot] = packing.freeMemoryMib[node]!;
  const from = node * packing.stride;
  let whole = 0;
  let largest = 0;
  for (let i = from; i < from + packing.types[packing.nodeType[node]!]!.gpus; i++) {
    const share = freeMilli(packing.codes[i]!);
    if (share === freeGpu) whole += 1;
    if (share > largest) largest = share;
  }
  packing.slotWholeGpus[slot] = whole;
  packing.slotLargestShare[slot] = largest;
}

export function closeNode(packing: Packing, node: number): void {
  const slot = packing.slotOf[node]!;
  if (slot === -1) return;
  const nodes = packing.slotNodes[slot]!;
  nodes.splice(lowerBound(nodes, node), 1);
  packing.slotOf[node] = -1;
  if (nodes.length > 0) return;
  packing.slots.delete(packing.slotKey[slot]!);
  packing.unused.push(slot);
  const last = packing.live.pop()!;
  if (last !== slot) {
    packing.live[packing.livePosition[slot]!] = last;
    packing.livePosition[last] = packing.livePosition[slot]!;
  }
}

function lowerBound(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Books the shape on an open node where it fits. `island`: the first GPU of the NVLink island that it must stay within. */
export function takeShape(packing: Packing, node: number, shape: RequestShape, island = -1): Taken {
  const type = packing.types[packing.nodeType[node]!]!;
  const from = node * packing.stride;
  const slot = packing.slotOf[node]!;
  const gpus: MemberPlacement["gpus"] = [];
  if (shape.migProfile !== null) {
    const share = type.migProfiles.find((each) => each.name === shape.migProfile)!.computeShare;
    for (const { at, start } of takeMig(packing.codes, from, from + type.gpus, type, shape) ?? [])
      gpus.push({ index: at - from, milli: Math.ceil(share * 1000), slice: start });
  } else if (shape.gpus > 0 && shape.gpuMilli < freeGpu) {
    const code = codeInSlot(packing, shape, slot);
    const index = packing.codes.subarray(from, from + type.gpus).indexOf(code);
    packing.codes[from + index]! -= shape.gpuMilli;
    gpus.push({ index, milli: shape.gpuMilli });
  } else if (shape.gpus > 0) {
    for (const index of chooseWholeGpus(packing.codes, from, type, shape.gpus, island)) {
      packing.codes[from + index] = 0;
      gpus.push({ index, milli: freeGpu });
    }
  }
  changeFree(packing, node, -shape.cpuMilli, -shape.memoryMib);
  return { node, shape, gpus };
}

/** Marks GPUs as taken that were chosen before (a booking read back); the caller has checked that they are free. */
export function retake(packing: Packing, { node, shape, gpus }: Taken): void {
  const type = packing.types[packing.nodeType[node]!]!;
  const mig = shape.migProfile === null ? null : migShapeOf(type, shape.migProfile);
  for (const { index, milli, slice } of gpus) {
    const at = node * packing.stride + index;
    packing.codes[at] = mig ? takeMigSlice(packing.codes[at]!, slice ?? 0, mig.size) : packing.codes[at]! - milli;
  }
  changeFree(packing, node, -shape.cpuMilli, -shape.memoryMib);
}

export function giveBack(packing: Packing, { node, shape, gpus }: Taken): void {
  const type = packing.types[packing.nodeType[node]!]!;
  const mig = shape.migProfile === null ? null : migShapeOf(type, shape.migProfile);
  for (const { index, milli, slice } of gpus) {
    const at = node * packing.stride + index;
    packing.codes[at] = mig ? returnMigSlice(packing.codes[at]!, slice ?? 0, mig.size) : packing.codes[at]! + milli;
  }
  changeFree(packing, node, shape.cpuMilli, shape.memoryMib);
}

function changeFree(packing: Packing, node: number, cpuMilli: number, memoryMib: number): void {
  const open = packing.slotOf[node] !== -1;
  if (open) closeNode(packing, node);
  packing.freeCpuMilli[node]! += cpuMilli;
  packing.freeMemoryMib[node]! += memoryMib;
  if (open) openNode(packing, node);
}
