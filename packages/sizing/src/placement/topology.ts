import type { NodeSpec } from "./cluster-snapshot.ts";

/** Nodes that lie together, as lists of node numbers. */
export type Topology = {
  /** NVLink domains that span nodes. */
  nvlink: readonly (readonly number[])[];
  rail: readonly (readonly number[])[];
  pool: readonly (readonly number[])[];
};

export function describeTopology(nodes: readonly NodeSpec[]): Topology {
  const groupBy = (nameOf: (node: NodeSpec) => string | null) => {
    const groups = new Map<string, number[]>();
    nodes.forEach((node, i) => {
      const name = nameOf(node);
      if (name === null) return;
      const group = groups.get(name);
      if (group) group.push(i);
      else groups.set(name, [i]);
    });
    return [...groups.values()];
  };
  return {
    nvlink: groupBy((node) => node.nvlinkDomain),
    rail: groupBy((node) => node.railGroup),
    pool: groupBy((node) => node.pool),
  };
}
