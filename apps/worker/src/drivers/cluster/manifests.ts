import { AnnealError } from "@anneal/core/errors";
import type {
  KubernetesObject,
  V1ConfigMap,
  V1Deployment,
  V1EnvVar,
  V1Job,
  V1ObjectMeta,
  V1OwnerReference,
  V1Service,
} from "@kubernetes/client-node";
import { annotationsOf, labelsOf, nameReplica } from "./kubernetes-labels.ts";
import { type LeaderWorkerSet, leaderWorkerSetVersion, workerIndexLabel } from "./leader-worker-set.ts";
import { buildPodTemplate, type PodSettings } from "./pod-template.ts";
import { type GangMember, nameWorkload, parseWorkload, type Replica, type Workload } from "./workload.ts";

export const completionIndexLabel = "batch.kubernetes.io/job-completion-index";
const recordKey = "workload.json";

export type ManifestSettings = PodSettings & { namespace: string };

/**
 * What a workload is, kept in the cluster: it is created first and owns all the rest, so that a crash leaves something to
 * find, and deleting it deletes everything.
 */
export function buildRecord(workload: Workload, namespace: string): V1ConfigMap & { metadata: V1ObjectMeta } {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: nameWorkload(workload.id),
      namespace,
      labels: labelsOf(workload),
      annotations: annotationsOf(workload),
    },
    data: { [recordKey]: JSON.stringify(workload) },
  };
}

/** @throws AnnealError INVALID_INPUT for one that another version of Anneal wrote in a form that this one does not know */
export function readRecord(record: V1ConfigMap): Workload {
  return parseWorkload(JSON.parse(record.data?.[recordKey] ?? "null"));
}

/**
 * The objects of one replica, in the order in which they are created: a Job for training (an indexed one with a headless
 * service for a gang, suspended until all of it can be bound), a Deployment for a server on one node, a LeaderWorkerSet
 * for one over several. Every replica has objects of its own: that alone lets it be pinned, and removed, by itself.
 * @param owner the record as the cluster has it
 * @param gpuResource what the nodes call the members' GPUs
 */
export function buildReplica(
  workload: Workload,
  replica: Replica,
  options: { settings: ManifestSettings; owner: V1ConfigMap; gpuResource: string | null },
): (V1Job | V1Service | V1Deployment | LeaderWorkerSet)[] {
  const { settings, owner } = options;
  const metadata: V1ObjectMeta = {
    name: nameReplica(workload.id, replica.index),
    namespace: settings.namespace,
    labels: labelsOf(workload, replica.index),
    annotations: annotationsOf(workload),
    ownerReferences: [ownedBy(owner)],
  };
  const built = { ...options, workload, replica, metadata };
  if (workload.kind === "training") {
    return replica.gang.length === 1 ? [buildJob(built)] : [buildService(built), buildJob(built)];
  }
  return [replica.gang.length === 1 ? buildDeployment(built) : buildLeaderWorkerSet(built)];
}

/** @throws AnnealError INVALID_INPUT for what Kubernetes cannot run as it is */
export function requireKubernetes(workload: Workload): void {
  const refuse = (field: string, what: string, action: string): never => {
    throw new AnnealError("INVALID_INPUT", `"${workload.id}" cannot run on Kubernetes: ${field} ${what}.`, {
      action,
      details: { workloadId: workload.id, field },
    });
  };
  if (workload.image === undefined) refuse("image", "is missing", "Name the container image to run.");
  for (const [name, value] of Object.entries(workload.env)) {
    if (typeof value !== "string" && "file" in value) {
      refuse(`env.${name}`, "is a file of this machine", "Name a Kubernetes Secret: { secret: { name, key } }.");
    }
  }
  for (const { name, source } of workload.volumes) {
    if (source.kind === "folder") {
      refuse(`volumes.${name}`, "is a folder of a node", "Use a volume claim that the nodes can mount.");
    }
  }
  for (const { index, gang } of workload.replicas) {
    const field = `replicas.${index}.gang`;
    if (gang.some((member) => member.gpuMilli !== undefined)) {
      refuse(
        field,
        "asks for a part of a GPU, which Kubernetes does not hand out",
        "Ask for a MIG slice, or a whole GPU.",
      );
    }
    const alike = workload.kind === "training" ? gang : gang.slice(1);
    if (alike.some((member) => !isSameSize(member, alike[0]!))) {
      refuse(field, "has members of different sizes", "Give all members the same GPUs, cores and memory.");
    }
    const counts = [...Map.groupBy(alike, (member) => member.node).values()].map((members) => members.length);
    if (new Set(counts).size > 1) {
      refuse(field, "has more members on one node than on another", "Put as many members on every node of the gang.");
    }
  }
}

