import type { KubernetesObject, V1Job, V1ObjectMeta, V1Pod } from "@kubernetes/client-node";
import type { ClusterApi, ObjectReference } from "./cluster-api.ts";
import type { ReplicaState } from "./combine-replicas.ts";
import { deriveReplica } from "./derive-replica.ts";
import { replicaOf } from "./kubernetes-labels.ts";
import { leaderWorkerSetVersion } from "./leader-worker-set.ts";
import type { Replica, Workload } from "./workload.ts";

/** What the cluster has of one workload, or of several, beside the record. */
export type WorkloadObjects = {
  jobs: V1Job[];
  pods: V1Pod[];
  /** What makes pods and services, to be deleted by name: Jobs, Deployments, LeaderWorkerSets, Services. */
  owners: (ObjectReference & { metadata: V1ObjectMeta })[];
};

const ownerKinds = [
  ["batch/v1", "Job"],
  ["apps/v1", "Deployment"],
  [leaderWorkerSetVersion, "LeaderWorkerSet"],
  ["v1", "Service"],
] as const;

export async function listObjects(api: ClusterApi, labels: string): Promise<WorkloadObjects> {
  const [pods, ...lists] = await Promise.all([
    api.list<V1Pod>("v1", "Pod", { labels }),
    ...ownerKinds.map(([apiVersion, kind]) => api.list<KubernetesObject>(apiVersion, kind, { labels })),
  ]);
  const owners = lists.flatMap((items, at) => {
    const [apiVersion, kind] = ownerKinds[at]!;
    return items.map(({ metadata }) => ({ apiVersion, kind, name: metadata?.name ?? "", metadata: metadata ?? {} }));
  });
  return { jobs: lists[0] as V1Job[], pods, owners };
}

/** Those of one replica. */
export function objectsOf(objects: WorkloadObjects, replica: number): WorkloadObjects {
  const isOf = ({ metadata }: { metadata?: V1ObjectMeta }) => replicaOf(metadata) === replica;
  return { jobs: objects.jobs.filter(isOf), pods: objects.pods.filter(isOf), owners: objects.owners.filter(isOf) };
}

/** Whether what makes its pods is there. */
export function isCreated(objects: WorkloadObjects): boolean {
  return objects.owners.some((owner) => owner.kind !== "Service" && !isGoing(owner));
}

export function isGoing(object: { metadata?: V1ObjectMeta }): boolean {
  return object.metadata?.deletionTimestamp !== undefined;
}

export function hasEnded(job: V1Job | undefined): boolean {
  return hasCondition(job, "Complete") || hasCondition(job, "Failed");
}

export function hasFailed(job: V1Job): boolean {
  return hasCondition(job, "Failed");
}

function hasCondition(job: V1Job | undefined, wanted: string): boolean {
  return job?.status?.conditions?.some(({ type, status }) => type === wanted && status === "True") ?? false;
}

/** @param readyNodes null where nobody needs to know */
export function deriveReplicas(
  workload: Workload,
  objects: WorkloadObjects,
  readyNodes: ReadonlySet<string> | null,
): Map<number, ReplicaState> {
  return new Map(
    workload.replicas.map((replica: Replica) => {
      const own = objectsOf(objects, replica.index);
      const job = own.jobs.find((each) => !isGoing(each)) ?? null;
      const nodes = [...new Set(replica.gang.map((member) => member.node))];
      return [
        replica.index,
        deriveReplica(workload, replica, {
          job,
          isDeployed: isCreated(own),
          pods: own.pods,
          lostNodes: readyNodes ? nodes.filter((node) => !readyNodes.has(node)) : [],
        }),
      ];
    }),
  );
}
