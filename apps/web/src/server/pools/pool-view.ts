import type { Allocation, Pool } from "@anneal/db/queries/pools";

export type Booking = {
  id: string;
  /** "training:<id>" or "replica:<url>"; null for another workspace's, whose work is not ours to name. */
  subject: string | null;
  predictedBytes: number;
  measuredBytes: number | null;
  since: Date;
  releasedAt: Date | null;
};

/** What a node holds, for one workspace to see: others' bookings take room, and stay nameless. */
export function toBooking(allocation: Allocation, workspaceId: string): Booking {
  const own = allocation.workspaceId === null || allocation.workspaceId === workspaceId;
  return {
    id: allocation.id,
    subject: own ? allocation.subject : null,
    predictedBytes: allocation.memoryBytes,
    measuredBytes: allocation.measuredBytes,
    since: allocation.createdAt,
    releasedAt: allocation.releasedAt,
  };
}

export function toPoolView(pool: Pool, allocations: readonly Allocation[], workspaceId: string) {
  return {
    id: pool.id,
    name: pool.name,
    profile: pool.profile,
    nodes: pool.nodes.map((node) => {
      const bookings = allocations.filter((each) => each.poolId === pool.id && each.node === node.name);
      const bookedBytes = bookings.reduce((sum, each) => sum + each.memoryBytes, 0);
      return {
        ...node,
        bookings: bookings.map((each) => toBooking(each, workspaceId)),
        bookedBytes,
        freeBytes: Math.max(0, node.memoryBytes - bookedBytes),
      };
    }),
  };
}
