import type { Workload } from "./concurrency.ts";
import type { SaturationPoint } from "./plan-types.ts";
import { residentTokens99 } from "./resident-tokens.ts";

export type BatchLatency = {
  ttftMs: number;
  tpotMs: number;
  /** Some of the requests wait for a place in the batch. */
  saturated?: boolean;
};
export type LatencyAt = (requestsInFlight: number) => BatchLatency;

export type CapacityLimits = {
  /** Requests of the workload's mean length that the KV cache holds. */
  meanRequests: number;
  /** Requests that fill the context. */
  fullRequests: number;
  /** `max_num_seqs` of the engine. */
  engineBatch: number;
};

export type Capacity = Pick<SaturationPoint, "requestsInFlight" | "limitedBy">;
export type Miss = {
  limit: SaturationPoint["limitedBy"];
  wanted: number;
  got: number;
  unit: "ms" | "tokens/s" | "requests";
};

/** Tokens of the first clause that a voice can start with. */
const firstClauseTokens = 12;
/** Recognising the end of speech and the first audio of the voice: half a second together in a tuned pipeline. */
const speechOverheadMs = 500;

/** Of one request, in requests/s of a closed loop: each one that ends is followed by the next. */
export function throughputOf(requests: number, latency: BatchLatency, outputTokens: number): number {
  return (1000 * requests) / (latency.ttftMs + latency.tpotMs * Math.max(0, outputTokens - 1));
}

export function firstSoundMs(latency: BatchLatency): number {
  return speechOverheadMs + latency.ttftMs + firstClauseTokens * latency.tpotMs;
}

/** The first limit that so many requests in flight on one replica break, or null. Memory comes first: without it nothing runs. */
export function findMiss(
  requests: number,
  workload: Workload,
  limits: CapacityLimits,
  latencyAt: LatencyAt,
): Miss | null {
  const held = residentTokens99(requests, 1, limits.meanRequests / Math.max(limits.fullRequests, 1e-9));
  if (held > limits.meanRequests)
    return { limit: "KV cache", wanted: requests, got: Math.floor(limits.meanRequests), unit: "requests" };
  if (requests > limits.engineBatch)
    return { limit: "engine batch limit", wanted: requests, got: limits.engineBatch, unit: "requests" };
  const latency = latencyAt(requests);
  // The engine keeps room for whole requests, which is less than what they hold on average.
  if (latency.saturated === true) return { limit: "KV cache", wanted: requests, got: requests - 1, unit: "requests" };
  const { ttftMs, tokensPerSecondPerUser, firstSoundMs: soundLimit } = workload.limits;
  if (ttftMs !== null && latency.ttftMs > ttftMs)
    return { limit: "time to first token", wanted: ttftMs, got: latency.ttftMs, unit: "ms" };
  const sound = firstSoundMs(latency);
  if (soundLimit !== null && sound > soundLimit)
    return { limit: "time to first sound", wanted: soundLimit, got: sound, unit: "ms" };
  const speed = 1000 / latency.tpotMs;
  if (tokensPerSecondPerUser !== null && speed < tokensPerSecondPerUser) {
    return { limit: "speed per user", wanted: tokensPerSecondPerUser, got: speed, unit: "tokens/s" };
  }
  return null;
}

/** The most requests in flight that one replica serves within all limits; or the limit that even one request breaks. */
export function findCapacity(workload: Workload, limits: CapacityLimits, latencyAt: LatencyAt): Capacity | Miss {
  const missAt = (requests: number) => findMiss(requests, workload, limits, latencyAt);
  const first = missAt(1);
  if (first) return first;
  let good = 1;
  let bad = 2;
  while (bad <= limits.engineBatch && missAt(bad) === null) {
    good = bad;
    bad *= 2;
  }
  bad = Math.min(bad, limits.engineBatch + 1);
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (missAt(middle) === null) good = middle;
    else bad = middle;
  }
  return { requestsInFlight: good, limitedBy: missAt(bad)?.limit ?? "engine batch limit" };
}
