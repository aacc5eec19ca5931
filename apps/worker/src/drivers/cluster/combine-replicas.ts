import type { MemberAddress, WorkloadState } from "./cluster-driver.ts";
import type { Workload } from "./workload.ts";

export type ReplicaState =
  | { status: "pending"; reason: string }
  | { status: "running"; addresses: MemberAddress[] }
  | { status: "succeeded" }
  | { status: "failed"; reason: string; exitCode: number | null };

/** @param states by replica index; a replica that is missing has not been started yet */
export function combineReplicas(workload: Workload, states: ReadonlyMap<number, ReplicaState>): WorkloadState {
  const workloadId = workload.id;
  const each = workload.replicas.map((replica) => ({
    replica: replica.index,
    state: states.get(replica.index) ?? ({ status: "pending", reason: "It has not been started yet." } as const),
  }));
  if (workload.kind === "training") {
    const [only] = each;
    if (only && only.state.status !== "running") return { workloadId, ...only.state };
  }
  const addresses = each.flatMap(({ state }) => (state.status === "running" ? state.addresses : []));
  const waiting = each.flatMap(({ replica, state }) =>
    state.status === "pending" || state.status === "failed" ? [{ replica, reason: state.reason }] : [],
  );
  if (each.some(({ state }) => state.status === "running"))
    return { workloadId, status: "running", addresses, waiting };
  return { workloadId, status: "pending", reason: waiting[0]?.reason ?? "It has no replicas." };
}
