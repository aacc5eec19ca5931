import type { Policy } from "./fleet-roster.ts";
import type { ReplicaMetrics } from "./observation.ts";
import { loadOf, type ReplicaProfile } from "./replica-profile.ts";

export const thresholdMetrics = ["requests", "kv-cache", "utilisation"] as const;
export type ThresholdMetric = (typeof thresholdMetrics)[number];

export type ThresholdSettings = {
  /** Requests in flight, share of the KV cache, or busy share by tokens, of all replicas. */
  metric: ThresholdMetric;
  /** What one replica should have of it. */
  target: number;
  /** Before fewer replicas than in any recommendation of this time are kept; 300 is Kubernetes' default. */
  stabilisationSeconds: number;
  profile: ReplicaProfile;
};

const smoothingSeconds = 60;
const tolerance = 0.1;

/**
 * What KEDA with Kubernetes' HorizontalPodAutoscaler does: total / target replicas, nothing within a tolerance of 10 %, at
 * most the larger of four and 100 % more at once, and fewer only when no recommendation of the last minutes asked for more
 * (kubernetes.io, "Horizontal Pod Autoscaling": algorithm and default behaviour). The metric is an average of a minute.
 */
export function createThresholdPolicy(settings: ThresholdSettings): Policy {
  let totals: { at: number; total: number }[] = [];
  let recommended: { at: number; replicas: number }[] = [];
  return ({ at, replicas }) => {
    const active = replicas.filter(({ status }) => status !== "draining").length;
    const total = replicas.reduce((sum, { metrics }) => sum + (metrics === null ? 0 : valueOf(metrics, settings)), 0);
    totals = [...totals.filter((each) => each.at > at - smoothingSeconds), { at, total }];
    const mean = totals.reduce((sum, each) => sum + each.total, 0) / totals.length;
    const within = Math.abs(mean / settings.target / Math.max(1, active) - 1) <= tolerance;
    const wanted = within ? active : Math.min(Math.ceil(mean / settings.target), active + Math.max(4, active));
    if (recommended.length === 0) recommended = [{ at, replicas: active }];
    recommended = [
      ...recommended.filter((each) => each.at > at - settings.stabilisationSeconds),
      { at, replicas: wanted },
    ];
    const kept = recommended.reduce((most, each) => Math.max(most, each.replicas), 1);
    return { desiredReplicas: Math.max(1, wanted > active ? wanted : Math.min(active, kept)) };
  };
}

function valueOf(metrics: ReplicaMetrics, { metric, profile }: ThresholdSettings): number {
  switch (metric) {
    case "requests":
      return metrics.running + metrics.waiting;
    case "kv-cache":
      return metrics.kvUsage;
    case "utilisation":
      return loadOf(metrics, profile);
  }
}
