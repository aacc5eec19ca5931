import { AnnealError } from "@anneal/core/errors";
import { isDeepStrictEqual } from "node:util";
import { parseWorkload, type Replica, type Workload } from "./workload.ts";

/**
 * The workload as it will be.
 * @param workload null when there is none, or none any more
 * @throws AnnealError NOT_FOUND, INVALID_INPUT
 */
export function requireScalable(workloadId: string, workload: Workload | null, replicas: readonly Replica[]): Workload {
  if (!workload) {
    throw new AnnealError("NOT_FOUND", `Nothing called "${workloadId}" runs here.`, {
      action: "Start it first.",
      details: { workloadId },
    });
  }
  if (workload.kind !== "serving") {
    throw new AnnealError("INVALID_INPUT", `"${workloadId}" is training, which has no replicas to add or remove.`, {
      action: "Stop it, and start it again from its checkpoint with the gang that it should have.",
      details: { workloadId },
    });
  }
  const next = parseWorkload({ ...workload, replicas });
  const moved = next.replicas.find((replica) => {
    const before = workload.replicas.find((each) => each.index === replica.index);
    return before && !isDeepStrictEqual(before, replica);
  });
  if (moved) {
    throw new AnnealError(
      "INVALID_INPUT",
      `Replica ${moved.index} of "${workloadId}" runs elsewhere or in another size.`,
      {
        action: "Give the new place an index of its own and leave the old one out.",
        details: { workloadId, replica: moved.index },
      },
    );
  }
  return next;
}
