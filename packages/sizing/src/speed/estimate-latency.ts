import { countSequenceKvBytes } from "../memory/kv-per-user.ts";
import type { Model } from "../models/model.ts";
import { type CacheCapacity, estimateCacheCapacity } from "./cache-capacity.ts";
import {
  type DemandFields,
  type LatencyRequest,
  readDemand,
  type ResolvedReplica,
  resolveReplica,
} from "./latency-request.ts";
import { type SpeedConstants, speedConstants } from "./speed-constants.ts";
import { type Demand, solveSteadyState } from "./steady-state.ts";
import type { Replica, StepTime } from "./step-time.ts";

export type Latency = {
  /** Mean time from a request's arrival to its first token, and from token to token after it. */
  ttftMs: number;
  tpotMs: number;
  /** Output tokens of all requests, by all GPUs of the replica. */
  tokensPerSecondPerGpu: number;
  /** While an answer is written. */
  tokensPerSecondPerUser: number;
  /** More requests are in flight than the replica can run at once: the rest waits for a place. */
  saturated: boolean;
  /** Why, with numbers. */
  reason?: string;
  breakdown: {
    /** One step without prompts, by what takes the time. */
    decode: StepTime;
    /** Of each token's time, what other requests' prompts take. */
    prefillInterferenceMs: number;
    /** What computing one prompt takes beside the sequences that decode. */
    prefillMs: number;
    /** Of the time to the first token: waiting for the prompts ahead, and for a place. */
    queueMs: number;
    waitForPlaceMs: number;
    /** Sending the cache of a prompt to the GPUs that decode. */
    transferMs: number;
    /** Requests that run at once, and what sets the limit. */
    runningRequests: number;
    maxRunningRequests: number;
    limit: CacheCapacity["limit"];
    /** Reading each weight once at the data sheet's bandwidth: no engine is faster without drafts. */
    ceilingTokensPerSecondPerUser: number;
  };
};

/**
 * Time to the first token (TTFT) and per output token (TPOT) of one replica with `batch` requests in flight: rooflines
 * per operator, the queue of prompts, and the wait for a place in the KV cache.
 * @throws SizingError; see `resolveReplica`, `readDemand` and `estimateCacheCapacity`
 */
export function estimateLatency(request: LatencyRequest, constants: SpeedConstants = speedConstants): Latency {
  const resolved = resolveReplica(request, constants);
  return estimateResolved(resolved, readDemand(request, resolved.model));
}

/** The same replica at several batches: the curve of latency against throughput. */
export function curve(
  request: Omit<LatencyRequest, "batch">,
  batches: readonly number[],
): (Latency & { batch: number })[] {
  const resolved = resolveReplica(request, speedConstants);
  return batches.map((batch) => ({
    batch,
    ...estimateResolved(resolved, readDemand({ ...request, batch }, resolved.model)),
  }));
}

export function estimateResolved({ model, replica, cacheGibPerGpu }: ResolvedReplica, fields: DemandFields): Latency {
  const { batch, isl, osl } = fields;
  const capacity = estimateCacheCapacity(model, replica, { inputTokens: isl, outputTokens: osl }, cacheGibPerGpu);
  const running = Math.min(batch, capacity.sequences);
  const demand = describeDemand(fields, running);
  const state = solveSteadyState(replica, demand);
  const draft = 1 + (fields.speculative?.draftShare ?? 0);
  const tpotMs = state.tpotMs * draft;
  const transferMs = timeTransfer(model, replica, fields);
  const lifeMs = state.ttftMs + transferMs + Math.max(0, osl - 1) * tpotMs;
  // Little's law: `running` are served at a time, so each of the others waits for its share of their lives.
  const waitForPlaceMs = ((batch - running) / running) * lifeMs;
  const gpus = replica.parallelism.tensorParallel * replica.parallelism.pipelineParallel;
  const stages = replica.parallelism.pipelineParallel;
  return {
    ttftMs: state.ttftMs + transferMs + waitForPlaceMs,
    tpotMs,
    tokensPerSecondPerGpu: (1e3 * running * osl) / lifeMs / gpus,
    tokensPerSecondPerUser: 1e3 / tpotMs,
    saturated: running < batch,
    ...(running < batch ? { reason: explainLimit(capacity, batch, isl + osl) } : {}),
    breakdown: {
      decode: state.decode,
      prefillInterferenceMs: state.tpotMs - state.decode.total / demand.tokensPerStep,
      prefillMs: state.prefillMs,
      queueMs: (state.ahead * state.prefillMs) / stages,
      waitForPlaceMs,
      transferMs,
      runningRequests: running,
      maxRunningRequests: capacity.sequences,
      limit: capacity.limit,
      ceilingTokensPerSecondPerUser: replica.gpu.bandwidth / countReadBytes(replica),
    },
  };
}

function describeDemand(fields: DemandFields, running: number): Demand {
  const accepted = fields.speculative?.acceptedTokens ?? 0;
  return {
    batch: running,
    inputTokens: fields.isl,
    // An engine computes at least the last token of a prompt, whatever is cached.
    cachedTokens: Math.min(fields.isl - 1, Math.floor(fields.isl * fields.prefixCacheHitRate)),
    outputTokens: fields.osl,
    tokensPerStep: 1 + accepted,
    // The draft is a little longer than what is accepted of it: half as long again, as with EAGLE-2's usual acceptance.
    verifiedPerStep: 1 + Math.ceil(1.5 * accepted),
    disaggregated: Boolean(fields.disaggregated),
  };
}

/** The whole cache of a prompt crosses the network once; 400 Gbit/s for each GPU where nothing is said. */
function timeTransfer(model: Model, { cacheElementBytes, parallelism }: Replica, fields: DemandFields): number {
  const { disaggregated } = fields;
  if (!disaggregated) return 0;
  const gbps = disaggregated === true ? 400 : disaggregated.networkGbps;
  const kvCacheDtype = cacheElementBytes === 1 ? "fp8" : "auto";
  const { tensorParallel } = parallelism;
  const bytes = countSequenceKvBytes(model, fields.isl, { dtype: model.dtype, kvCacheDtype, tensorParallel });
  return (1e3 * bytes * 8) / (gbps * 1e9);
}

/** Bytes of weights that one GPU reads for a single token. */
function countReadBytes({ work, parallelism }: Replica): number {
  return work.layers.reduce((sum, { count, denseBytes, experts }) => {
    const chosen = experts ? (experts.perToken * experts.bytes) / parallelism.expertParallel : 0;
    return sum + count * (denseBytes + chosen);
  }, work.headBytes);
}

function explainLimit(capacity: CacheCapacity, batch: number, length: number): string {
  const runs = Math.floor(capacity.sequences);
  if (capacity.limit === "engine-limit")
    return `The engine runs at most ${runs} sequences at once, and ${batch} are in flight.`;
  return `The KV cache (${capacity.cacheGib.toFixed(1)} GiB on each GPU) holds about ${runs} sequences of ${length} tokens, and ${batch} are in flight: the others wait.`;
}
