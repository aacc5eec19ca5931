import type { Cluster } from "./cluster.ts";
import { countMigInstances, freeGpu } from "./gpu-codes.ts";
import { findMismatch, migShapeOf, type Mismatch, type NodeType, type RequestShape } from "./node-type.ts";
import type { AllowedTypes } from "./slot-costs.ts";

/** Why a node does not take a pod; "fits" where it would take one, though not the whole gang. */
export type NodeReason =
  | Mismatch
  | "lost"
  | "cordoned"
  | "held"
  | "serving-reserve"
  | "gpus-taken"
  | "cpu-taken"
  | "memory-taken"
  | "fits";

export type Shortage = { gpus: number; gpuMilli: number; cpuMilli: number; memoryMib: number };

export type Explanation = {
  /** Nodes by the first reason that rules them out, the commonest first; about the pod that is hardest to place. */
  nodes: { reason: NodeReason; count: number }[];
  /** The node that lacks least, and what would have to become free on it. */
  nearest: { node: string; lacks: Shortage; runs: string[] } | null;
};

/** Counts nodes by why they do not take the shape; the work is in the number of distinct situations, not of nodes. */
export function explainNodes(cluster: Cluster, shape: RequestShape, allowed: AllowedTypes): Explanation {
  const { packing } = cluster;
  const counts = new Map<NodeReason, number>();
  const add = (reason: NodeReason, nodes: number) => counts.set(reason, (counts.get(reason) ?? 0) + nodes);
  const mismatches = packing.types.map((type) => findMismatch(type, shape));
  const reasonOfType = (typeId: number): NodeReason | null =>
    mismatches[typeId] ?? (allowed !== null && allowed[typeId] === 0 ? "serving-reserve" : null);
  let nearest: { node: number; lacks: Shortage; size: number } | null = null;
  for (const slot of packing.live) {
    const nodes = packing.slotNodes[slot]!;
    const node = nodes[0]!;
    const ofType = reasonOfType(packing.nodeType[node]!);
    if (ofType !== null) {
      add(ofType, nodes.length);
      continue;
    }
    const lacks = shortageOn(cluster, node, shape);
    add(reasonOfShortage(lacks), nodes.length);
    const size = sizeOf(lacks, packing.types[packing.nodeType[node]!]!);
    if (nearest === null || size < nearest.size || (size === nearest.size && node < nearest.node))
      nearest = { node, lacks, size };
  }
  cluster.nodes.forEach(({ lost, cordoned }, node) => {
    if (packing.slotOf[node] !== -1) return;
    add(lost ? "lost" : (mismatches[packing.nodeType[node]!] ?? (cordoned ? "cordoned" : "held")), 1);
  });
  return {
    nodes: [...counts].map(([reason, count]) => ({ reason, count })).sort((left, right) => right.count - left.count),
    nearest: nearest && {
      node: cluster.nodes[nearest.node]!.name,
      lacks: nearest.lacks,
      runs: [...cluster.jobsOnNode[nearest.node]!].slice(0, 8).map(({ request }) => request.id),
    },
  };
}

function shortageOn(cluster: Cluster, node: number, shape: RequestShape): Shortage {
  const { packing } = cluster;
  const type = packing.types[packing.nodeType[node]!]!;
  const codes = packing.codes.subarray(node * packing.stride, node * packing.stride + type.gpus);
  const lacks: Shortage = {
    gpus: 0,
    gpuMilli: 0,
    cpuMilli: Math.max(0, shape.cpuMilli - packing.freeCpuMilli[node]!),
    memoryMib: Math.max(0, shape.memoryMib - packing.freeMemoryMib[node]!),
  };
  if (shape.gpus === 0) return lacks;
  if (shape.migProfile !== null) {
    const mig = migShapeOf(type, shape.migProfile)!;
    const free = codes.reduce((sum, code) => sum + countMigInstances(code, mig), 0);
    return { ...lacks, gpus: Math.max(0, shape.gpus - free) };
  }
  if (shape.gpuMilli === freeGpu) {
    const free = codes.reduce((sum, code) => sum + (code === freeGpu ? 1 : 0), 0);
    return { ...lacks, gpus: Math.max(0, shape.gpus - free) };
  }
  const most = codes.reduce((best, code) => (code <= freeGpu ? Math.max(best, code) : best), 0);
  return { ...lacks, gpuMilli: Math.max(0, shape.gpuMilli - most) };
}

