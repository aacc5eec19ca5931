import { type FreeResources, freeOf } from "./free-resources.ts";
import { countMigInstances, freeGpu, freeMilli } from "./gpu-codes.ts";
import { fitsType, migShapeOf, type RequestShape } from "./node-type.ts";
import type { Packing } from "./packing.ts";
import type { PlacementRequest } from "./placement-request.ts";
import type { AllowedTypes } from "./slot-costs.ts";

/** How many pods of the shape a node's free resources hold, whether or not it takes new work. */
export function countRoom(packing: Packing, shape: RequestShape, node: number): number {
  return countRoomIn(packing, shape, freeOf(packing, node));
}

export function countRoomIn({ types }: Packing, shape: RequestShape, free: FreeResources): number {
  const type = types[free.type]!;
  const { codes, from, to } = free;
  if (!fitsType(type, shape)) return 0;
  let pods = Infinity;
  if (shape.cpuMilli > 0) pods = Math.floor(free.cpuMilli / shape.cpuMilli);
  if (shape.memoryMib > 0) pods = Math.min(pods, Math.floor(free.memoryMib / shape.memoryMib));
  if (pods <= 0 || shape.gpus === 0) return pods;
  let units = 0;
  if (shape.migProfile !== null) {
    const mig = migShapeOf(type, shape.migProfile)!;
    for (let i = from; i < to; i++) units += countMigInstances(codes[i]!, mig);
  } else if (shape.gpuMilli < freeGpu) {
    for (let i = from; i < to; i++) units += Math.floor(freeMilli(codes[i]!) / shape.gpuMilli);
  } else {
    for (let i = from; i < to; i++) if (codes[i] === freeGpu) units += 1;
  }
  return Math.min(pods, Math.floor(units / shape.gpus));
}

/** Whether one pod of the shape fits the slot's nodes. */
export function fitsSlot(packing: Packing, shape: RequestShape, slot: number): boolean {
  if (packing.slotCpuMilli[slot]! < shape.cpuMilli || packing.slotMemoryMib[slot]! < shape.memoryMib) return false;
  if (shape.migProfile !== null) return countRoom(packing, shape, packing.slotNodes[slot]![0]!) > 0;
  if (
    shape.gpuMilli === freeGpu
      ? packing.slotWholeGpus[slot]! < shape.gpus
      : packing.slotLargestShare[slot]! < shape.gpuMilli
  )
    return false;
  return fitsType(packing.types[packing.slotType[slot]!]!, shape);
}

/** How many of so many pods of the shape open nodes do not hold, nothing else considered; 0: there may be room. */
export function countMissing(
  packing: Packing,
  shape: RequestShape,
  pods: number,
  allowed: AllowedTypes,
  apart: boolean,
): number {
  let missing = pods;
  for (const slot of packing.live) {
    if (!fitsSlot(packing, shape, slot) || (allowed !== null && allowed[packing.slotType[slot]!] === 0)) continue;
    const nodes = packing.slotNodes[slot]!;
    const room = apart ? 1 : countRoom(packing, shape, nodes[0]!);
    missing -= room * nodes.length;
    if (missing <= 0) return 0;
  }
  return missing;
}

/** The pods of a gang by shape: members that differ in nothing count together. */
export function countByShape(request: PlacementRequest, shapes: readonly RequestShape[]): Map<RequestShape, number> {
  const counts = new Map<RequestShape, number>();
  shapes.forEach((shape, i) => counts.set(shape, (counts.get(shape) ?? 0) + request.gang[i]!.count));
  return counts;
}
