import type { Policy } from "./fleet-roster.ts";
import type { ReplicaMetrics } from "./observation.ts";
import { loadOf, type ReplicaProfile } from "./replica-profile.ts";

/**
 * What the replicas together have of it: requests running and waiting, filled KV caches (both as vLLM reports them and as the
 * guides of GKE, KServe and vLLM's production stack recommend), or load by tokens, which only a model of the replica knows.
 */
export type ThresholdMetric = "requests" | "kv-cache" | "load";

export type ThresholdSettings = {
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
    case "load":
      return loadOf(metrics, profile);
  }
}
