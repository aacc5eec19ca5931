/** A node that work can be placed on; memory is what one may book, in bytes. */
export type NodeCapacity = { name: string; memoryBytes: number };
export type Booking = { node: string; memoryBytes: number; subject: string };

export type AdmissionDecision =
  | { status: "admitted"; node: string; reason: string }
  | { status: "refused"; reason: string; action: string };

const gib = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;

/**
 * Places one job on the node that it leaves the least room on (best fit), or says with numbers why it fits nowhere.
 * Pure: the caller reads the bookings and writes the new one in one transaction.
 */
export function decideAdmission(
  nodes: readonly NodeCapacity[],
  booked: readonly Booking[],
  job: { memoryBytes: number },
): AdmissionDecision {
  const free = nodes.map((node) => {
    const used = booked.filter((booking) => booking.node === node.name);
    return { node, used, freeBytes: node.memoryBytes - used.reduce((sum, booking) => sum + booking.memoryBytes, 0) };
  });
  const fitting = free
    .filter((candidate) => candidate.freeBytes >= job.memoryBytes)
    .sort((left, right) => left.freeBytes - right.freeBytes || (left.node.name < right.node.name ? -1 : 1));
  const [best] = fitting;
  if (best) {
    return {
      status: "admitted",
      node: best.node.name,
      reason: `Needs ${gib(job.memoryBytes)}; ${best.node.name} has ${gib(best.freeBytes)} free of ${gib(best.node.memoryBytes)}.`,
    };
  }
  const largest = Math.max(0, ...nodes.map((node) => node.memoryBytes));
  const numbers = free
    .map(({ node, used, freeBytes }) => {
      const holders = used.map((booking) => `${booking.subject} ${gib(booking.memoryBytes)}`).join(", ");
      return `${node.name} has ${gib(freeBytes)} free of ${gib(node.memoryBytes)}${holders ? ` (${holders})` : ""}`;
    })
    .join("; ");
  return {
    status: "refused",
    reason: `The job needs ${gib(job.memoryBytes)}, and no node has that much free: ${numbers || "the pool has no nodes"}.`,
    action:
      job.memoryBytes > largest
        ? "Lower the batch tokens, the maximum length or the rank, or add a node with more memory."
        : "Wait until other work ends, or stop some of it.",
  };
}
