import { completionIndexLabel } from "./manifests.ts";
import type { Deployment, FakeStore, Job, LeaderWorkers, Node, Pod, Stored } from "./fake-store.fixture.ts";
import { workerIndexLabel } from "./leader-worker-set.ts";

/**
 * The controllers of kube-controller-manager and of LeaderWorkerSet, as far as our objects can tell: they make pods, count
 * them, and clear away. Each pass takes everything one step further; the caller repeats them until nothing changes.
 * Deployments make their pods directly, without a ReplicaSet between.
 */
const trackingFinalizer = "batch.kubernetes.io/job-tracking";

export function runControllers(store: FakeStore): void {
  collectGarbage(store);
  loseNodes(store);
  releaseOrphans(store);
  for (const job of store.list<Job>("Job")) reconcileJob(store, job);
  for (const deployment of store.list<Deployment>("Deployment")) reconcileDeployment(store, deployment);
  for (const set of store.list<LeaderWorkers>("LeaderWorkerSet")) reconcileLeaderWorkers(store, set);
}

/** kubernetes.io/docs/concepts/architecture/garbage-collection */
function collectGarbage(store: FakeStore): void {
  const objects = store.all();
  const alive = new Set(objects.map((object) => object.metadata.uid));
  for (const object of objects) {
    const owners = object.metadata.ownerReferences ?? [];
    const isOrphan = owners.length > 0 && owners.every((owner) => !alive.has(owner.uid));
    if (isOrphan && !object.metadata.deletionTimestamp) store.requestDeletion(object, { propagation: "Background" });
    if (!object.metadata.finalizers?.includes("foregroundDeletion")) continue;
    const dependents = objects.filter((each) =>
      each.metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid),
    );
    for (const dependent of dependents) {
      if (!dependent.metadata.deletionTimestamp) store.requestDeletion(dependent, { propagation: "Foreground" });
    }
    const blocks = dependents.some((each) =>
      each.metadata.ownerReferences?.some((owner) => owner.uid === object.metadata.uid && owner.blockOwnerDeletion),
    );
    if (blocks) continue;
    const rest = object.metadata.finalizers.filter((finalizer) => finalizer !== "foregroundDeletion");
    store.update({ ...object, metadata: { ...object.metadata, finalizers: rest } });
  }
  for (const object of store.all()) {
    if (object.kind === "Pod" || !object.metadata.deletionTimestamp) continue;
    if ((object.metadata.finalizers ?? []).length === 0) store.remove(object);
  }
}

