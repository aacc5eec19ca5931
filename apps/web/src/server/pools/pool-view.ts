import { createHash } from "node:crypto";
import type { Placement, Pool } from "@anneal/db/queries/pools";

/** For whom the shared machines are shown. */
export type Viewer = {
  workspaceId: string;
  /** Subjects that they may see named. */
  own: ReadonlySet<string>;
};

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

export function viewerOf(workspaceId: string, placements: readonly Placement[]): Viewer {
  const own = placements.filter((each) => each.workspaceId === null || each.workspaceId === workspaceId);
  return { workspaceId, own: new Set(own.map(({ subject }) => subject)) };
}

/** What the scheduler decided, for one workspace to see: others' work takes room, and stays nameless. */
export function toBooking(placement: Placement, viewer: Viewer): Booking {
  const own = viewer.own.has(placement.subject);
  return {
    subject: own ? placement.subject : null,
    key: own ? placement.subject : nameless(placement.subject),
    kind: placement.request.kind,
    reason: own ? hideOthers(placement.reason, viewer) : null,
    action: own && placement.action !== null ? hideOthers(placement.action, viewer) : null,
    predictedBytes: placement.predictedBytes,
    measuredBytes: placement.measuredBytes,
    since: placement.startedAt ?? placement.requestedAt,
    endedAt: placement.endedAt,
  };
}

/** Tells rows apart, stays the same while the work lasts, and says nothing about it. */
function nameless(subject: string): string {
  return `other:${createHash("sha256").update(subject).digest("base64url").slice(0, 12)}`;
}

/** The scheduler's sentences name what holds the room by its id, also where it is another workspace's. */
function hideOthers(text: string, { own }: Viewer): string {
  return text
    .replaceAll(/\btraining:([0-9a-zA-Z-]+)/g, (subject, id: string) =>
      own.has(subject) ? `training ${id.slice(0, 8)}` : "work of another workspace",
    )
    .replaceAll(/\breplica:(?:https?:\/\/|engine-)?([\w.:[\]-]*\w)/g, (_, name: string) => `engine ${name}`);
}

export type Wanted = { pods: number; gpuMilli: number; cores: number; memoryBytes: number };

/** What waits, with what it asks for: that much others' work may show, as it shows in the room that it takes. */
export function toWaiting(placement: Placement, viewer: Viewer): Booking & { wanted: Wanted } {
  const { gang } = placement.request;
  const sum = (value: (member: (typeof gang)[number]) => number) =>
    gang.reduce((total, member) => total + member.count * value(member), 0);
  return {
    ...toBooking(placement, viewer),
    wanted: {
      pods: sum(() => 1),
      gpuMilli: sum(({ gpus, gpuMilli }) => gpus * gpuMilli),
      cores: sum(({ cpuMilli }) => cpuMilli) / 1000,
      memoryBytes: sum(({ memoryMib }) => memoryMib) * 2 ** 20,
    },
  };
}

/** One machine of a pool with what runs on it: memory booked, and who holds how much of which GPU. */
function toNodeView(node: Pool["nodes"][number], running: readonly Placement[], viewer: Viewer) {
  const here = running.filter(({ members }) => members.some((each) => each.node === node.name));
  const bookings = here.map((placement) => {
    const members = placement.members.filter((each) => each.node === node.name);
    const memoryMib = members.reduce((sum, each) => sum + (placement.request.gang[each.member]?.memoryMib ?? 0), 0);
    return {
      ...toBooking(placement, viewer),
      bookedBytes: memoryMib * 2 ** 20,
      gpus: members.flatMap((each) => each.gpus.map(({ index, milli }) => ({ index, milli }))),
    };
  });
  const memoryBytes = node.memoryMib * 2 ** 20;
  const bookedBytes = bookings.reduce((sum, each) => sum + each.bookedBytes, 0);
  const gpuMilli = bookings.flatMap(({ gpus }) => gpus).reduce((sum, { milli }) => sum + milli, 0);
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
    bookedGpuMilli: gpuMilli,
    freeBytes: Math.max(0, memoryBytes - bookedBytes),
  };
}

export function toPoolView(pool: Pool, active: readonly Placement[], viewer: Viewer) {
  const running = active.filter(({ status }) => status === "running");
  return {
    id: pool.id,
    name: pool.name,
    kinds: pool.kinds,
    nodes: pool.nodes.map((node) => toNodeView(node, running, viewer)),
  };
}
