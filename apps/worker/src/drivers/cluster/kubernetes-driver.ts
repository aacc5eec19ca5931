import { AnnealError } from "@anneal/core/errors";
import type { KubeConfig, V1ConfigMap, V1Node, V1Pod, V1Toleration } from "@kubernetes/client-node";
import { setTimeout as sleep } from "node:timers/promises";
import { type Admission, admitReplicas } from "./admit-replicas.ts";
import { requireFit } from "./check-fit.ts";
import { createClusterApi } from "./cluster-api.ts";
import type { ClusterDriver, DiscoveredNode, ObservedWorkload, WorkloadState } from "./cluster-driver.ts";
import { combineReplicas } from "./combine-replicas.ts";
import { describeNodes, isReady } from "./discover-nodes.ts";
import { managedByUs, replicaOf, selectWorkload, workloadIdAnnotation, workloadLabel } from "./kubernetes-labels.ts";
import {
  deriveReplicas,
  hasFailed,
  isCreated,
  isGoing,
  listObjects,
  type WorkloadObjects,
} from "./kubernetes-objects.ts";
import { buildRecord, readRecord, requireKubernetes } from "./manifests.ts";
import { gpuTolerations } from "./pod-template.ts";
import { removeObjects } from "./remove-objects.ts";
import { requireScalable } from "./require-scalable.ts";
import { takenId } from "./taken-id.ts";
import { watchKubernetes } from "./watch-kubernetes.ts";
import { defaultRetries, type RetrySettings } from "./with-retries.ts";
import { isSameProgram, nameWorkload, parseWorkload, type Replica, type Workload } from "./workload.ts";

export type KubernetesDriverOptions = {
  kubeConfig: KubeConfig;
  /** Everything is created here; it has to exist, and so do the Secrets and volume claims that workloads name. */
  namespace: string;
  /** For taints of GPU pools, beside the usual ones. */
  tolerations?: readonly V1Toleration[];
  /** Default 1000. */
  runAsUser?: number;
  /** Default true: programs write to /tmp, their home and their volumes only. */
  readOnlyRootFilesystem?: boolean;
  imagePullSecrets?: readonly string[];
  /** How long the cluster has to bind all members of a gang before the gang is taken away. Default 60 s. */
  bindTimeoutMs?: number;
  /** How long after a grace the cluster may still clear away. Default 60 s. */
  marginMs?: number;
  pollMs?: number;
  retries?: RetrySettings;
  /** Called before each request that changes something; tests let the driver die there. */
  onStep?: (step: string) => void;
};

/** How often `scale` looks again when somebody else scales the same workload. */
const scaleAttempts = 5;

/**
 * Runs workloads on Kubernetes (1.31 or later) as Jobs, Deployments and LeaderWorkerSets. It needs, in its namespace:
 * get, list, watch, create, update and delete of configmaps; get, list, watch, create, patch and delete of jobs; list,
 * create and delete of deployments, leaderworkersets and services; list, watch and delete of pods; and in the whole
 * cluster: list of nodes and pods.
 */