/** The pod garbage collector takes pods of nodes that do not exist; the taint manager those of nodes that do not answer. */
function loseNodes(store: FakeStore): void {
  const nodes = new Map(store.list<Node>("Node").map((node) => [node.metadata.name, node]));
  for (const pod of store.list<Pod>("Pod")) {
    const { nodeName } = pod.spec ?? {};
    if (nodeName === undefined || isOver(pod)) continue;
    const node = nodes.get(nodeName);
    if (!node) {
      disrupt(pod, "DeletionByPodGC", "PodGC: node no longer exists");
      pod.status = { ...pod.status, phase: "Failed" };
      store.update(pod);
      store.requestDeletion(pod, { graceSeconds: 0 });
    } else if (node.spec?.taints?.some((taint) => taint.effect === "NoExecute") && !pod.metadata.deletionTimestamp) {
      // Its toleration has run out.
      disrupt(pod, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint");
      store.update(pod);
      store.requestDeletion(pod);
    }
  }
}

/** Pods whose Job went without them wait for nobody's count any more. */
function releaseOrphans(store: FakeStore): void {
  const jobs = new Set(store.list<Job>("Job").map((job) => job.metadata.uid));
  for (const pod of store.list<Pod>("Pod")) {
    if (!pod.metadata.finalizers?.includes(trackingFinalizer)) continue;
    if (pod.metadata.ownerReferences?.some(({ uid }) => jobs.has(uid))) continue;
    const finalizers = pod.metadata.finalizers.filter((finalizer) => finalizer !== trackingFinalizer);
    store.update({ ...pod, metadata: { ...pod.metadata, finalizers } });
    if (pod.metadata.deletionTimestamp && isOver(pod)) store.remove(pod);
  }
}

export function disrupt(pod: Pod, reason: string, message: string): void {
  const conditions = (pod.status?.conditions ?? []).filter(({ type }) => type !== "DisruptionTarget");
  pod.status = {
    ...pod.status,
    conditions: [...conditions, { type: "DisruptionTarget", status: "True", reason, message }],
  };
}

/** kubernetes.io/docs/concepts/workloads/controllers/job, with completion index, suspension and pod failure policy. */
function reconcileJob(store: FakeStore, job: Job): void {
  const pods = ownedPods(store, job);
  // Pods that have ended are counted, and then let go.
  const counted = { failed: job.status?.failed ?? 0, succeeded: job.status?.succeeded ?? 0 };
  const conditions = job.status?.conditions ?? [];
  const hasCondition = (type: string) =>
    conditions.some((condition) => condition.type === type && condition.status === "True");
  let failure: { reason: string; message: string } | null = null;
  for (const pod of pods) {
    const isTracked = pod.metadata.finalizers?.includes(trackingFinalizer);
    if (!isTracked || (!isOver(pod) && !(job.metadata.deletionTimestamp && pod.metadata.deletionTimestamp))) continue;
    if (pod.status?.phase === "Succeeded") counted.succeeded += 1;
    if (pod.status?.phase === "Failed") {
      const action = failureAction(job, pod);
      if (action !== "Ignore") counted.failed += 1;
      if (action === "FailJob") {
        const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
        const message = `Pod ${name} has condition DisruptionTarget matching FailJob rule at index 0`;
        failure = { reason: "PodFailurePolicy", message };
      }
    }
    pod.metadata.finalizers = pod.metadata.finalizers?.filter((finalizer) => finalizer !== trackingFinalizer);
    store.update(pod);
    if (pod.metadata.deletionTimestamp && isOver(pod)) store.remove(pod);
  }
  if (job.metadata.deletionTimestamp) return;
  const completions = job.spec?.completions ?? 1;
  const live = pods.filter((pod) => !isOver(pod));
  if (!failure && counted.failed > (job.spec?.backoffLimit ?? 6)) {
    failure = { reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit" };
  }
  if (failure && !hasCondition("FailureTarget") && !hasCondition("Failed")) {
    conditions.push({ type: "FailureTarget", status: "True", ...failure });
  }
  const target = conditions.find(({ type }) => type === "FailureTarget");
  if (target) {
    for (const pod of live) if (!pod.metadata.deletionTimestamp) store.requestDeletion(pod);
    if (live.length === 0 && !hasCondition("Failed")) conditions.push({ ...target, type: "Failed" });
  } else if (counted.succeeded >= completions) {
    if (!hasCondition("Complete")) conditions.push({ type: "Complete", status: "True", reason: "CompletionsReached" });
  } else if (job.spec?.suspend) {
    for (const pod of live) if (!pod.metadata.deletionTimestamp) store.requestDeletion(pod);
  } else {
    makeJobPods(store, job, pods);
  }
  const active = ownedPods(store, job).filter((pod) => !isOver(pod) && !pod.metadata.deletionTimestamp).length;
  store.update({
    ...job,
    status: { ...job.status, conditions, active, failed: counted.failed, succeeded: counted.succeeded },
  } as Job);
}

/** What the first rule of the pod failure policy that matches says; only rules on conditions are known here. */
function failureAction(job: Job, pod: Pod): string | undefined {
  const has = (type: string) =>
    pod.status?.conditions?.some((condition) => condition.type === type && condition.status === "True");
  return job.spec?.podFailurePolicy?.rules.find((rule) => rule.onPodConditions?.some(({ type }) => has(type)))?.action;
}

function makeJobPods(store: FakeStore, job: Job, pods: readonly Pod[]): void {
  const isIndexed = job.spec?.completionMode === "Indexed";
  const name = job.metadata.name;
  const have = new Set(pods.map((pod) => pod.metadata.labels?.[completionIndexLabel]));
  for (let index = 0; index < (job.spec?.completions ?? 1); index += 1) {
    if (isIndexed ? have.has(String(index)) : pods.length > 0) continue;
    const labels = {
      "batch.kubernetes.io/job-name": name,
      "batch.kubernetes.io/controller-uid": job.metadata.uid,
      ...(isIndexed ? { [completionIndexLabel]: String(index) } : {}),
    };
    makePod(store, job, job.spec?.template, {
      name: isIndexed ? `${name}-${index}-${suffix(store)}` : `${name}-${suffix(store)}`,
      labels,
      finalizers: [trackingFinalizer],
      ...(isIndexed ? { hostname: `${name}-${index}` } : {}),
    });
  }
}

function reconcileDeployment(store: FakeStore, deployment: Deployment): void {
  if (deployment.metadata.deletionTimestamp) return;
  const pods = ownedPods(store, deployment);
  for (const pod of pods.filter(isOver)) store.requestDeletion(pod);
  const live = pods.filter((pod) => !isOver(pod));
  // With the strategy Recreate the old pod has to be gone.
  if (live.length < (deployment.spec?.replicas ?? 1)) {
    makePod(store, deployment, deployment.spec?.template, {
      name: `${deployment.metadata.name}-${suffix(store)}`,
      labels: {},
    });
  }
  const ready = live.filter((pod) =>
    pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
  );
  store.update({
    ...deployment,
    status: { ...deployment.status, replicas: live.length, readyReplicas: ready.length },
  } as Deployment);
}

/** github.com/kubernetes-sigs/lws: names, labels, and the group that is recreated when one of its pods restarts or goes. */
function reconcileLeaderWorkers(store: FakeStore, set: LeaderWorkers): void {
  if (set.metadata.deletionTimestamp) return;
  const { replicas, leaderWorkerTemplate: group } = set.spec;
  const pods = ownedPods(store, set);
  for (let at = 0; at < replicas; at += 1) {
    const own = pods.filter((pod) => pod.metadata.labels?.["leaderworkerset.sigs.k8s.io/group-index"] === String(at));
    const isBroken = own.some(
      (pod) =>
        isOver(pod) || pod.metadata.deletionTimestamp || (pod.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0,
    );
    if (isBroken) {
      for (const pod of own) if (!pod.metadata.deletionTimestamp) store.requestDeletion(pod);
      continue;
    }
    for (let index = 0; index < group.size; index += 1) {
      const name = index === 0 ? `${set.metadata.name}-${at}` : `${set.metadata.name}-${at}-${index}`;
      if (own.some((pod) => pod.metadata.name === name)) continue;
      makePod(store, set, index === 0 ? group.leaderTemplate : group.workerTemplate, {
        name,
        labels: {
          "leaderworkerset.sigs.k8s.io/name": set.metadata.name,
          "leaderworkerset.sigs.k8s.io/group-index": String(at),
          [workerIndexLabel]: String(index),
        },
        hostname: name,
        subdomain: set.metadata.name,
      });
    }
  }
}

function makePod(
  store: FakeStore,
  owner: Stored,
  template:
    | { metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }; spec?: object }
    | undefined,
  given: { name: string; labels: Record<string, string>; finalizers?: string[]; hostname?: string; subdomain?: string },
): void {
  const { name, labels, finalizers, ...spec } = given;
  const { namespace } = owner.metadata;
  if (store.get("Pod", namespace, name)) return;
  store.create<Pod>({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      labels: { ...template?.metadata?.labels, ...labels },
      annotations: template?.metadata?.annotations,
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [
        {
          apiVersion: owner.apiVersion,
          kind: owner.kind,
          name: owner.metadata.name,
          uid: owner.metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: { ...structuredClone(template?.spec), ...spec },
    status: { phase: "Pending", conditions: [] },
  } as unknown as Pod);
}

function ownedPods(store: FakeStore, owner: Stored): Pod[] {
  return store
    .list<Pod>("Pod", owner.metadata.namespace)
    .filter((pod) => pod.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid));
}

/** Its containers have ended for good. */
export function isOver(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

function suffix(store: FakeStore): string {
  return store.version().toString(36).padStart(5, "x").slice(-5);
}
