import type { Cluster, Job, Waiting } from "./cluster.ts";
import type { TopologyLevel } from "./placement-request.ts";
import { borrowedMilli } from "./quota.ts";
import type { AllowedTypes } from "./slot-costs.ts";
import { classOf } from "./waiting.ts";

/** What is looked for, and what has been stopped for it so far. */
export type Search = {
  cluster: Cluster;
  ask: Waiting;
  allowed: AllowedTypes;
  domain: readonly number[] | null;
  reclaims: boolean;
  apart: boolean;
  level: TopologyLevel;
  /** Ids that have only just started. */
  spared: ReadonlySet<string>;
  evicted: Set<Job>;
  borrowed: Map<Job["team"], number>;
};

/** What stopping the job now throws away: its GPUs times the time since its last checkpoint, in GPU-milliseconds. */
export function lossOf(job: Job, nowMs: number): number {
  const savedMs = Math.max(job.startedAtMs, Math.min(job.request.checkpointedAtMs ?? 0, nowMs));
  return (job.gpuMilli / 1000) * Math.max(0, nowMs - savedMs);
}

/**
 * Whose place the work may take: preemptible work of a lower class or, within its class, of lower standing; at equal
 * priority what a team borrowed, as long as the asking team stays within its own quota. Nothing takes serving's place
 * but serving.
 */
export function mayEvict(
  ask: Waiting,
  job: Job,
  reclaims: boolean,
  borrowed: ReadonlyMap<Job["team"], number>,
): boolean {
  if (!job.preemptible) return false;
  const classes = classOf(ask.request) - classOf(job.request);
  if (classes !== 0) return classes > 0;
  if (ask.request.priority > job.standing) return true;
  return (
    ask.request.priority >= job.request.priority &&
    reclaims &&
    job.team !== ask.team &&
    (borrowed.get(job.team) ?? borrowedMilli(job.team)) > 0
  );
}
