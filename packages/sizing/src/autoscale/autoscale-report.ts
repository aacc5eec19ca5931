import type { FleetRun } from "./fleet-run.ts";

export type PolicySummary = Omit<FleetRun, "timeline"> & {
  /** What was tuned for it, or what it knew. */
  settings: Record<string, number | string>;
};

export type AutoscaleReport = {
  /** Of Anneal's controller. */
  sloAttainment: number;
  gpuHours: number;
  requests: number;
  durationSeconds: number;
  scale: number;
  simulated: "request by request" | "interval by interval";
  settings: Record<string, number | string>;
  policies: {
    anneal: PolicySummary;
    fixed: PolicySummary | null;
    /** On the better of the two metrics that vLLM reports. */
    threshold: PolicySummary | null;
    /** On the load that the sizing model makes of the tokens: the controller's own signal, without its forecast. */
    loadThreshold: PolicySummary | null;
    /** Knows the trace and needs only the target. */
    oracle: PolicySummary | null;
    /** Knows the trace and needs the attainment that Anneal's controller reached. */
    oracleAtSameAttainment: PolicySummary | null;
  };
  /** GPU-hours of Anneal's controller by those of the other; null where the other never reached the attainment. */
  ratios: {
    toOracle: number | null;
    toOracleAtSameAttainment: number | null;
    toFixed: number | null;
    toThreshold: number | null;
    toLoadThreshold: number | null;
  };
  /** Share of GPU-hours saved against the threshold controllers at the same attainment. */
  saved: {
    againstThreshold: number | null;
    againstLoadThreshold: number | null;
  };
  /** What more replicas than anyone would pay for could not change: the share of requests that is within the limits then. */
  bestAttainment: number;
  timeline: {
    at: number;
    load: number;
    anneal: number;
    fixed: number;
    threshold: number | null;
    oracle: number | null;
  }[];
  decisions: { at: number; desiredReplicas: number; reasons: string[] }[];
};
