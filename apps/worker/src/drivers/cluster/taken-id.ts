import { AnnealError } from "@anneal/core/errors";

export function takenId(workloadId: string, stopping: boolean): AnnealError {
  return stopping
    ? new AnnealError("CONFLICT", `"${workloadId}" is just being stopped.`, {
        action: "Start it under a new id.",
        details: { workloadId },
      })
    : new AnnealError("CONFLICT", `"${workloadId}" was started before, and as something else.`, {
        action: "Give each workload an id of its own.",
        details: { workloadId },
      });
}
