import { AnnealError } from "@anneal/core/errors";
import type { V1ConfigMap, V1Job, V1Pod } from "@kubernetes/client-node";
import { setTimeout as sleep } from "node:timers/promises";
import { findPool, refusal, requireFit } from "./check-fit.ts";
import type { ClusterApi } from "./cluster-api.ts";
import type { DiscoveredNode } from "./cluster-driver.ts";
import { findUnbound } from "./derive-replica.ts";
import { nameReplica, replicaLabel, selectWorkload } from "./kubernetes-labels.ts";
import { hasEnded, isCreated, isGoing, listObjects, objectsOf } from "./kubernetes-objects.ts";
import { buildReplica, type ManifestSettings } from "./manifests.ts";
import { removeObjects } from "./remove-objects.ts";
import type { Replica, Workload } from "./workload.ts";

export type Admission = {
  api: ClusterApi;
  settings: ManifestSettings;
  /** Nodes, as if the pods of these replicas were not there. */
  discover(without: { workloadId: string; replicas: readonly Replica[] }): Promise<DiscoveredNode[]>;
  /** How long the scheduler has to bind all members of a gang. */
  bindTimeoutMs: number;
  marginMs: number;
  pollMs: number;
};

/**
 * Creates what is missing of a workload's replicas and lets gangs in. A gang is created suspended and let in once, when
 * all of it fits; should the cluster bind only a part of it all the same, because somebody was faster, it is taken away
 * again as a whole.
 * @throws AnnealError ADMISSION_REFUSED; then nothing of the replicas that were missing is left
 */
export async function admitReplicas(admission: Admission, workload: Workload, owner: V1ConfigMap): Promise<void> {
  const { api } = admission;
  const objects = await listObjects(api, selectWorkload(workload.id));
  const leaving = objects.owners.find(
    (object) =>
      isGoing(object) && workload.replicas.some(({ index }) => object.name === nameReplica(workload.id, index)),
  );
  if (leaving) {
    throw new AnnealError("CONFLICT", `${leaving.kind} ${leaving.name} of "${workload.id}" is still being ended.`, {
      action: "It is tried again when it is gone.",
      details: { workloadId: workload.id },
      retryable: true,
    });
  }
  const missing = workload.replicas.filter((replica) => {
    const own = objectsOf(objects, replica.index);
    return !isCreated(own) || own.jobs.some((job) => job.spec?.suspend === true);
  });
  const unbound = workload.replicas.filter((replica) => {
    const own = objectsOf(objects, replica.index);
    // A pod that is going was bound once: its gang is ending or lost, and not to be waited for.
    if (!isGang(replica) || missing.includes(replica) || own.pods.some(isGoing)) return false;
    return !hasEnded(own.jobs[0]) && !isBound(replica, own.pods);
  });
  try {
    if (missing.length > 0) {
      const nodes = await admission.discover({ workloadId: workload.id, replicas: missing });
      requireFit(workload.id, nodes, missing);
      for (const replica of missing) await create(admission, workload, replica, owner, nodes);
    }
    for (const replica of [...missing, ...unbound]) if (isGang(replica)) await letIn(admission, workload, replica);
  } catch (error) {
    if (error instanceof AnnealError && error.code === "ADMISSION_REFUSED") {
      for (const replica of [...missing, ...unbound]) await takeAway(admission, workload, replica);
    }
    throw error;
  }
}

async function create(
  { api, settings }: Admission,
  workload: Workload,
  replica: Replica,
  owner: V1ConfigMap,
  nodes: readonly DiscoveredNode[],
): Promise<void> {
  const gpuResource = findResource(workload, replica, nodes);
  for (const object of buildReplica(workload, replica, { settings, owner, gpuResource })) await api.create(object);
}

/** Unsuspends a Job, and waits until every member has a node. */
async function letIn(admission: Admission, workload: Workload, replica: Replica): Promise<void> {
  const { api } = admission;
  const name = nameReplica(workload.id, replica.index);
  const job = { apiVersion: "batch/v1", kind: "Job", name };
  if (workload.kind === "training" && (await api.read<V1Job>(job))?.spec?.suspend === true) {
    await api.patch(job, { spec: { suspend: false } });
  }
  const labels = `${selectWorkload(workload.id)},${replicaLabel}=${replica.index}`;
  const deadline = Date.now() + admission.bindTimeoutMs;
  for (;;) {
    const pods = await api.list<V1Pod>("v1", "Pod", { labels });
    if (isBound(replica, pods)) return;
    if (workload.kind === "training" && hasEnded((await api.read<V1Job>(job)) ?? undefined)) return;
    if (Date.now() > deadline) {
      const waiting = findUnbound(pods.filter((pod) => !isGoing(pod)));
      const shortfalls = waiting.map(({ member, reason }) => ({
        replica: replica.index,
        member,
        node: replica.gang[member]?.node ?? "",
        reason: reason.replace(/\.$/, ""),
      }));
      const { node } = replica.gang[0]!;
      const none = { replica: replica.index, member: 0, node, reason: "the cluster made no pod for it in time" };
      throw refusal(workload.id, shortfalls.length > 0 ? shortfalls : [none]);
    }
    await sleep(admission.pollMs);
  }
}

async function takeAway({ api, marginMs, pollMs }: Admission, workload: Workload, replica: Replica): Promise<void> {
  await removeObjects(api, {
    workloadId: workload.id,
    labels: `${selectWorkload(workload.id)},${replicaLabel}=${replica.index}`,
    graceMs: 0,
    marginMs,
    pollMs,
  });
}

function isGang(replica: Replica): boolean {
  return replica.gang.length > 1;
}

function isBound(replica: Replica, pods: readonly V1Pod[]): boolean {
  return pods.filter((pod) => !isGoing(pod) && pod.spec?.nodeName !== undefined).length >= replica.gang.length;
}

/** @throws AnnealError ADMISSION_REFUSED when the nodes call their slices differently: one pod template serves them all */
function findResource(workload: Workload, replica: Replica, nodes: readonly DiscoveredNode[]): string | null {
  const resources = replica.gang.map((member) => {
    const node = nodes.find((each) => each.name === member.node);
    return member.gpus === 0 || !node ? null : (findPool(node, member)?.resource ?? null);
  });
  const different = resources.findIndex((resource) => resource !== null && resource !== resources[0]);
  if (different > 0) {
    const { node } = replica.gang[different]!;
    const reason = `it offers ${resources[different]}, and the first member's node ${resources[0] ?? "none"}`;
    throw refusal(workload.id, [{ replica: replica.index, member: different, node, reason }]);
  }
  return resources[0] ?? null;
}
