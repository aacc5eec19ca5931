import { loadOf, type ReplicaProfile } from "./replica-profile.ts";
import { durationOf, type RequestTrace } from "./request-trace.ts";

/** What comes in each interval; all arrays have one entry an interval. */
export type IntervalLoad = {
  intervalSeconds: number;
  durationSeconds: number;
  requests: Float64Array;
  promptTokens: Float64Array;
  outputTokens: Float64Array;
};

/**
 * Sums a trace up by interval, at `scale` times its rate. Scaling spreads each request over `spreadSeconds` either way, as
 * `scaleTrace` spreads its copies.
 */
export function sumByInterval(
  trace: RequestTrace,
  intervalSeconds: number,
  scale = 1,
  spreadSeconds = 0,
): IntervalLoad {
  const durationSeconds = durationOf(trace);
  const length = Math.floor(durationSeconds / intervalSeconds) + 1;
  const sums = [0, 1, 2].map(() => new Float64Array(length));
  for (let i = 0; i < trace.arrivals.length; i++) {
    const interval = Math.floor(trace.arrivals[i]! / intervalSeconds);
    sums[0]![interval]! += scale;
    sums[1]![interval]! += scale * trace.promptTokens[i]!;
    sums[2]![interval]! += scale * trace.outputTokens[i]!;
  }
  const reach = scale > 1 ? Math.round(spreadSeconds / intervalSeconds) : 0;
  const [requests, promptTokens, outputTokens] = sums.map((values) => spread(values, reach));
  return {
    intervalSeconds,
    durationSeconds,
    requests: requests!,
    promptTokens: promptTokens!,
    outputTokens: outputTokens!,
  };
}

/** Busy replicas that each interval amounts to. */
export function loadByInterval(load: IntervalLoad, profile: ReplicaProfile): Float64Array {
  return Float64Array.from(load.requests, (_, k) =>
    loadOf(
      {
        promptTokensPerSecond: load.promptTokens[k]! / load.intervalSeconds,
        outputTokensPerSecond: load.outputTokens[k]! / load.intervalSeconds,
      },
      profile,
    ),
  );
}

/** Each value in equal parts over `reach` intervals either way, folded back at the ends. */
function spread(values: Float64Array, reach: number): Float64Array {
  if (reach === 0) return values;
  const result = new Float64Array(values.length);
  const last = values.length - 1;
  for (let k = 0; k <= last; k++) {
    for (let offset = -reach; offset <= reach; offset++) {
      const at = Math.abs(last - Math.abs(last - Math.abs(k + offset)));
      result[Math.min(last, at)]! += values[k]! / (2 * reach + 1);
    }
  }
  return result;
}
