import type { Packing } from "./packing.ts";

/** What is free on one node; `codes` from `from` to `to` are its GPUs. */
export type FreeResources = {
  /** Number of the node's type. */
  type: number;
  cpuMilli: number;
  memoryMib: number;
  codes: Int16Array;
  from: number;
  to: number;
};

/** The node's free resources now; the codes are the packing's own, so that they change with it. */
export function freeOf(packing: Packing, node: number): FreeResources {
  const from = node * packing.stride;
  return {
    type: packing.nodeType[node]!,
    cpuMilli: packing.freeCpuMilli[node]!,
    memoryMib: packing.freeMemoryMib[node]!,
    codes: packing.codes,
    from,
    to: from + packing.types[packing.nodeType[node]!]!.gpus,
  };
}

export function copyFree(free: FreeResources): FreeResources {
  return { ...free, codes: free.codes.slice(free.from, free.to), from: 0, to: free.to - free.from };
}
