import type { FreeResources } from "./free-resources.ts";
import { countMigInstances, freeGpu, freeMilli, type MigShape } from "./gpu-codes.ts";
import { fitsType, migShapeOf, type NodeType, type RequestShape } from "./node-type.ts";

/**
 * How much a node's leftovers are worth to the work that usually comes.
 *
 * Fragmentation gradient descent (Weng et al., "Beware of Fragmentation", USENIX ATC 2023) puts a pod where the free GPUs
 * that typical pods cannot use grow least: it asks whether a node still takes one more pod of a class. Here a node is
 * worth, for each class, the GPUs that it could give to that class alone, limited by its processors and memory too; so a
 * node whose processors will run out long before its GPUs shows it from its first pod on, not with the last one. The
 * power of 3/4 makes the last GPUs that a node could give count more than the first ones. A class weighs by how often it
 * was asked for and against what the cluster still holds for it, which spares GPU models and whole nodes that become
 * scarce (the gradient of a concave utility of the supply). Both exponents were chosen on the default pods of gpu-v2023
 * and on variants derived from them, out of 0.5-1 and 1-2; none of these differs by more than 2% in what is placed.
 */
export type TypicalDemand = {
  /** Increases with each change; values of other versions are stale. */
  version: number;
  shapes: readonly RequestShape[];
  /** Of each class; the sum is 1. */
  weight: Float64Array;
  types: readonly NodeType[];
  /** What matters for a node type, worked out when it is first asked for. */
  byType: (TypeDemand | undefined)[];
};

/** The classes that a node type can host; those of equal GPU needs together, so that GPUs are counted once for all. */
type TypeDemand = {
  groups: { from: number; to: number; gpus: number; gpuMilli: number; mig: MigShape | null }[];
  /** Their positions in `shapes`. */
  position: Int32Array;
  perCpuMilli: Float64Array;
  perMemoryMib: Float64Array;
  /** Thousandths of GPUs of one pod. */
  unitMilli: Float64Array;
  /** Weight times the unit to the power of 3/4. */
  gain: Float64Array;
};

/** Classes that are followed, the most frequent ones. With constraints on GPU models 128 lost 4% of what 256 placed. */
const followedClasses = 256;

export function describeDemand(
  counts: readonly { shape: RequestShape; count: number }[],
  types: readonly NodeType[],
  version: number,
): TypicalDemand {
  const followed = counts
    .filter(({ shape, count }) => shape.gpus > 0 && count > 0)
    .sort((left, right) => right.count - left.count || (left.shape.key < right.shape.key ? -1 : 1))
    .slice(0, followedClasses)
    .sort((left, right) => compareGpus(left.shape, right.shape) || (left.shape.key < right.shape.key ? -1 : 1));
  const total = followed.reduce((sum, { count }) => sum + count, 0);
  return {
    version,
    shapes: followed.map(({ shape }) => shape),
    weight: Float64Array.from(followed, ({ count }) => count / total),
    types,
    byType: [],
  };
}

function demandOf(demand: TypicalDemand, typeId: number): TypeDemand {
  const known = demand.byType[typeId];
  if (known) return known;
  const type = demand.types[typeId]!;
  const position = Int32Array.from(
    demand.shapes.flatMap((shape, i) => (fitsType(type, shape) && demand.weight[i]! > 0 ? [i] : [])),
  );
  const groups: TypeDemand["groups"] = [];
  position.forEach((at, i) => {
    const shape = demand.shapes[at]!;
    const last = groups.at(-1);
    if (last && compareGpus(demand.shapes[position[last.from]!]!, shape) === 0) last.to = i + 1;
    else {
      const mig = shape.migProfile === null ? null : migShapeOf(type, shape.migProfile);
      groups.push({ from: i, to: i + 1, gpus: shape.gpus, gpuMilli: shape.gpuMilli, mig });
    }
  });
  const column = (of: (shape: RequestShape, at: number) => number) =>
    Float64Array.from(position, (at) => of(demand.shapes[at]!, at));
  return (demand.byType[typeId] = {
    groups,
    position,
    perCpuMilli: column(({ cpuMilli }) => 1 / Math.max(cpuMilli, 1e-6)),
    perMemoryMib: column(({ memoryMib }) => 1 / Math.max(memoryMib, 1e-6)),
    unitMilli: column(unitMilli),
    gain: column((shape, at) => demand.weight[at]! * unitMilli(shape) ** 0.75),
  });
}

function compareGpus(left: RequestShape, right: RequestShape): number {
  const profiles = [left.migProfile ?? "", right.migProfile ?? ""] as const;
  if (profiles[0] !== profiles[1]) return profiles[0] < profiles[1] ? -1 : 1;
  return left.gpus - right.gpus || left.gpuMilli - right.gpuMilli;
}

function unitMilli(shape: RequestShape): number {
  return shape.gpus * (shape.migProfile === null ? shape.gpuMilli : 1000 / 7);
}

/** Thousandths of GPUs that the node could give to each class alone, added to `supply`, multiplied by `times`. */
export function addSupply(demand: TypicalDemand, free: FreeResources, times: number, supply: Float64Array): void {
  const { groups, position, perCpuMilli, perMemoryMib, unitMilli: units } = demandOf(demand, free.type);
  for (const group of groups) {
    const byGpus = countByGpus(group, free);
    if (byGpus === 0) continue;
    for (let i = group.from; i < group.to; i++) {
      const pods = Math.min(byGpus, free.cpuMilli * perCpuMilli[i]!, free.memoryMib * perMemoryMib[i]!);
      supply[position[i]!]! += pods * units[i]! * times;
    }
  }
}

/** What the node's free resources are worth; a placement costs the difference that it makes. */
export function valueFreeResources(demand: TypicalDemand, free: FreeResources): number {
  const { groups, perCpuMilli, perMemoryMib, gain } = demandOf(demand, free.type);
  const { cpuMilli, memoryMib } = free;
  let value = 0;
  for (const group of groups) {
    const byGpus = countByGpus(group, free);
    if (byGpus === 0) continue;
    const { to } = group;
    for (let i = group.from; i < to; i++) {
      let pods = byGpus;
      const byCpu = cpuMilli * perCpuMilli[i]!;
      const byMemory = memoryMib * perMemoryMib[i]!;
      if (byCpu < pods) pods = byCpu;
      if (byMemory < pods) pods = byMemory;
      value += gain[i]! * Math.sqrt(pods * Math.sqrt(pods));
    }
  }
  return value;
}

function countByGpus(
  { gpus, gpuMilli, mig }: TypeDemand["groups"][number],
  { codes, from, to }: FreeResources,
): number {
  let fitting = 0;
  if (mig !== null) {
    for (let i = from; i < to; i++) fitting += countMigInstances(codes[i]!, mig);
  } else if (gpuMilli < freeGpu) {
    for (let i = from; i < to; i++) fitting += Math.floor(freeMilli(codes[i]!) / gpuMilli);
    return fitting;
  } else {
    for (let i = from; i < to; i++) if (codes[i] === freeGpu) fitting += 1;
  }
  return gpus === 1 ? fitting : Math.floor(fitting / gpus);
}

/** The same demand, each class weighed by its share over (what the cluster still holds for it) to the power of 3/2. */
export function weighByScarcity(demand: TypicalDemand, supply: Float64Array): TypicalDemand {
  const weight = demand.weight.map((share, i) => (supply[i]! > 0 ? share / (supply[i]! * Math.sqrt(supply[i]!)) : 0));
  const total = weight.reduce((sum, each) => sum + each, 0);
  return total > 0 ? { ...demand, weight: weight.map((each) => each / total), byType: [] } : demand;
}
