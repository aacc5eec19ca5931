import {
  BatchV1Api,
  CoreV1Api,
  type KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
} from "@kubernetes/client-node";
import { setTimeout as sleep } from "node:timers/promises";
import type { WorkloadState } from "./cluster-driver.ts";
import { managedByUs, workloadIdAnnotation } from "./kubernetes-labels.ts";
import { chooseDelay, type RetrySettings } from "./with-retries.ts";

/**
 * States as they change. What changes is heard from watches on records, Jobs and pods; what the state is then is asked
 * anew, so that a lost or repeated event does no harm. The watches list again what they missed, after a 410 Gone too, and
 * come back after a broken connection for as long as it takes.
 */
export async function* watchKubernetes(options: {
  kubeConfig: KubeConfig;
  namespace: string;
  observe: (workloadId: string) => Promise<WorkloadState>;
  retries: RetrySettings;
  signal: AbortSignal;
}): AsyncGenerator<WorkloadState> {
  const { kubeConfig, namespace, signal } = options;
  const changed = new Set<string>();
  let wake = () => {};
  const hear = (object: KubernetesObject) => {
    const workloadId = object.metadata?.annotations?.[workloadIdAnnotation];
    if (workloadId === undefined) return;
    changed.add(workloadId);
    wake();
  };
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const batch = kubeConfig.makeApiClient(BatchV1Api);
  const query = { namespace, labelSelector: managedByUs };
  const sources: [path: string, list: () => Promise<KubernetesListObject<KubernetesObject>>][] = [
    [`/api/v1/namespaces/${namespace}/configmaps`, () => core.listNamespacedConfigMap(query)],
    [`/api/v1/namespaces/${namespace}/pods`, () => core.listNamespacedPod(query)],
    [`/apis/batch/v1/namespaces/${namespace}/jobs`, () => batch.listNamespacedJob(query)],
  ];
  const informers = sources.map(([path, list]) => {
    const informer = makeInformer(kubeConfig, path, list, managedByUs);
    let failures = 0;
    informer.on("change", (object) => {
      failures = 0;
      hear(object);
    });
    informer.on("error", () => {
      failures += 1;
      const delayMs = chooseDelay(Math.min(failures, 30), null, options.retries, Math.random());
      // The wait ends with the watching; so does what would follow it.
      sleep(delayMs, undefined, { signal, ref: false }).then(
        () => (signal.aborted ? undefined : informer.start()),
        () => undefined,
      );
    });
    return informer;
  });
  signal.addEventListener("abort", () => wake(), { once: true });
  const told = new Map<string, string>();
  try {
    await Promise.all(informers.map((informer) => informer.start()));
    while (!signal.aborted) {
      if (changed.size === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (signal.aborted) resolve();
        });
        continue;
      }
      const [workloadId = ""] = changed;
      changed.delete(workloadId);
      const state = await options.observe(workloadId).catch(() => null);
      if (!state) {
        // It could not be asked; the change is still to be told.
        await sleep(options.retries.firstDelayMs, undefined, { signal }).catch(() => undefined);
        changed.add(workloadId);
        continue;
      }
      const text = JSON.stringify(state);
      if (told.get(workloadId) === text) continue;
      if (state.status === "gone") told.delete(workloadId);
      else told.set(workloadId, text);
      yield state;
    }
  } finally {
    await Promise.all(informers.map((informer) => informer.stop()));
  }
}
