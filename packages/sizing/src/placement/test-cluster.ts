import type { ClusterInput } from "./cluster-snapshot.ts";
import type { PlacementRequest } from "./placement-request.ts";

/** For tests: nodes of eight H100 with 128 cores and 1 TiB, named a, b, c, … */
export function h100Nodes(
  count: number,
  overrides: Partial<ClusterInput["nodes"][number]> = {},
): ClusterInput["nodes"] {
  return Array.from({ length: count }, (_, i) => ({
    name: String.fromCharCode(97 + i),
    gpuModel: "H100",
    gpus: 8,
    gpuMemoryGib: 79,
    cpuMilli: 128_000,
    memoryMib: 1_048_576,
    ...overrides,
  }));
}

/** For tests: a training job of one pod with one GPU, unless said otherwise. */
export function ask(
  id: string,
  change: Partial<PlacementRequest> & { gpus?: number; gpuMilli?: number; count?: number } = {},
): PlacementRequest {
  const { gpus = 1, gpuMilli = 1000, count = 1, ...rest } = change;
  return {
    id,
    team: "red",
    kind: "training",
    priority: 0,
    gang: [{ count, gpus, gpuMilli, cpuMilli: 1000 * Math.max(gpus, 1), memoryMib: 1024 }],
    ...rest,
  };
}
