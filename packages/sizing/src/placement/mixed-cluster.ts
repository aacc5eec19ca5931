import type { ClusterInput } from "./cluster-snapshot.ts";

/** A mixed cluster of nodes with different GPUs, rails, a rack-scale NVLink domain, MIG and one pool for CPU work. */
export function mixedCluster(nodes: number, teams: number): ClusterInput {
  const mig = [
    { name: "1g.10gb", memoryGib: 10, computeShare: 1 / 7, perGpu: 7 },
    { name: "2g.20gb", memoryGib: 20, computeShare: 2 / 7, perGpu: 3 },
    { name: "3g.40gb", memoryGib: 40, computeShare: 3 / 7, perGpu: 2 },
  ];
  const specs = Array.from({ length: nodes }, (_, i) => {
    const at = { name: `node-${String(i).padStart(4, "0")}`, railGroup: `rail-${Math.floor(i / 8)}` };
    switch (i % 8) {
      case 0:
      case 1:
      case 2:
      case 3:
        return {
          ...at,
          pool: "training",
          gpuModel: "H100",
          gpus: 8,
          gpuMemoryGib: 79,
          numaNodes: 2,
          cpuMilli: 128_000,
          memoryMib: 1_048_576,
        };
      case 4:
        return {
          ...at,
          pool: "serving",
          gpuModel: "H100",
          gpus: 8,
          gpuMemoryGib: 80,
          migProfiles: mig,
          cpuMilli: 96_000,
          memoryMib: 786_432,
        };
      case 5:
        return {
          ...at,
          pool: "serving",
          gpuModel: "L4",
          gpus: 8,
          gpuMemoryGib: 22,
          nvlinkGpus: 1,
          cpuMilli: 64_000,
          memoryMib: 262_144,
        };
      case 6:
        return {
          ...at,
          pool: "training",
          gpuModel: "A100",
          gpus: 4,
          gpuMemoryGib: 79,
          nvlinkGpus: 2,
          nvlinkDomain: `rack-${Math.floor(i / 32)}`,
          cpuMilli: 64_000,
          memoryMib: 524_288,
        };
      default:
        return { ...at, pool: "cpu", cpuMilli: 64_000, memoryMib: 262_144 };
    }
  });
  const gpus = specs.reduce((sum, spec) => sum + ("gpus" in spec ? spec.gpus : 0), 0);
  const each = Math.floor((gpus * 1000 * 0.9) / teams);
  return {
    nodes: specs,
    pools: [{ name: "serving", servingReserveGpuMilli: 4000 }],
    teams: Array.from({ length: teams }, (_, i) => ({
      name: `team-${i}`,
      nominalGpuMilli: each,
      borrowingLimitGpuMilli: i % 3 === 0 ? 0 : each * 2,
      weight: 1 + (i % 3),
      budgets:
        i % 5 === 0
          ? [{ unit: "gpu-hours" as const, limit: 5000, renewsAtMs: 7 * 24 * 3_600_000, periodMs: 7 * 24 * 3_600_000 }]
          : [],
    })),
    settings: { agingMs: 3_600_000, holdAfterMs: 7_200_000 },
  };
}
