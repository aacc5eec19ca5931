/**
 * What one replica can do, as an engine with continuous batching and chunked prefill does it. A step of the engine takes
 * `decodeBaseMs + decodePerSequenceMs x running + prompt tokens / prefillTokensPerSecond`.
 */
export type ReplicaProfile = {
  name: string;
  gpus: number;
  prefillTokensPerSecond: number;
  /** Reading the weights once: what a step costs with nothing in it. */
  decodeBaseMs: number;
  decodePerSequenceMs: number;
  /** `max_num_seqs`. */
  maxBatch: number;
  /** `max_num_batched_tokens`: tokens of one step, decoded ones and prompt tokens together. */
  stepTokens: number;
  /** Room of the KV cache, in tokens. */
  kvTokens: number;
};

/** A request meets its objective when both hold. */
export type LatencyLimits = { ttftMs: number; tpotMs: number };

/**
 * Llama-3.1-70B in FP8 on two H100, vLLM. Prefill and decode are fitted on ai-dynamo/aiconfigurator's measurements of it
 * (`silicon_sample.csv`, Apache-2.0: isl 1024 and 8192, osl 1024, batch 4 to 64, below the knee; 12 rows): in a closed
 * loop TPOT = base + perSequence x batch + batch x (isl / osl) / prefill, and of perSequence the part that reads the KV
 * cache is scaled to 1,300 tokens a sequence. KV cache in FP8: 2 x (72 - 37) GiB less workspace, at 160 KiB a token.
 */
export const defaultProfile: ReplicaProfile = {
  name: "Llama-3.1-70B FP8 on 2 x H100, KV cache in FP8",
  gpus: 2,
  prefillTokensPerSecond: 13_000,
  decodeBaseMs: 16.8,
  decodePerSequenceMs: 0.11,
  maxBatch: 256,
  // A step full of prompts stays within the 200 ms of the limit below; vLLM's 8,192 would not.
  stepTokens: 2048,
  kvTokens: 440_000,
};

/**
 * Time to first token 2 s and 200 ms a token: the limits of MLPerf Inference's server scenario for a 70B chat model
 * (Llama-2-70B, from v4.0 on). They leave prefill and batch their usual room; an interactive product sets its own.
 */
export const defaultLimits: LatencyLimits = { ttftMs: 2000, tpotMs: 200 };

/** Tokens a second that arrive, or that were served. */
export type TokenRate = { promptTokensPerSecond: number; outputTokensPerSecond: number };

/**
 * Busy replicas that a load amounts to: the share of every second that goes into prompts and into sequences, without
 * the base of the steps, which the batch shares. From time per second: prompts take `prompt / prefill`, and with s steps
 * a second `s x (base + perSequence x batch) = 1 - prompts` and `s x batch = output`.
 */
export function loadOf(rate: TokenRate, profile: ReplicaProfile): number {
  return (
    rate.promptTokensPerSecond / profile.prefillTokensPerSecond +
    (rate.outputTokensPerSecond * profile.decodePerSequenceMs) / 1000
  );
}

/** Tokens of a typical request. */
export type RequestShape = { promptTokens: number; outputTokens: number };

/**
 * The highest load that one replica serves steadily within the limits, as a share of 1. With load u, TPOT is
 * base / (1 - u) and the batch is output rate x TPOT; so u is bounded by the TPOT limit, by `maxBatch` and by the KV cache.
 */
export function sustainableLoad(profile: ReplicaProfile, limits: LatencyLimits, shape: RequestShape): number {
  const { promptTokens, outputTokens } = shape;
  const byTpot = 1 - profile.decodeBaseMs / limits.tpotMs;
  const batch = Math.min(profile.maxBatch, profile.kvTokens / Math.max(1, promptTokens + outputTokens / 2));
  // Load of one request a second, and of that the output's part: batch = u / perRequest x output x base / (1 - u).
  const perRequest = loadOf({ promptTokensPerSecond: promptTokens, outputTokensPerSecond: outputTokens }, profile);
  const decodeSeconds = (outputTokens * profile.decodeBaseMs) / 1000;
  const byBatch = decodeSeconds > 0 ? batch / (batch + decodeSeconds / Math.max(perRequest, 1e-9)) : 1;
  return Math.max(0.05, Math.min(byTpot, byBatch, 0.95));
}

/**
 * The profile of a replica that the sizing model describes (`replicaCapacity`): its decode step as a straight line between
 * one sequence and the batch that it serves best, and steps small enough that a full one stays within the TPOT limit.
 */
export function profileOf(
  capacity: {
    prefillTokensPerSecond: number;
    decodeStepMs: (batch: number) => number;
    stepTokens: number;
    cacheTokens: number;
    maxBatch: number;
    saturationBatch: number;
  },
  { name, gpus, limits }: { name: string; gpus: number; limits: LatencyLimits },
): ReplicaProfile {
  const batch = Math.max(2, Math.min(capacity.maxBatch, capacity.saturationBatch));
  const perSequence = Math.max(0, (capacity.decodeStepMs(batch) - capacity.decodeStepMs(1)) / (batch - 1));
  const base = capacity.decodeStepMs(1) - perSequence;
  const promptMs = Math.max(0, limits.tpotMs - base - perSequence * batch);
  const withinLimit = Math.floor((promptMs / 1000) * capacity.prefillTokensPerSecond) + batch;
  return {
    name,
    gpus,
    prefillTokensPerSecond: capacity.prefillTokensPerSecond,
    decodeBaseMs: base,
    decodePerSequenceMs: perSequence,
    maxBatch: capacity.maxBatch,
    stepTokens: Math.max(256, Math.min(capacity.stepTokens, withinLimit)),
    kvTokens: Number.isFinite(capacity.cacheTokens) ? capacity.cacheTokens : Number.MAX_SAFE_INTEGER,
  };
}
