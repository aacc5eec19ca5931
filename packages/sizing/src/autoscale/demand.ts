import type { Observation, ReplicaMetrics } from "./observation.ts";
import { loadOf, type ReplicaProfile, type RequestShape } from "./replica-profile.ts";

/** The fleet in one interval. Rates are of all replicas that take or finish requests. */
export type Demand = {
  /** Busy replicas that what arrived amounts to: what was served, and what the queues grew by. */
  load: number;
  /** The part of it that was served. */
  served: number;
  /** Busy replicas that it takes to work off the queues by the time that a new replica would serve. */
  backlog: number;
  /** Replicas that take requests, and those of them that had their share: one that has just come up had not. */
  serving: number;
  busy: number;
  running: number;
  waiting: number;
  kvUsage: number;
  outputTokensPerSecond: number;
  promptTokensPerSecond: number;
  firstTokens: number;
  lateFirstTokens: number;
  ttftP99Ms: number | null;
  tpotP99Ms: number | null;
  /** Replicas that serve but whose metrics are missing or are no numbers. */
  unknown: readonly string[];
};

/**
 * Adds up what the replicas report; null when no replica that serves reports anything usable. One whose metrics are
 * missing is taken to do what the others do.
 */
export function readDemand(
  observation: Observation,
  profile: ReplicaProfile,
  shape: RequestShape,
  waitingBefore: number,
  { intervalSeconds, coldStartSeconds }: { intervalSeconds: number; coldStartSeconds: number },
): Demand | null {
  const working = observation.replicas.filter(({ status }) => status === "serving" || status === "draining");
  const known: ReplicaMetrics[] = [];
  const unknown: string[] = [];
  for (const { id, status, metrics } of working) {
    if (isUsable(metrics)) known.push(metrics);
    else if (status === "serving") unknown.push(id);
  }
  if (known.length === 0) return null;
  const sum = (read: (metrics: ReplicaMetrics) => number) => known.reduce((total, metrics) => total + read(metrics), 0);
  const all = (known.length + unknown.length) / known.length;
  const waiting = sum((metrics) => metrics.waiting);
  const rate = {
    promptTokensPerSecond: sum((metrics) => metrics.promptTokensPerSecond) * all,
    outputTokensPerSecond: sum((metrics) => metrics.outputTokensPerSecond) * all,
  };
  const served = loadOf(rate, profile);
  const loadOfRequests = (perSecond: number) =>
    loadOf(
      { promptTokensPerSecond: shape.promptTokens * perSecond, outputTokensPerSecond: shape.outputTokens * perSecond },
      profile,
    );
  const worst = (read: (metrics: ReplicaMetrics) => number | null) => {
    const values = known.map(read).filter((value) => value !== null);
    return values.length === 0 ? null : Math.max(...values);
  };
  return {
    load: Math.max(0, served + loadOfRequests((waiting - waitingBefore) / intervalSeconds)),
    served,
    backlog: loadOfRequests(waiting / coldStartSeconds),
    serving: working.filter(({ status }) => status === "serving").length,
    busy: known.filter((metrics) => loadOf(metrics, profile) >= served / all / known.length / 2).length,
    running: sum((metrics) => metrics.running),
    waiting,
    kvUsage: Math.max(...known.map((metrics) => metrics.kvUsage)),
    ...rate,
    firstTokens: sum((metrics) => metrics.firstTokens),
    lateFirstTokens: sum((metrics) => metrics.lateFirstTokens),
    ttftP99Ms: worst((metrics) => metrics.ttftP99Ms),
    tpotP99Ms: worst((metrics) => metrics.tpotP99Ms),
    unknown,
  };
}

function isUsable(metrics: ReplicaMetrics | null): metrics is ReplicaMetrics {
  if (metrics === null) return false;
  const { ttftP99Ms, tpotP99Ms, ...numbers } = metrics;
  const optional = [ttftP99Ms, tpotP99Ms].filter((value) => value !== null);
  return [...Object.values(numbers), ...optional].every((value) => Number.isFinite(value) && value >= 0);
}
