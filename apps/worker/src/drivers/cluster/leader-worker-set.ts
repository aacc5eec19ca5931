import type { V1ObjectMeta, V1PodTemplateSpec } from "@kubernetes/client-node";

/**
 * What we use of LeaderWorkerSet, a resource that has to be installed (github.com/kubernetes-sigs/lws, its
 * api/leaderworkerset/v1): groups of one leader pod and its workers, which are created and recreated together.
 */
export type LeaderWorkerSet = {
  apiVersion: typeof leaderWorkerSetVersion;
  kind: "LeaderWorkerSet";
  metadata: V1ObjectMeta;
  spec: {
    /** Groups. */
    replicas: number;
    leaderWorkerTemplate: {
      leaderTemplate: V1PodTemplateSpec;
      workerTemplate: V1PodTemplateSpec;
      /** Pods of a group, its leader included. */
      size: number;
      restartPolicy: "RecreateGroupOnPodRestart";
    };
    startupPolicy: "LeaderCreated";
    /** One headless service for all groups, of the set's name. */
    networkConfig: { subdomainPolicy: "Shared" };
  };
};

export const leaderWorkerSetVersion = "leaderworkerset.x-k8s.io/v1";
/** Labels that its controller puts on pods. */
export const workerIndexLabel = "leaderworkerset.sigs.k8s.io/worker-index";
