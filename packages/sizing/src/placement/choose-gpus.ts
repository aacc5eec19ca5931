import { chooseMigSlice, freeGpu, returnMigSlice, takeMigSlice } from "./gpu-codes.ts";
import { migShapeOf, type NodeType, type RequestShape } from "./node-type.ts";

/**
 * Which free GPUs of a node a member takes: all in one NVLink island or NUMA node if one has enough of them (the one that
 * it leaves the fewest in), otherwise in as few as possible. Returns their numbers within the node.
 */
export function chooseWholeGpus(
  codes: Int16Array,
  from: number,
  type: NodeType,
  count: number,
  onlyIsland: number,
): number[] {
  const size = islandSize(type);
  const islands: { start: number; free: number[] }[] = [];
  for (let start = 0; start < type.gpus; start += size) {
    if (onlyIsland !== -1 && (start < onlyIsland || start >= onlyIsland + type.nvlinkGpus)) continue;
    const free: number[] = [];
    for (let i = start; i < Math.min(start + size, type.gpus); i++) if (codes[from + i] === freeGpu) free.push(i);
    if (free.length > 0) islands.push({ start, free });
  }
  const enough = islands.filter(({ free }) => free.length >= count);
  if (enough.length > 0) {
    return enough.reduce((best, each) => (each.free.length < best.free.length ? each : best)).free.slice(0, count);
  }
  islands.sort((left, right) => right.free.length - left.free.length || left.start - right.start);
  return islands.flatMap(({ free }) => free).slice(0, count);
}

/** GPUs that lie closest together: an NVLink island where NVLink does not span the node, otherwise a NUMA node. */
const islandSize = (type: NodeType) =>
  type.nvlinkGpus < type.gpus ? Math.max(1, type.nvlinkGpus) : Math.max(1, Math.ceil(type.gpus / type.numaNodes));

/** The NVLink island of the node that has room for `count` whole GPUs and fewest to spare; -1 where none has. */
export function findIsland(codes: Int16Array, from: number, type: NodeType, count: number): number {
  let [best, bestFree] = [-1, Infinity];
  for (let start = 0; start < type.gpus; start += type.nvlinkGpus) {
    let free = 0;
    for (let i = start; i < Math.min(start + type.nvlinkGpus, type.gpus); i++)
      if (codes[from + i] === freeGpu) free += 1;
    if (free >= count && free < bestFree) [best, bestFree] = [start, free];
  }
  return best;
}

/** Takes the instances and says where, or leaves the codes as they were and returns null. */
export function takeMig(codes: Int16Array, from: number, to: number, type: NodeType, shape: RequestShape) {
  const mig = migShapeOf(type, shape.migProfile!);
  const taken: { at: number; start: number }[] = [];
  while (mig && taken.length < shape.gpus) {
    const next = chooseMigSlice(codes, from, to, mig);
    if (next === null) break;
    codes[next.at] = takeMigSlice(codes[next.at]!, next.start, mig.size);
    taken.push(next);
  }
  if (mig && taken.length === shape.gpus) return taken;
  for (const { at, start } of taken) codes[at] = returnMigSlice(codes[at]!, start, mig!.size);
  return null;
}
