import type { Placement } from "@anneal/db/queries/pools";

/** A training that runs on one machine, without a GPU, of the workspace "mine". */
export function placementOf(changes: Partial<Placement> = {}): Placement {
  const subject = changes.subject ?? "training:1";
  return {
    subject,
    workspaceId: "mine",
    status: "running",
    request: {
      id: subject,
      team: "default",
      kind: "training",
      priority: 0,
      gang: [{ count: 1, gpus: 0, gpuMilli: 1000, cpuMilli: 1000, memoryMib: 30 }],
    },
    members: [{ member: 0, node: "a", gpus: [] }],
    reason: "Goes to a.",
    action: null,
    predictedBytes: 30 * 2 ** 20,
    breakdown: {},
    measuredBytes: null,
    requestedAt: new Date(0),
    startedAt: new Date(1),
    endedAt: null,
    ...changes,
  };
}
