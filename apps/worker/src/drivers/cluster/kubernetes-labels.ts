import type { V1ObjectMeta } from "@kubernetes/client-node";
import { nameWorkload, type Workload } from "./workload.ts";

export const workloadLabel = "anneal.dev/workload";
export const replicaLabel = "anneal.dev/replica";
/** As they were given; ids may hold what a label may not. */
export const workloadIdAnnotation = "anneal.dev/workload-id";
export const workspaceIdAnnotation = "anneal.dev/workspace-id";
export const managedByUs = "app.kubernetes.io/managed-by=anneal";

/** Of every object of a workload; with `replica` of everything that belongs to that one, its pods included. */
export function labelsOf(workload: Workload, replica?: number): Record<string, string> {
  return {
    ...workload.labels,
    "app.kubernetes.io/name": `anneal-${workload.kind}`,
    "app.kubernetes.io/instance": nameWorkload(workload.id),
    "app.kubernetes.io/component": workload.kind,
    "app.kubernetes.io/part-of": "anneal",
    "app.kubernetes.io/managed-by": "anneal",
    [workloadLabel]: nameWorkload(workload.id),
    ...(replica === undefined ? {} : { [replicaLabel]: String(replica) }),
  };
}

export function annotationsOf(workload: Workload): Record<string, string> {
  return { [workloadIdAnnotation]: workload.id, [workspaceIdAnnotation]: workload.workspaceId };
}

/** @returns null for an object that is not of a replica */
export function replicaOf(metadata: V1ObjectMeta | undefined): number | null {
  const label = metadata?.labels?.[replicaLabel];
  return label === undefined ? null : Number(label);
}

export function selectWorkload(workloadId: string): string {
  return `${workloadLabel}=${nameWorkload(workloadId)}`;
}

export function nameReplica(workloadId: string, replica: number): string {
  return `${nameWorkload(workloadId)}-r${replica}`;
}
