import { AnnealError } from "@anneal/core/errors";
import type { Capacity, DiscoveredNode, GpuPool } from "./cluster-driver.ts";
import type { GangMember, Replica } from "./workload.ts";

export type Shortfall = { replica: number; member: number; node: string; reason: string };

/**
 * Which members cannot be bound to the nodes that were chosen for them, in the order of the replicas; none when all fit
 * together. The nodes' `heldByUs` must not count the replicas that are asked about.
 */
export function findShortfalls(nodes: readonly DiscoveredNode[], replicas: readonly Replica[]): Shortfall[] {
  const taken = new Map<string, Taken>();
  return replicas.flatMap((replica) =>
    replica.gang.flatMap((member, position) => {
      const reason = bind(nodes, member, taken);
      return reason === null ? [] : [{ replica: replica.index, member: position, node: member.node, reason }];
    }),
  );
}

/** @throws AnnealError ADMISSION_REFUSED, retryable */
export function requireFit(workloadId: string, nodes: readonly DiscoveredNode[], replicas: readonly Replica[]): void {
  const shortfalls = findShortfalls(nodes, replicas);
  if (shortfalls.length > 0) throw refusal(workloadId, shortfalls);
}

export function refusal(workloadId: string, shortfalls: readonly Shortfall[]): AnnealError {
  const [first] = shortfalls;
  const more = shortfalls.length > 1 ? ` (and ${shortfalls.length - 1} more)` : "";
  return new AnnealError(
    "ADMISSION_REFUSED",
    `"${workloadId}" was not started: member ${first?.member} of replica ${first?.replica} cannot run on "${first?.node}": ${first?.reason}${more}.`,
    {
      action: "Place it on nodes with enough left, or try again when they have been freed; nothing of it runs.",
      details: { workloadId, shortfalls },
      retryable: true,
    },
  );
}

/** The pool that a member takes its GPUs from, if the node has one. */
export function findPool(node: DiscoveredNode, member: GangMember): GpuPool | undefined {
  return node.gpus.find((pool) => pool.vendor === member.gpuVendor && pool.migProfile === (member.migProfile ?? null));
}

type Taken = { cpuMilli: number; memoryBytes: number; gpus: Map<string, number> };

/** Takes what the member needs, or says why that is not possible. */
function bind(nodes: readonly DiscoveredNode[], member: GangMember, taken: Map<string, Taken>): string | null {
  const node = nodes.find((each) => each.name === member.node);
  if (!node) return "there is no such node";
  if (!node.ready) return "the node is not ready";
  if (node.cordoned) return "the node is cordoned";
  if (node.taints.length > 0) return `the node has a taint that we do not tolerate: ${node.taints[0]}`;
  const ours = taken.get(node.name) ?? { cpuMilli: 0, memoryBytes: 0, gpus: new Map<string, number>() };
  const cpu = leftOf(node.cpuMilli) - ours.cpuMilli;
  if (member.cpuMilli > cpu) return `it needs ${member.cpuMilli / 1000} CPU cores and ${cpu / 1000} are free`;
  const memory = leftOf(node.memoryBytes) - ours.memoryBytes;
  if (member.memoryBytes > memory) {
    return `it needs ${inGib(member.memoryBytes)} GiB of memory and ${inGib(memory)} GiB are free`;
  }
  if (member.gpus > 0) {
    const wanted = member.gpuMilli === undefined ? member.gpus : member.gpuMilli / 1000;
    const what = member.migProfile === undefined ? `${member.gpuVendor} GPUs` : `MIG slices of ${member.migProfile}`;
    const pool = findPool(node, member);
    if (!pool) return `it needs ${what} and the node has none`;
    const used = ours.gpus.get(pool.resource) ?? 0;
    // Shares are thousandths: a sum of them must not fail by a rounding error.
    const left = Math.round((leftOf(pool) - used) * 1000) / 1000;
    if (wanted > left) return `it needs ${wanted} ${what} and ${left} are free`;
    ours.gpus.set(pool.resource, used + wanted);
  }
  ours.cpuMilli += member.cpuMilli;
  ours.memoryBytes += member.memoryBytes;
  taken.set(node.name, ours);
  return null;
}

function leftOf(capacity: Capacity): number {
  return Math.max(0, capacity.total - capacity.heldByOthers - capacity.heldByUs);
}

function inGib(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(1);
}
