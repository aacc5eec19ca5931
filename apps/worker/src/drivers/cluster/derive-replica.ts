import type { V1ContainerStatus, V1Job, V1Pod } from "@kubernetes/client-node";
import type { ReplicaState } from "./combine-replicas.ts";
import { workerIndexLabel } from "./leader-worker-set.ts";
import { completionIndexLabel } from "./manifests.ts";
import type { Replica, Workload } from "./workload.ts";

/** What the cluster has of one replica. */
export type ReplicaObjects = {
  /** Its Job, for training. */
  job: V1Job | null;
  /** Whether its Deployment or LeaderWorkerSet exists, for serving. */
  isDeployed: boolean;
  pods: readonly V1Pod[];
  /** Nodes of the gang that are gone or do not answer. */
  lostNodes: readonly string[];
};

/** How a replica stands, told from the objects that the cluster has of it. */
export function deriveReplica(workload: Workload, replica: Replica, objects: ReplicaObjects): ReplicaState {
  if (workload.kind === "training") {
    const ended = deriveEnd(replica, objects);
    if (ended) return ended;
  } else if (!objects.isDeployed) {
    return { status: "pending", reason: "It has not been started yet, or its start was interrupted." };
  }
  const pods = objects.pods.filter((pod) => pod.metadata?.deletionTimestamp === undefined);
  const up = pods.filter((pod) => isUp(pod));
  if (up.length < replica.gang.length) {
    const missing = replica.gang.length - pods.length;
    const waiting = pods.find((pod) => !isUp(pod));
    const reason = waiting
      ? describeWaiting(waiting)
      : `${missing} of its ${replica.gang.length} pods do not exist yet.`;
    return { status: "pending", reason };
  }
  return {
    status: "running",
    addresses: up
      .map((pod) => ({
        replica: replica.index,
        member: memberOf(pod),
        node: pod.spec?.nodeName ?? "",
        host: pod.status?.podIP ?? "",
        ports: memberOf(pod) === 0 ? Object.fromEntries(workload.ports.map(({ name, port }) => [name, port])) : {},
      }))
      .sort((one, other) => one.member - other.member),
  };
}

/** Pods that the scheduler could not bind, with what it says about them. */
export function findUnbound(pods: readonly V1Pod[]): { member: number; reason: string }[] {
  return pods
    .filter((pod) => pod.spec?.nodeName === undefined)
    .map((pod) => ({ member: memberOf(pod), reason: describeWaiting(pod) }));
}

/** The position in the gang: 0 where there is only one. */
export function memberOf(pod: V1Pod): number {
  const labels = pod.metadata?.labels ?? {};
  return Number(labels[completionIndexLabel] ?? labels[workerIndexLabel] ?? 0);
}

/** @returns null for a Job that can still run */
function deriveEnd(replica: Replica, { job, pods, lostNodes }: ReplicaObjects): ReplicaState | null {
  if (!job) return { status: "pending", reason: "It has not been started yet, or its start was interrupted." };
  const conditionOf = (type: string) =>
    job.status?.conditions?.find((condition) => condition.type === type && condition.status === "True");
  if (conditionOf("Complete")) return { status: "succeeded" };
  const failed = conditionOf("Failed");
  // A node that does not answer keeps its pod from ending, and the Job from failing: the gang is lost all the same.
  const disrupted = pods.find(
    (pod) =>
      pod.metadata?.deletionTimestamp !== undefined &&
      pod.status?.conditions?.some(({ type, status }) => type === "DisruptionTarget" && status === "True"),
  );
  if (failed || disrupted) {
    const member = pods.map((pod) => describeFailure(replica, pod)).find((failure) => failure !== null);
    if (member) return { status: "failed", ...member };
    const reason =
      lostNodes.length > 0
        ? `A member was lost with its node: "${lostNodes.join('", "')}" is gone or does not answer.`
        : describeJobFailure(failed);
    return { status: "failed", reason, exitCode: null };
  }
  if (job.spec?.suspend) return { status: "pending", reason: "It waits until all of its members can be bound." };
  return null;
}

/** Of a Job whose failed pod is gone already; the name that its condition tells ends in "-<index>-<suffix>". */
function describeJobFailure(failed: { reason?: string; message?: string } | undefined): string {
  const member = /^Pod \S+-(\d+)-\w+ has condition DisruptionTarget/.exec(failed?.message ?? "")?.[1];
  if (failed?.reason !== "PodFailurePolicy") return failed?.message ?? "A member was taken away.";
  const who = member === undefined ? "It" : `Member ${member}`;
  return `${who} was taken away by the cluster: its node was drained or lost, or its place was needed (${failed.message}).`;
}

/** @returns null for a pod that did not fail by itself: one that was ended because another failed */
function describeFailure(replica: Replica, pod: V1Pod): { reason: string; exitCode: number | null } | null {
  const node = pod.spec?.nodeName ?? "";
  const who = replica.gang.length === 1 ? `It, on "${node}",` : `Member ${memberOf(pod)} on "${node}"`;
  const lost = pod.status?.conditions?.find(({ type, status }) => type === "DisruptionTarget" && status === "True");
  if (lost)
    return { reason: `${who} was taken away: ${lost.message ?? lost.reason ?? "no reason is told"}.`, exitCode: null };
  const ended = pod.status?.containerStatuses?.[0]?.state?.terminated;
  if (pod.metadata?.deletionTimestamp !== undefined || !ended || ended.exitCode === 0) {
    return pod.status?.phase === "Failed" && !ended && pod.metadata?.deletionTimestamp === undefined
      ? { reason: `${who} failed: ${pod.status.message ?? pod.status.reason ?? "no reason is told"}.`, exitCode: null }
      : null;
  }
  return { reason: `${who} ${describeExit(ended)}`, exitCode: ended.exitCode };
}

function describeExit(ended: { exitCode: number; reason?: string; message?: string }): string {
  const lastWords = ended.message?.trim().split("\n").at(-1);
  const said = lastWords ? `: ${lastWords.slice(0, 300).replace(/[.\s]+$/, "")}.` : ".";
  return ended.reason === "OOMKilled"
    ? `was killed with exit code ${ended.exitCode}: it used more memory than it was given${said}`
    : `ended with exit code ${ended.exitCode}${said}`;
}

/** Running, and ready if it has anything to be ready for. A member that has done its part counts. */
function isUp(pod: V1Pod): boolean {
  if (pod.status?.phase === "Succeeded") return true;
  const ready = pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
  return pod.status?.phase === "Running" && ready;
}

function describeWaiting(pod: V1Pod): string {
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === "PodScheduled" && status === "False");
  if (unscheduled) return `No node takes it: ${unscheduled.message ?? unscheduled.reason ?? "no reason is told"}.`;
  const node = pod.spec?.nodeName;
  if (node === undefined) return "It waits for a node.";
  const container = pod.status?.containerStatuses?.[0];
  const ended = lastEnd(container);
  if (ended)
    return `It, on "${node}", ${describeExit(ended)} It is started again (${container?.restartCount ?? 0} times so far).`;
  const { reason, message } = container?.state?.waiting ?? {};
  if (reason !== undefined && reason !== "ContainerCreating" && reason !== "PodInitializing") {
    return `Its container on "${node}" does not start: ${reason}${message ? `, ${message}` : ""}.`;
  }
  return container?.state?.running
    ? `It is starting on "${node}" and not ready yet.`
    : `Its container is being created on "${node}".`;
}

function lastEnd(container: V1ContainerStatus | undefined) {
  if (container?.state?.running) return undefined;
  return container?.state?.terminated ?? container?.lastState?.terminated;
}
