import { Status, type StatusKind } from "#components/ui/status.tsx";
import type { Answers } from "#lib/trpc.ts";

export type TrainingRow = Answers["train"]["list"][number];

const looks: Record<TrainingRow["status"], { kind: StatusKind; word: string }> = {
  queued: { kind: "waiting", word: "Queued" },
  running: { kind: "running", word: "Training" },
  stopping: { kind: "running", word: "Stopping" },
  stopped: { kind: "stopped", word: "Stopped" },
  done: { kind: "ready", word: "Done" },
  failed: { kind: "failed", word: "Failed" },
};

export function TrainingStatus({ status }: { status: TrainingRow["status"] }) {
  return <Status {...looks[status]} />;
}