function reasonOfShortage(lacks: Shortage): NodeReason {
  if (lacks.gpus > 0 || lacks.gpuMilli > 0) return "gpus-taken";
  if (lacks.cpuMilli > 0) return "cpu-taken";
  return lacks.memoryMib > 0 ? "memory-taken" : "fits";
}

/** What is lacking as a part of the node, to compare nodes. */
function sizeOf(lacks: Shortage, type: NodeType): number {
  return (
    (lacks.gpus + lacks.gpuMilli / 1000) / Math.max(type.gpus, 1) +
    lacks.cpuMilli / Math.max(type.cpuMilli, 1) +
    lacks.memoryMib / Math.max(type.memoryMib, 1)
  );
}

const words: Record<NodeReason, (count: string, shape: RequestShape) => string> = {
  pool: (nodes) => `${nodes} of other pools`,
  "pool-kind": (nodes, { kind }) => `${nodes} of pools that take no ${kind}`,
  "gpu-model": (nodes) => `${nodes} with another GPU model`,
  label: (nodes) => `${nodes} without the labels`,
  "mig-profile": (nodes, { migProfile }) => `${nodes} without the MIG profile ${migProfile}`,
  "gpu-memory": (nodes) => `${nodes} with too little GPU memory`,
  "gpu-count": (nodes) => `${nodes} with too few GPUs`,
  "cpu-total": (nodes) => `${nodes} with too few processors`,
  "memory-total": (nodes) => `${nodes} with too little memory`,
  lost: (nodes) => `${nodes} that no longer answer`,
  cordoned: (nodes) => `${nodes} cordoned`,
  held: (nodes) => `${nodes} kept free for work that has waited long`,
  "serving-reserve": (nodes) => `${nodes} in pools whose rest is reserved for serving`,
  "gpus-taken": (nodes) => `${nodes} whose GPUs are taken`,
  "cpu-taken": (nodes) => `${nodes} whose processors are taken`,
  "memory-taken": (nodes) => `${nodes} whose memory is taken`,
  fits: (nodes) => `${nodes} with room for one pod but not for all`,
};

/** "12 nodes whose GPUs are taken, 3 cordoned" */
export function describeReasons({ nodes }: Explanation, shape: RequestShape): string {
  if (nodes.length === 0) return "the cluster has no nodes";
  return nodes
    .map(({ reason, count }, i) => words[reason](i > 0 ? `${count}` : count === 1 ? "1 node" : `${count} nodes`, shape))
    .join(", ");
}

/** "2 GPUs and 4.0 cores" */
export function describeShortage(lacks: Shortage): string {
  const parts = [
    lacks.gpus > 0 ? `${lacks.gpus} ${lacks.gpus === 1 ? "GPU" : "GPUs"}` : "",
    lacks.gpuMilli > 0 ? `${lacks.gpuMilli / 1000} of a GPU` : "",
    lacks.cpuMilli > 0 ? `${(lacks.cpuMilli / 1000).toFixed(1)} cores` : "",
    lacks.memoryMib > 0 ? `${(lacks.memoryMib / 1024).toFixed(1)} GiB of memory` : "",
  ].filter((part) => part !== "");
  return parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : (parts[0] ?? "nothing");
}

/** "8 GPUs, 88.0 cores, 320.0 GiB of memory" */
export function describeShape(shape: RequestShape): string {
  const gpus =
    shape.migProfile !== null
      ? `${shape.gpus} x ${shape.migProfile}`
      : shape.gpuMilli < freeGpu
        ? `${shape.gpuMilli / 1000} of a GPU`
        : `${shape.gpus} ${shape.gpus === 1 ? "GPU" : "GPUs"}`;
  const models = shape.member.gpuModels?.length ? ` (${shape.member.gpuModels.join(" or ")})` : "";
  const memory = `${(shape.cpuMilli / 1000).toFixed(1)} cores, ${(shape.memoryMib / 1024).toFixed(1)} GiB of memory`;
  return shape.gpus === 0 ? memory : `${gpus}${models}, ${memory}`;
}
