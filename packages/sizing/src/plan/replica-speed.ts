import { estimateResolved, type Latency } from "../speed/estimate-latency.ts";
import { findKnee, type Knee } from "../speed/find-knee.ts";
import { resolveReplica } from "../speed/latency-request.ts";
import { speedConstants } from "../speed/speed-constants.ts";
import { asUsedFor } from "./precision.ts";
import type { ReplicaOption } from "./replica.ts";

export type SpeedRequest = {
  requestsInFlight: number;
  inputTokens: number;
  outputTokens: number;
  /** Share of the prompt that the prefix cache holds. */
  prefixCacheHitRate?: number;
  /** Prompts are computed elsewhere and sent over such a network. */
  disaggregated?: { networkGbps: number };
};

function requestOf(option: ReplicaOption, cacheGibPerGpu: number) {
  const { model, precision, gpu, engine, kvCacheDtype, tensorParallel, pipelineParallel, expertParallel } = option;
  return {
    model,
    gpu: asUsedFor(precision, gpu),
    engine,
    precision: model.quantization === null ? precision : null,
    kvCacheDtype,
    tensorParallel,
    pipelineParallel,
    expertParallel,
    cacheGibPerGpu,
  };
}

/** Latency of one replica by its load; the model is cut up once. */
export function measureSpeed(option: ReplicaOption, cacheGibPerGpu: number): (request: SpeedRequest) => Latency {
  const replica = resolveReplica(requestOf(option, cacheGibPerGpu), speedConstants);
  return ({ requestsInFlight, inputTokens, outputTokens, prefixCacheHitRate = 0, disaggregated }) =>
    estimateResolved(replica, {
      batch: requestsInFlight,
      isl: inputTokens,
      osl: outputTokens,
      prefixCacheHitRate,
      disaggregated: disaggregated ?? null,
    });
}

/** Where the replica saturates, limits or not. */
export function findReplicaKnee(
  option: ReplicaOption,
  cacheGibPerGpu: number,
  load: Omit<SpeedRequest, "requestsInFlight">,
): Knee {
  const { inputTokens: isl, outputTokens: osl, prefixCacheHitRate = 0 } = load;
  return findKnee({ ...requestOf(option, cacheGibPerGpu), isl, osl, prefixCacheHitRate });
}
