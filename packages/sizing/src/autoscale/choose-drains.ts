import type { Observation, ReplicaObservation } from "./observation.ts";

/**
 * Which replicas end when only `desired` should be left: those that are still starting, the youngest first; then those on
 * the node with the fewest of them, so that whole nodes become free; of one node, those with the fewest requests in flight.
 */
export function chooseDrains(observation: Observation, desired: number): string[] {
  const active = observation.replicas.filter(({ status }) => status !== "draining");
  const onNode = new Map<string, number>();
  for (const { node } of active) if (node !== undefined) onNode.set(node, (onNode.get(node) ?? 0) + 1);
  const rank = (replica: ReplicaObservation): number[] => [
    replica.status === "starting" ? 0 : 1,
    replica.status === "starting" ? -replica.startedAt : 0,
    replica.node === undefined ? 0 : onNode.get(replica.node)!,
    inFlight(replica),
  ];
  return active
    .map((replica) => ({ id: replica.id, rank: rank(replica) }))
    .toSorted((left, right) => compare(left.rank, right.rank) || (left.id < right.id ? -1 : 1))
    .slice(0, Math.max(0, active.length - desired))
    .map(({ id }) => id);
}

function inFlight({ metrics }: ReplicaObservation): number {
  const requests = metrics === null ? 0 : metrics.running + metrics.waiting;
  return Number.isFinite(requests) ? requests : Infinity;
}

function compare(left: readonly number[], right: readonly number[]): number {
  for (const [i, value] of left.entries()) {
    const other = right[i]!;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}
