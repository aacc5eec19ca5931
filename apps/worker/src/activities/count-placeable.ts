import type { Placement } from "@anneal/db/queries/pools";
import type { PoolNode } from "@anneal/db/schema";

type Booked = Pick<Placement, "request" | "members">;

/**
 * How many more engines the machines have room for, judged by what a running one was placed with: main memory, and of
 * their GPUs whole ones or a share of one.
 * @param running everything that holds a place
 */
export function countPlaceable(
  nodes: readonly PoolNode[],
  running: readonly Booked[],
  engine: Booked | undefined,
): number {
  const [member] = engine?.request.gang ?? [];
  if (member === undefined || (member.memoryMib === 0 && member.gpus === 0)) return 0;
  return nodes
    .filter((node) => !node.cordoned && !node.lost)
    .reduce((sum, node) => {
      const held = running.flatMap(({ request, members }) =>
        members
          .filter((each) => each.node === node.name)
          .map((each) => ({ gpus: each.gpus, memoryMib: request.gang[each.member]?.memoryMib ?? 0 })),
      );
      const freeMib = node.memoryMib - held.reduce((total, { memoryMib }) => total + memoryMib, 0);
      const byMemory = member.memoryMib === 0 ? Infinity : Math.floor(freeMib / member.memoryMib);
      const freeMilli = Array.from({ length: node.gpus }, (_, index) =>
        held.flatMap(({ gpus }) => gpus).reduce((free, each) => free - (each.index === index ? each.milli : 0), 1000),
      );
      const shares = freeMilli.reduce((total, milli) => total + Math.floor(milli / member.gpuMilli), 0);
      const byGpus = member.gpus === 0 ? Infinity : Math.floor(shares / member.gpus);
      return sum + Math.max(0, Math.min(byMemory, byGpus));
    }, 0);
}
