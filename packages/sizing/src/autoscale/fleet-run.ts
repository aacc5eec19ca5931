import type { RosterSettings } from "./fleet-roster.ts";
import type { Observation } from "./observation.ts";
import type { LatencyLimits, ReplicaProfile } from "./replica-profile.ts";

export type FleetSettings = RosterSettings & {
  profile: ReplicaProfile;
  limits: LatencyLimits;
  /** Between two decisions. */
  intervalSeconds: number;
  /**
   * What the gateway does with a request that cannot have its first token in time: `late-last` gives it low priority, so
   * that a fleet that is a little too small is late for a few; with `arrival` each that comes after it is late as well.
   */
  order: "late-last" | "arrival";
};

export type FleetRun = {
  /** Share of requests within both limits. */
  sloAttainment: number;
  requests: number;
  lateRequests: number;
  gpuHours: number;
  starts: number;
  drains: number;
  cancelledStarts: number;
  maxReplicas: number;
  /** Null where requests were not followed one by one. */
  latency: { ttftP50Ms: number; ttftP99Ms: number; tpotP99Ms: number } | null;
  timeline: TimelinePoint[];
};

/** The fleet at one decision, and how many first tokens came too late in the interval before it. */
export type TimelinePoint = { at: number; serving: number; starting: number; draining: number; late: number };

export function timelinePoint(observation: Observation, at: number): TimelinePoint {
  const count = (wanted: string) => observation.replicas.filter(({ status }) => status === wanted).length;
  const late = observation.replicas.reduce((sum, { metrics }) => sum + (metrics?.lateFirstTokens ?? 0), 0);
  return { at, serving: count("serving"), starting: count("starting"), draining: count("draining"), late };
}
