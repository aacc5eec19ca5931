import type { MigProfile, NodeSpec, PoolSpec } from "./cluster-snapshot.ts";
import { describeMigProfile, type MigShape } from "./gpu-codes.ts";
import type { GangMember, PlacementRequest, WorkKind } from "./placement-request.ts";

/** What decides whether a node may host a member at all, whatever is free on it; nodes of one type share it. */
export type NodeType = {
  id: number;
  key: string;
  pool: string;
  kinds: readonly WorkKind[];
  gpuModel: string | null;
  gpus: number;
  gpuMemoryGib: number;
  nvlinkGpus: number;
  numaNodes: number;
  migProfiles: readonly MigProfile[];
  labels: Readonly<Record<string, string>>;
  cpuMilli: number;
  memoryMib: number;
};

export function describeNodeType(node: NodeSpec, pool: PoolSpec | undefined, id: number): NodeType {
  const type = {
    pool: node.pool,
    kinds: pool?.kinds ?? (["serving", "training", "batch"] as const),
    gpuModel: node.gpuModel,
    gpus: node.gpus,
    gpuMemoryGib: node.gpuMemoryGib,
    nvlinkGpus: Math.min(node.nvlinkGpus ?? node.gpus, node.gpus),
    numaNodes: node.numaNodes,
    migProfiles: node.migProfiles,
    labels: node.labels,
    cpuMilli: node.cpuMilli,
    memoryMib: node.memoryMib,
  };
  return { ...type, id, key: JSON.stringify(type) };
}

/** What one member needs, with where it may go: members that differ in nothing share one shape. */
export type RequestShape = {
  key: string;
  cpuMilli: number;
  memoryMib: number;
  gpus: number;
  gpuMilli: number;
  migProfile: string | null;
  kind: WorkKind;
  pools: readonly string[] | null;
  member: GangMember;
  /** By node type, filled when first asked for: 1 where an empty node of it could host the shape, -1 where not. */
  fits: Int8Array;
};

export function shapeKey(member: GangMember, request: Pick<PlacementRequest, "kind" | "pools">): string {
  return `${member.cpuMilli}|${member.memoryMib}|${member.gpus}|${member.gpuMilli}|${member.migProfile ?? ""}|${
    member.gpuMemoryGib ?? 0
  }|${request.kind}|${member.gpuModels?.join("+") ?? ""}|${request.pools?.join("+") ?? ""}|${
    member.labels === undefined ? "" : JSON.stringify(member.labels)
  }`;
}

/** Whether an empty node of the type could host the shape. */
export function fitsType(type: NodeType, shape: RequestShape): boolean {
  const known = shape.fits[type.id]!;
  if (known !== 0) return known === 1;
  const fits = findMismatch(type, shape) === null;
  shape.fits[type.id] = fits ? 1 : -1;
  return fits;
}

/** Why a node of this type can never host the shape; null where it can when empty. */
export function findMismatch(type: NodeType, shape: RequestShape): Mismatch | null {
  const { member } = shape;
  if (shape.pools !== null && !shape.pools.includes(type.pool)) return "pool";
  if (!type.kinds.includes(shape.kind)) return "pool-kind";
  if (member.gpuModels && member.gpuModels.length > 0 && !member.gpuModels.includes(type.gpuModel ?? ""))
    return "gpu-model";
  for (const [label, value] of Object.entries(member.labels ?? {})) if (type.labels[label] !== value) return "label";
  if (shape.migProfile !== null) {
    const profile = type.migProfiles.find((each) => each.name === shape.migProfile);
    if (!profile) return "mig-profile";
    if (profile.memoryGib < (member.gpuMemoryGib ?? 0)) return "gpu-memory";
    if (profile.perGpu * type.gpus < shape.gpus) return "gpu-count";
  } else if (shape.gpus > 0) {
    if (type.gpus < shape.gpus) return "gpu-count";
    if ((type.gpuMemoryGib * shape.gpuMilli) / 1000 < (member.gpuMemoryGib ?? 0)) return "gpu-memory";
  }
  if (type.cpuMilli < shape.cpuMilli) return "cpu-total";
  return type.memoryMib < shape.memoryMib ? "memory-total" : null;
}

export type Mismatch =
  | "pool"
  | "pool-kind"
  | "gpu-model"
  | "label"
  | "mig-profile"
  | "gpu-memory"
  | "gpu-count"
  | "cpu-total"
  | "memory-total";

export function migShapeOf(type: NodeType, profileName: string): MigShape | null {
  const profile = type.migProfiles.find((each) => each.name === profileName);
  return profile ? describeMigProfile(profile, type.gpuMemoryGib) : null;
}
