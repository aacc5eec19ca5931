import { takeMig } from "./choose-gpus.ts";
import { valueFreeResources } from "./fragmentation.ts";
import { type FreeResources, freeOf } from "./free-resources.ts";
import { freeGpu } from "./gpu-codes.ts";
import type { RequestShape } from "./node-type.ts";
import type { Packing, ShapeCosts } from "./packing.ts";
import { fitsSlot } from "./room.ts";

/** Node types that a request may use, by their number; null: all that its shapes fit. */
export type AllowedTypes = Uint8Array | null;

/** The open node where the shape costs least, the first of equal ones; -1 where it fits nowhere. */
export function findBestNode(packing: Packing, shape: RequestShape, allowed: AllowedTypes): number {
  let [best, bestCost] = [-1, Infinity];
  const costs = costsOf(packing, shape);
  for (const slot of packing.live) {
    if (!fitsSlot(packing, shape, slot) || (allowed !== null && allowed[packing.slotType[slot]!] === 0)) continue;
    const cost = costIn(packing, shape, slot, costs);
    if (cost === Infinity || cost > bestCost + 1e-9) continue;
    const node = packing.slotNodes[slot]![0]!;
    if (cost < bestCost - 1e-9 || node < best) [best, bestCost] = [node, cost];
  }
  return best;
}

/** The same among some nodes only. */
export function findBestNodeAmong(
  packing: Packing,
  shape: RequestShape,
  allowed: AllowedTypes,
  nodes: readonly number[],
): number {
  let [best, bestCost] = [-1, Infinity];
  const costs = costsOf(packing, shape);
  for (const node of nodes) {
    const slot = packing.slotOf[node]!;
    if (slot === -1 || !fitsSlot(packing, shape, slot)) continue;
    if (allowed !== null && allowed[packing.slotType[slot]!] === 0) continue;
    const cost = costIn(packing, shape, slot, costs);
    if (cost < bestCost - 1e-9 || (cost < bestCost + 1e-9 && node < best)) [best, bestCost] = [node, cost];
  }
  return best;
}

/** What the shape costs in the slot, or Infinity where it does not fit. */
export function costInSlot(packing: Packing, shape: RequestShape, slot: number): number {
  return costIn(packing, shape, slot, costsOf(packing, shape));
}

function costIn(packing: Packing, shape: RequestShape, slot: number, costs: ShapeCosts): number {
  if (costs.stamp[slot] !== packing.slotStamp[slot]) {
    costs.stamp[slot] = packing.slotStamp[slot]!;
    evaluate(packing, shape, slot, costs);
  }
  return costs.cost[slot]!;
}

/** Which free share of a GPU it would take there, after `costInSlot` has said that it fits. */
export function codeInSlot(packing: Packing, shape: RequestShape, slot: number): number {
  costInSlot(packing, shape, slot);
  return packing.costs.get(shape)!.code[slot]!;
}

function costsOf(packing: Packing, shape: RequestShape): ShapeCosts {
  const known = packing.costs.get(shape);
  if (known) {
    if (known.version !== packing.demand.version) {
      known.version = packing.demand.version;
      known.stamp.fill(0);
    }
    return known;
  }
  // The memory of what was looked at longest ago serves the new shape.
  const oldest = packing.costs.size >= packing.costsLimit ? packing.costs.keys().next().value : undefined;
  const size = packing.slotStamp.length;
  const costs = (oldest && packing.costs.get(oldest)) ?? {
    version: 0,
    stamp: new Int32Array(size),
    cost: new Float64Array(size),
    code: new Int16Array(size),
  };
  if (oldest) {
    packing.costs.delete(oldest);
    costs.stamp.fill(0);
  }
  costs.version = packing.demand.version;
  packing.costs.set(shape, costs);
  return costs;
}

const after = new Int16Array(64);

function evaluate(packing: Packing, shape: RequestShape, slot: number, costs: ShapeCosts): void {
  const node = packing.slotNodes[slot]![0]!;
  const typeId = packing.nodeType[node]!;
  const cpuMilli = packing.freeCpuMilli[node]! - shape.cpuMilli;
  const memoryMib = packing.freeMemoryMib[node]! - shape.memoryMib;
  costs.cost[slot] = Infinity;
  if (!fitsSlot(packing, shape, slot)) return;
  const from = node * packing.stride;
  const count = packing.types[typeId]!.gpus;
  const free: FreeResources = { type: typeId, cpuMilli, memoryMib, codes: after, from: 0, to: count };
  for (let i = 0; i < count; i++) after[i] = packing.codes[from + i]!;
  const consider = (code: number) => {
    const cost = valueOfSlot(packing, slot) - valueFreeResources(packing.demand, free);
    if (cost < costs.cost[slot]!) [costs.cost[slot], costs.code[slot]] = [cost, code];
  };
  if (shape.gpus === 0) consider(0);
  else if (shape.migProfile !== null) {
    if (takeMig(after, 0, count, packing.types[typeId]!, shape) !== null) consider(0);
  } else if (shape.gpuMilli === freeGpu) {
    let left = shape.gpus;
    for (let i = 0; i < count && left > 0; i++) if (after[i] === freeGpu) [after[i], left] = [0, left - 1];
    if (left === 0) consider(0);
  } else {
    for (let i = 0; i < count; i++) {
      const code = after[i]!;
      if (code > freeGpu || code < shape.gpuMilli || stoodBefore(after, i, code)) continue;
      after[i] = code - shape.gpuMilli;
      consider(code);
      after[i] = code;
    }
  }
}

function stoodBefore(codes: Int16Array, at: number, code: number): boolean {
  for (let i = 0; i < at; i++) if (codes[i] === code) return true;
  return false;
}

function valueOfSlot(packing: Packing, slot: number): number {
  if (packing.slotValueVersion[slot] !== packing.demand.version) {
    packing.slotValueVersion[slot] = packing.demand.version;
    packing.slotValue[slot] = valueFreeResources(packing.demand, freeOf(packing, packing.slotNodes[slot]![0]!));
  }
  return packing.slotValue[slot]!;
}
