import { AnnealError } from "@anneal/core/errors";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterApi } from "./cluster-api.ts";
import { isGoing, listObjects, type WorkloadObjects } from "./kubernetes-objects.ts";

/**
 * Deletes what the labels select and waits until it is gone. Pods end within the grace, or within their own if that is
 * shorter; Kubernetes cannot prolong it. Found by label, so that what lost its owner goes too.
 * @param accept which of the selected objects to delete; default all
 * @throws AnnealError DEPLOYMENT_FAILED, retryable, when something is still there long after the grace
 */
export async function removeObjects(
  api: ClusterApi,
  options: {
    workloadId: string;
    labels: string;
    accept?: (objects: WorkloadObjects) => WorkloadObjects;
    graceMs: number;
    /** What the cluster itself may take beyond the grace. */
    marginMs: number;
    pollMs: number;
  },
): Promise<void> {
  const { workloadId, graceMs } = options;
  // 0 would take the pod off the books without waiting for its end.
  const graceSeconds = Math.max(1, Math.ceil(graceMs / 1000));
  const list = async () => {
    const objects = await listObjects(api, options.labels);
    return options.accept?.(objects) ?? objects;
  };
  const shortened = new Set<string>();
  const deadline = Date.now() + graceMs + options.marginMs;
  for (let left = await list(); left.owners.length + left.pods.length > 0; left = await list()) {
    // Owners first: one that is being deleted makes no new pods.
    for (const owner of left.owners) if (!isGoing(owner)) await api.remove(owner, { propagation: "Foreground" });
    for (const { metadata, spec } of left.pods) {
      const key = metadata?.uid ?? "";
      if (shortened.has(key)) continue;
      const isShorter =
        graceSeconds < (metadata?.deletionGracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? 30);
      if (isShorter || metadata?.deletionTimestamp === undefined) {
        const reference = { apiVersion: "v1", kind: "Pod", name: metadata?.name ?? "" };
        await api.remove(reference, isShorter ? { gracePeriodSeconds: graceSeconds } : {});
      }
      shortened.add(key);
    }
    if (Date.now() > deadline) throw stuck(workloadId, left);
    await sleep(options.pollMs);
  }
}

function stuck(workloadId: string, left: WorkloadObjects): AnnealError {
  const pods = left.pods.map((pod) => `${pod.metadata?.name} on "${pod.spec?.nodeName ?? "no node"}"`);
  const names = [...pods, ...left.owners.map((owner) => `${owner.kind} ${owner.name}`)];
  return new AnnealError("DEPLOYMENT_FAILED", `"${workloadId}" does not end: ${names.slice(0, 3).join(", ")} stays.`, {
    action:
      "If its node does not answer any more, give that the taint node.kubernetes.io/out-of-service; otherwise look for a finalizer on the object.",
    details: { workloadId, left: names },
    retryable: true,
  });
}
