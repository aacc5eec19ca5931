/**
 * The packings that ours is measured against, as strong as Weng et al. ("Beware of Fragmentation", USENIX ATC 2023)
 * describe them; each takes a pod's shares on the fullest GPU that has room. Several readings of one name are all run, and
 * the best of them counts.
 */
import type { NodeSpec } from "@anneal/sizing/placement/cluster-snapshot";
import { gpusOf, type TracePod } from "@anneal/sizing/placement/trace";

type Node = { spec: NodeSpec; cpuMilli: number; memoryMib: number; gpus: Int32Array; freeMilli: number };
/** The lower the better; null takes the first node that fits. */
type Score = ((node: Node, pod: TracePod, most: Most) => number) | null;
/** The largest node in each resource, to bring resources to one scale. */
type Most = { cpuMilli: number; memoryMib: number; gpuMilli: number };

const asks = (pod: TracePod) => pod.gpus * pod.gpuMilli;

const scores: Record<string, Record<string, Score>> = {
  "first-fit": { "in the order of the file": null },
  "best-fit": {
    "least left of processors and GPUs": (node, pod, most) =>
      (node.cpuMilli - pod.cpuMilli) / most.cpuMilli + (node.freeMilli - asks(pod)) / most.gpuMilli,
    "least left of processors, memory and GPUs": (node, pod, most) =>
      (node.cpuMilli - pod.cpuMilli) / most.cpuMilli +
      (node.memoryMib - pod.memoryMib) / most.memoryMib +
      (node.freeMilli - asks(pod)) / most.gpuMilli,
    "least left of GPUs": (node, pod, most) =>
      node.freeMilli - asks(pod) + (node.cpuMilli - pod.cpuMilli) / most.cpuMilli,
    "least left of the node's own": (node, pod) =>
      (node.cpuMilli - pod.cpuMilli) / Math.max(node.spec.cpuMilli, 1) +
      (node.freeMilli - asks(pod)) / Math.max(node.spec.gpus * 1000, 1),
  },
  "dot-product": {
    "smallest, of the largest node": (node, pod, most) =>
      (node.cpuMilli * pod.cpuMilli) / most.cpuMilli ** 2 + (node.freeMilli * asks(pod)) / most.gpuMilli ** 2,
    "smallest, of the node's own": (node, pod) => dotOfOwn(node, pod),
    "largest, of the node's own": (node, pod) => -dotOfOwn(node, pod),
    "largest, of the largest node": (node, pod, most) =>
      -((node.cpuMilli * pod.cpuMilli) / most.cpuMilli ** 2 + (node.freeMilli * asks(pod)) / most.gpuMilli ** 2),
  },
  "gpu-packing": {
    "shared GPUs, then used nodes, then idle nodes": (node, pod) => {
      const shared = node.gpus.some((free) => free < 1000 && free >= pod.gpuMilli);
      if (pod.gpus === 1 && pod.gpuMilli < 1000 && shared) return node.freeMilli / 1e6;
      return (node.freeMilli === node.spec.gpus * 1000 ? 2 : 1) + node.freeMilli / 1e6;
    },
  },
};

function dotOfOwn(node: Node, pod: TracePod): number {
  const cpu = Math.max(node.spec.cpuMilli, 1) ** 2;
  const gpu = Math.max(node.spec.gpus * 1000, 1) ** 2;
  return (node.cpuMilli * pod.cpuMilli) / cpu + (node.freeMilli * asks(pod)) / gpu;
}

/** GPUs that each peer places, by its best reading. */
export function runPeers(nodes: readonly NodeSpec[], pods: readonly TracePod[]): Record<string, number> {
  return Object.fromEntries(
    Object.entries(scores).map(([peer, readings]) => [
      peer,
      Math.max(...Object.values(readings).map((score) => fillWith(score, nodes, pods))),
    ]),
  );
}

function fillWith(score: Score, specs: readonly NodeSpec[], pods: readonly TracePod[]): number {
  const nodes = specs.map((spec) => ({
    spec,
    cpuMilli: spec.cpuMilli,
    memoryMib: spec.memoryMib,
    gpus: new Int32Array(spec.gpus).fill(1000),
    freeMilli: spec.gpus * 1000,
  }));
  const most: Most = {
    cpuMilli: Math.max(...specs.map((spec) => spec.cpuMilli)),
    memoryMib: Math.max(...specs.map((spec) => spec.memoryMib)),
    gpuMilli: Math.max(...specs.map((spec) => spec.gpus)) * 1000,
  };
  let placed = 0;
  for (const pod of pods) {
    let best: Node | null = null;
    let bestScore = Infinity;
    for (const node of nodes) {
      if (!fits(node, pod)) continue;
      const value = score === null ? 0 : score(node, pod, most);
      if (value < bestScore) [best, bestScore] = [node, value];
      if (score === null) break;
    }
    if (best === null) continue;
    take(best, pod);
    placed += gpusOf(pod);
  }
  return placed;
}

function fits(node: Node, pod: TracePod): boolean {
  if (node.cpuMilli < pod.cpuMilli || node.memoryMib < pod.memoryMib || node.freeMilli < asks(pod)) return false;
  if (pod.gpus === 0) return true;
  if (pod.gpuModels.length > 0 && !pod.gpuModels.includes(node.spec.gpuModel ?? "")) return false;
  let fitting = 0;
  for (const free of node.gpus) if (free >= pod.gpuMilli) fitting += 1;
  return fitting >= pod.gpus;
}

function take(node: Node, pod: TracePod): void {
  node.cpuMilli -= pod.cpuMilli;
  node.memoryMib -= pod.memoryMib;
  node.freeMilli -= asks(pod);
  for (let left = pod.gpus; left > 0; left--) {
    let best = -1;
    node.gpus.forEach((free, i) => {
      if (free >= pod.gpuMilli && (best === -1 || free < node.gpus[best]!)) best = i;
    });
    node.gpus[best]! -= pod.gpuMilli;
  }
}