function isSameSize(one: GangMember, other: GangMember): boolean {
  return (["gpus", "migProfile", "gpuVendor", "cpuMilli", "memoryBytes"] as const).every(
    (field) => one[field] === other[field],
  );
}

type Built = Parameters<typeof buildReplica>[2] & { workload: Workload; replica: Replica; metadata: V1ObjectMeta };

function buildJob({ workload, replica, metadata, settings, gpuResource }: Built): V1Job {
  const members = replica.gang.length;
  const isGang = members > 1;
  const name = metadata.name ?? "";
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata,
    spec: {
      ...(isGang ? { completionMode: "Indexed", suspend: true } : {}),
      completions: members,
      parallelism: members,
      // One member that ends ends the gang; whether and where it runs again is the scheduler's decision.
      backoffLimit: 0,
      podFailurePolicy: {
        rules: [{ action: "FailJob", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }],
      },
      podReplacementPolicy: "Failed",
      template: buildPodTemplate({
        workload,
        replica,
        members: replica.gang,
        gpuResource,
        role: isGang ? "peer" : "only",
        memberIndex: isGang ? memberIndexFrom(completionIndexLabel) : { name: "ANNEAL_MEMBER_INDEX", value: "0" },
        // Pods of an indexed Job are called <job>-<index>, in the domain of the service.
        leaderHost: isGang ? `${name}-0.${name}.${settings.namespace}.svc` : "127.0.0.1",
        ...(isGang ? { subdomain: name } : {}),
        settings,
      }),
    },
  };
}

function buildService({ workload, replica, metadata }: Built): V1Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: {
      clusterIP: "None",
      selector: labelsOf(workload, replica.index),
      // Members look for each other before any of them is ready.
      publishNotReadyAddresses: true,
      ...(workload.ports.length === 0 ? {} : { ports: workload.ports.map(({ name, port }) => ({ name, port })) }),
    },
  };
}

function buildDeployment({ workload, replica, metadata, settings, gpuResource }: Built): V1Deployment {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      replicas: 1,
      // Its GPUs are the ones that the old pod holds.
      strategy: { type: "Recreate" },
      revisionHistoryLimit: 1,
      selector: { matchLabels: labelsOf(workload, replica.index) },
      template: buildPodTemplate({
        workload,
        replica,
        members: replica.gang,
        gpuResource,
        role: "only",
        memberIndex: { name: "ANNEAL_MEMBER_INDEX", value: "0" },
        leaderHost: "127.0.0.1",
        settings,
      }),
    },
  };
}

function buildLeaderWorkerSet({ workload, replica, metadata, settings, gpuResource }: Built): LeaderWorkerSet {
  const name = metadata.name ?? "";
  const template = (role: "leader" | "worker", members: GangMember[]) =>
    buildPodTemplate({
      workload,
      replica,
      members,
      gpuResource,
      role,
      memberIndex: memberIndexFrom(workerIndexLabel),
      // The leader of the only group, in the domain of the service that the controller makes.
      leaderHost: `${name}-0.${name}.${settings.namespace}.svc`,
      settings,
    });
  return {
    apiVersion: leaderWorkerSetVersion,
    kind: "LeaderWorkerSet",
    metadata,
    spec: {
      replicas: 1,
      leaderWorkerTemplate: {
        size: replica.gang.length,
        // Tensor parallelism does not survive the loss of a member.
        restartPolicy: "RecreateGroupOnPodRestart",
        leaderTemplate: template("leader", replica.gang.slice(0, 1)),
        workerTemplate: template("worker", replica.gang.slice(1)),
      },
      startupPolicy: "LeaderCreated",
      networkConfig: { subdomainPolicy: "Shared" },
    },
  };
}

function memberIndexFrom(label: string): V1EnvVar {
  return { name: "ANNEAL_MEMBER_INDEX", valueFrom: { fieldRef: { fieldPath: `metadata.labels['${label}']` } } };
}

function ownedBy(owner: KubernetesObject): V1OwnerReference {
  const { name, uid } = owner.metadata ?? {};
  return { apiVersion: "v1", kind: "ConfigMap", name: name ?? "", uid: uid ?? "", blockOwnerDeletion: true };
}
