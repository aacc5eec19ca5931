import type { Placement, Pool } from "@anneal/db/queries/pools";

export type Booking = {
  /** "training:<id>" or "replica:<url>"; null for another workspace's, whose work is not ours to name. */
  subject: string | null;
  key: string;
  kind: Placement["request"]["kind"];
  reason: string | null;
  action: string | null;
  predictedBytes: number;
  measuredBytes: number | null;
  since: Date;
  endedAt: Date | null;
};

/** What the scheduler decided, for one workspace to see: others' work takes room, and stays nameless. */
export function toBooking(placement: Placement, workspaceId: string): Booking {
  const own = placement.workspaceId === null || placement.workspaceId === workspaceId;
  return {
    subject: own ? placement.subject : null,
    // A name to tell rows apart by, which says nothing about others' work.
    key: own ? placement.subject : `other:${placement.requestedAt.getTime()}`,
    kind: placement.request.kind,
    reason: own ? placement.reason : null,
    action: own ? placement.action : null,
    predictedBytes: placement.predictedBytes,
    measuredBytes: placement.measuredBytes,
    since: placement.startedAt ?? placement.requestedAt,
    endedAt: placement.endedAt,
  };
}

/** One machine of a pool with what runs on it: memory booked, and who holds how much of which GPU. */
function toNodeView(node: Pool["nodes"][number], running: readonly Placement[], workspaceId: string) {
  const here = running.filter(({ members }) => members.some((each) => each.node === node.name));
  const bookings = here.map((placement) => {
    const members = placement.members.filter((each) => each.node === node.name);
    const memoryMib = members.reduce((sum, each) => sum + (placement.request.gang[each.member]?.memoryMib ?? 0), 0);
    return {
      ...toBooking(placement, workspaceId),
      bookedBytes: memoryMib * 2 ** 20,
      gpus: members.flatMap((each) => each.gpus.map(({ index, milli }) => ({ index, milli }))),
    };
  });
  const memoryBytes = node.memoryMib * 2 ** 20;
  const bookedBytes = bookings.reduce((sum, each) => sum + each.bookedBytes, 0);
  return {
    name: node.name,
    cores: node.cpuMilli / 1000,
    memoryBytes,
    gpuModel: node.gpuModel,
    gpus: node.gpus,
    gpuMemoryBytes: node.gpuMemoryGib * 2 ** 30,
    cordoned: node.cordoned,
    lost: node.lost,
    bookings,
    bookedBytes,
    freeBytes: Math.max(0, memoryBytes - bookedBytes),
  };
}

export function toPoolView(pool: Pool, active: readonly Placement[], workspaceId: string) {
  const running = active.filter(({ status }) => status === "running");
  return {
    id: pool.id,
    name: pool.name,
    kinds: pool.kinds,
    nodes: pool.nodes.map((node) => toNodeView(node, running, workspaceId)),
  };
}
