import type { Cluster } from "./cluster.ts";
import { closeNode, createPacking, type Packing } from "./packing.ts";
import { type AllowedTypes } from "./slot-costs.ts";
import { placeGang, type Pod, undo } from "./place-gang.ts";
import type { PlacementRequest } from "./placement-request.ts";

/** Whether the gang would fit if nothing else ran; lost nodes do not count, cordoned ones do. */
export function fitsEmptyCluster(cluster: Cluster, request: PlacementRequest, pods: readonly Pod[]): boolean {
  const packing = (cluster.empty ??= emptyPacking(cluster));
  packing.demand = cluster.packing.demand;
  const placed = placeGang(packing, cluster.topology, request, pods, typesOutsideReserve(cluster, request, pods));
  if (placed === null) return false;
  undo(packing, placed.taken);
  return true;
}

export function emptyPacking(cluster: Cluster): Packing {
  const { types, nodeType, demand } = cluster.packing;
  const packing = createPacking(types, [...nodeType], demand);
  cluster.nodes.forEach(({ lost }, node) => {
    if (lost) closeNode(packing, node);
  });
  return packing;
}

function typesOutsideReserve(cluster: Cluster, request: PlacementRequest, pods: readonly Pod[]): AllowedTypes {
  if (request.kind === "serving") return null;
  const need = pods.reduce((sum, { shape }) => sum + (shape.migProfile === null ? shape.gpus * shape.gpuMilli : 0), 0);
  const enough = (name: string) => {
    const pool = cluster.pools.get(name)!;
    return need === 0 || pool.gpuMilli - pool.spec.servingReserveGpuMilli >= need;
  };
  return Uint8Array.from(cluster.packing.types, ({ pool }) => (enough(pool) ? 1 : 0));
}
