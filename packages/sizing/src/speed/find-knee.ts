import { curve, estimateLatency, type Latency } from "./estimate-latency.ts";
import type { LatencyRequest } from "./latency-request.ts";

export type Knee = {
  /** The most requests in flight that all run: one more waits for a place, and the time to the first token explodes. */
  batch: number;
  limit: Latency["breakdown"]["limit"];
  /** From here on twice the batch gives less than a quarter more tokens: it only makes everybody slower. */
  efficientBatch: number;
  /** How the replica is at `batch`. */
  latency: Latency;
};

/** Twice the batch, this many times the tokens; part of a doubling is measured by the same exponent. */
const gainExponent = Math.log2(1.25);

/**
 * Where a replica saturates, for requests of one length.
 * @throws SizingError as `estimateLatency` does
 */
export function findKnee(request: Omit<LatencyRequest, "batch">): Knee {
  const single = estimateLatency({ ...request, batch: 1 });
  const { maxRunningRequests, limit } = single.breakdown;
  const batch = Math.max(1, Math.floor(maxRunningRequests));
  const batches = [...doubleUpTo(batch), batch];
  const points = curve(request, batches);
  const flat = points.findIndex((point, index) => {
    const next = points[index + 1];
    return (
      next && next.tokensPerSecondPerGpu < point.tokensPerSecondPerGpu * (next.batch / point.batch) ** gainExponent
    );
  });
  const last = points.at(-1);
  return {
    batch,
    limit,
    efficientBatch: points[flat]?.batch ?? batch,
    latency: last ?? single,
  };
}

function doubleUpTo(limit: number): number[] {
  const batches: number[] = [];
  for (let batch = 1; batch < limit; batch *= 2) batches.push(batch);
  return batches;
}
