import { addSupply, describeDemand, weighByScarcity } from "./fragmentation.ts";
import { type RequestShape, shapeKey } from "./node-type.ts";
import { type Packing } from "./packing.ts";
import { freeOf } from "./free-resources.ts";

/**
 * What was asked for so far, placed or not, by class: pods that need equal GPUs and whose processors and memory round to
 * the same octaves. That is half the classes of exact counts, and within 0.3% of what they place on gpu-v2023. A class is
 * represented by the shape that holds the majority of its pods (Boyer and Moore's vote).
 */
export type LearnedDemand = { counts: Map<string, LearnedClass>; observed: number };
export type LearnedClass = { shape: RequestShape; count: number; votes: number };

/** Counts are halved after so many pods, so that what is no longer asked for is forgotten. */
const memoryPods = 16_384;
const mostClasses = 2048;
/** How often the weights are looked at again, in pods, and by how much of their sum they must have moved to be replaced. */
const lookEvery = 128;
const replaceAt = 0.1;

/** Counts the pods of a shape and, now and then, weighs the packing's demand anew. */
export function observeShape(packing: Packing, learned: LearnedDemand, shape: RequestShape, pods: number): void {
  countShape(learned, shape, pods);
  const before = learned.observed;
  learned.observed += pods;
  if (
    Math.floor(before / memoryPods) !== Math.floor(learned.observed / memoryPods) ||
    learned.counts.size > mostClasses
  ) {
    for (const [key, entry] of learned.counts) {
      entry.count /= 2;
      entry.votes /= 2;
      if (entry.count < 0.5) learned.counts.delete(key);
    }
  }
  const early = before < lookEvery && 2 ** Math.floor(Math.log2(learned.observed)) > before;
  if (early || Math.floor(before / lookEvery) !== Math.floor(learned.observed / lookEvery))
    refreshDemand(packing, learned);
}

export function countShape({ counts }: LearnedDemand, shape: RequestShape, pods: number): void {
  const key = classKey(shape);
  const known = counts.get(key);
  if (!known) {
    counts.set(key, { shape, count: pods, votes: pods });
    return;
  }
  known.count += pods;
  if (known.shape.key === shape.key) known.votes += pods;
  else if ((known.votes -= pods) < 0) [known.shape, known.votes] = [shape, -known.votes];
}

export function classKey({ member, kind, pools }: RequestShape): string {
  const octave = (value: number) => (value > 0 ? Math.round(Math.log2(value)) : -1);
  const rounded = { ...member, cpuMilli: octave(member.cpuMilli), memoryMib: octave(member.memoryMib) };
  return shapeKey(rounded, { kind, ...(pools ? { pools: [...pools] } : {}) });
}

export function refreshDemand(packing: Packing, learned: LearnedDemand): void {
  const plain = describeDemand([...learned.counts.values()], packing.types, packing.demand.version + 1);
  const supply = new Float64Array(plain.shapes.length);
  for (const slot of packing.live) {
    const nodes = packing.slotNodes[slot]!;
    addSupply(plain, freeOf(packing, nodes[0]!), nodes.length, supply);
  }
  const next = weighByScarcity(plain, supply);
  const before = new Map(packing.demand.shapes.map((shape, i) => [shape.key, packing.demand.weight[i]!]));
  let same = 0;
  next.shapes.forEach((shape, i) => (same += Math.min(before.get(shape.key) ?? 0, next.weight[i]!)));
  if (1 - same > replaceAt) packing.demand = next;
}