export function createKubernetesDriver(options: KubernetesDriverOptions): ClusterDriver {
  const { kubeConfig, namespace } = options;
  const retries = options.retries ?? defaultRetries;
  const api = createClusterApi({ kubeConfig, namespace, retries, onStep: options.onStep });
  const pollMs = options.pollMs ?? 1000;
  const marginMs = options.marginMs ?? 60_000;
  const tolerations = [...gpuTolerations, ...(options.tolerations ?? [])];
  const admission: Admission = {
    api,
    settings: {
      namespace,
      tolerations: options.tolerations ?? [],
      runAsUser: options.runAsUser ?? 1000,
      readOnlyRootFilesystem: options.readOnlyRootFilesystem ?? true,
      imagePullSecrets: options.imagePullSecrets ?? [],
    },
    discover: ({ workloadId, replicas }) => discoverWithout(workloadId, replicas),
    bindTimeoutMs: options.bindTimeoutMs ?? 60_000,
    marginMs,
    pollMs,
  };
  const recordReference = (workloadId: string) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    name: nameWorkload(workloadId),
  });
  const readRecordOf = (workloadId: string) => api.read<V1ConfigMap>(recordReference(workloadId));

  async function discoverWithout(workloadId: string | null, replicas: readonly Replica[]): Promise<DiscoveredNode[]> {
    const [nodes, pods] = await Promise.all([
      api.list<V1Node>("v1", "Node", { everywhere: true }),
      api.list<V1Pod>("v1", "Pod", { everywhere: true, fields: "status.phase!=Succeeded,status.phase!=Failed" }),
    ]);
    const isOurs = ({ metadata }: V1Pod) => {
      const name = metadata?.namespace === namespace ? metadata.labels?.[workloadLabel] : undefined;
      if (name === undefined) return false;
      const isAskedAbout =
        workloadId !== null &&
        name === nameWorkload(workloadId) &&
        replicas.some((replica) => replica.index === replicaOf(metadata));
      return isAskedAbout ? undefined : true;
    };
    return describeNodes({ nodes, pods, isOurs, tolerations });
  }

  /** Asked for only where a Job has failed, to tell whether a node took it along. */
  async function listReadyNodes(objects: WorkloadObjects): Promise<Set<string> | null> {
    if (!objects.jobs.some(hasFailed)) return null;
    const nodes = await api.list<V1Node>("v1", "Node", { everywhere: true });
    return new Set(nodes.filter(isReady).map((node) => node.metadata?.name ?? ""));
  }

  function describeRecord(
    record: V1ConfigMap,
    objects: WorkloadObjects,
    readyNodes: Set<string> | null,
  ): ObservedWorkload {
    const workloadId = record.metadata?.annotations?.[workloadIdAnnotation] ?? record.metadata?.name ?? "";
    const pending = (reason: string) => ({ workloadId, status: "pending", reason }) as const;
    const workload = tryReadRecord(record);
    if (isGoing(record)) return { workload, state: pending("It is being stopped.") };
    if (!workload) return { workload, state: pending("Its record is none that this version of Anneal can read.") };
    return { workload, state: combineReplicas(workload, deriveReplicas(workload, objects, readyNodes)) };
  }

  /** Deletes a record and all that it owns, and waits until it is gone. */
  async function removeWorkload(workloadId: string, graceMs: number): Promise<void> {
    // First and once: from here on the cluster itself clears away, whether we live or not.
    await api.remove(recordReference(workloadId), { propagation: "Foreground" });
    await removeObjects(api, { workloadId, labels: selectWorkload(workloadId), graceMs, marginMs, pollMs });
    const deadline = Date.now() + marginMs;
    while (await readRecordOf(workloadId)) {
      if (Date.now() > deadline) {
        throw new AnnealError("DEPLOYMENT_FAILED", `The record of "${workloadId}" stays in the cluster.`, {
          action: "Look for a finalizer on its ConfigMap; it is tried again.",
          details: { name: nameWorkload(workloadId), namespace },
          retryable: true,
        });
      }
      await sleep(pollMs);
    }
  }

  /** The record of a start: made now, or found. */
  async function ensureRecord(workload: Workload): Promise<V1ConfigMap> {
    const record = await readRecordOf(workload.id);
    if (record) {
      if (isGoing(record) || !isSameProgram(readRecord(record), workload)) throw takenId(workload.id, isGoing(record));
      return record;
    }
    await api.create(buildRecord(workload, namespace));
    const created = await readRecordOf(workload.id);
    if (!created || isGoing(created)) throw takenId(workload.id, true);
    if (!isSameProgram(readRecord(created), workload)) throw takenId(workload.id, false);
    return created;
  }

  const driver: ClusterDriver = {
    kind: "kubernetes",
    async discover(signal) {
      signal.throwIfAborted();
      return discoverWithout(null, []);
    },
    async start(input) {
      const workload = parseWorkload(input);
      requireKubernetes(workload);
      const record = await ensureRecord(workload);
      try {
        await admitReplicas(admission, readRecord(record), record);
      } catch (error) {
        // A start that is refused leaves nothing; a server of which other replicas run is left alone.
        if (error instanceof AnnealError && error.code === "ADMISSION_REFUSED") {
          if (!isCreated(await listObjects(api, selectWorkload(workload.id)))) await removeWorkload(workload.id, 0);
        }
        throw error;
      }
    },
    async observe(workloadId) {
      const [record, objects] = await Promise.all([
        readRecordOf(workloadId),
        listObjects(api, selectWorkload(workloadId)),
      ]);
      if (record) return describeRecord(record, objects, await listReadyNodes(objects)).state;
      return describeLeftovers(workloadId, objects) ?? { workloadId, status: "gone" };
    },
    async list() {
      const [records, objects] = await Promise.all([
        api.list<V1ConfigMap>("v1", "ConfigMap", { labels: managedByUs }),
        listObjects(api, managedByUs),
      ]);
      const byName = groupByWorkload(objects);
      const readyNodes = await listReadyNodes(objects);
      const found: ObservedWorkload[] = records.map((record) => {
        const own = byName.get(record.metadata?.name ?? "") ?? { jobs: [], pods: [], owners: [] };
        return describeRecord(record, own, readyNodes);
      });
      const known = new Set(records.map((record) => record.metadata?.name));
      for (const [name, own] of byName) {
        const id = [...own.owners, ...own.pods][0]?.metadata?.annotations?.[workloadIdAnnotation];
        const state = known.has(name) || id === undefined ? null : describeLeftovers(id, own);
        if (state) found.push({ workload: null, state });
      }
      return found;
    },
    async scale(workloadId, replicas, { graceMs }) {
      for (let attempt = 1; ; attempt += 1) {
        const record = await readRecordOf(workloadId);
        const before = record && !isGoing(record) ? readRecord(record) : null;
        const workload = requireScalable(workloadId, before, replicas);
        requireKubernetes(workload);
        const known = new Set(before?.replicas.map((replica) => replica.index));
        const added = workload.replicas.filter((replica) => !known.has(replica.index));
        if (added.length > 0) requireFit(workloadId, await discoverWithout(workloadId, added), added);
        const next = { ...buildRecord(workload, namespace), metadata: record?.metadata ?? {} };
        if (await api.replace(next)) {
          await admitAdded(workload, added);
          break;
        }
        if (attempt >= scaleAttempts) {
          throw new AnnealError("CONFLICT", `"${workloadId}" is being scaled by somebody else.`, {
            action: "It is tried again.",
            retryable: true,
          });
        }
      }
      const wanted = new Set(replicas.map((replica) => replica.index));
      const isSurplus = ({ metadata }: { metadata?: V1Pod["metadata"] }) => !wanted.has(replicaOf(metadata) ?? -1);
      await removeObjects(api, {
        workloadId,
        labels: selectWorkload(workloadId),
        accept: (objects) => ({
          jobs: objects.jobs.filter(isSurplus),
          pods: objects.pods.filter(isSurplus),
          owners: objects.owners.filter(isSurplus),
        }),
        graceMs,
        marginMs,
        pollMs,
      });
    },
    stop: (workloadId, { graceMs }) => removeWorkload(workloadId, graceMs),
    watch: (signal) => watchKubernetes({ kubeConfig, namespace, observe: driver.observe, retries, signal }),
  };
  return driver;

  /** Takes replicas that could not be let in off the record again. */
  async function admitAdded(workload: Workload, added: readonly Replica[]): Promise<void> {
    const record = await readRecordOf(workload.id);
    if (!record) throw takenId(workload.id, true);
    try {
      await admitReplicas(admission, workload, record);
    } catch (error) {
      if (error instanceof AnnealError && error.code === "ADMISSION_REFUSED") {
        const refused = new Set(added.map((replica) => replica.index));
        const rest = { ...workload, replicas: workload.replicas.filter((replica) => !refused.has(replica.index)) };
        await api.replace({ ...buildRecord(rest, namespace), metadata: record.metadata });
      }
      throw error;
    }
  }
}

function tryReadRecord(record: V1ConfigMap): Workload | null {
  try {
    return readRecord(record);
  } catch {
    return null;
  }
}

/** Objects whose record is gone: the cluster is clearing them away, or somebody took the record from them. */
function describeLeftovers(workloadId: string, objects: WorkloadObjects): WorkloadState | null {
  const left = objects.owners.length + objects.pods.length;
  if (left === 0) return null;
  return {
    workloadId,
    status: "pending",
    reason: `Its record is gone and ${left} of its objects are left; stop it to clear them away.`,
  };
}

function groupByWorkload(objects: WorkloadObjects): Map<string, WorkloadObjects> {
  const groups = new Map<string, WorkloadObjects>();
  for (const kind of ["jobs", "pods", "owners"] as const) {
    for (const object of objects[kind]) {
      const name = object.metadata?.labels?.[workloadLabel];
      if (name === undefined) continue;
      const group = groups.get(name) ?? { jobs: [], pods: [], owners: [] };
      (group[kind] as (typeof object)[]).push(object);
      groups.set(name, group);
    }
  }
  return groups;
}
