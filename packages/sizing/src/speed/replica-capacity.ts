import { estimateCacheCapacity } from "./cache-capacity.ts";
import { findKnee } from "./find-knee.ts";
import { readDemand, type ReplicaRequest, resolveReplica } from "./latency-request.ts";
import { speedConstants } from "./speed-constants.ts";
import { stepTokenBudget, timeStep } from "./step-time.ts";

export type ReplicaCapacity = {
  /** Tokens of prompts of this length, with nothing else to do. */
  prefillTokensPerSecond: number;
  /** One step of so many sequences, half-way through their answers, without prompts. */
  decodeStepMs: (batch: number) => number;
  /** Tokens of prompts that one step takes. */
  stepTokens: number;
  /** Tokens that the KV cache of the replica holds, by requests of this length; infinite where nothing grows with a context. */
  cacheTokens: number;
  /** Requests that run at once at most, by cache and engine. */
  maxBatch: number;
  /** Beyond it twice the batch gives less than a quarter more tokens. */
  saturationBatch: number;
};

/**
 * What planner and autoscaler need to know of one replica.
 * @param length of a typical request, in tokens
 * @throws SizingError as `estimateLatency` does
 */
export function replicaCapacity(request: ReplicaRequest, length: { isl: number; osl: number }): ReplicaCapacity {
  const { model, replica, cacheGibPerGpu } = resolveReplica(request, speedConstants);
  const { isl, osl } = readDemand({ ...length, batch: 1 }, model);
  const capacity = estimateCacheCapacity(model, replica, { inputTokens: isl, outputTokens: osl }, cacheGibPerGpu);
  const stepTokens = stepTokenBudget(replica.gpu);
  const { pipelineParallel: stages } = replica.parallelism;
  // Short prompts share a step; of a long one the chunks follow each other, later ones with more behind them.
  const chunk = Math.min(isl, stepTokens);
  const shared = Math.max(1, Math.floor(stepTokens / isl));
  let prefillMs = 0;
  for (let done = 0; done < isl; done += chunk) {
    const stretch = { past: done, tokens: Math.min(chunk, isl - done) };
    const prompts = Array.from({ length: shared }, () => stretch);
    prefillMs += timeStep(replica, { sequences: 0, context: 0, tokensPerSequence: 1, prompts }).total;
  }
  const context = isl + osl / 2;
  return {
    prefillTokensPerSecond: (1e3 * shared * isl * stages) / prefillMs,
    decodeStepMs: (batch) =>
      timeStep(replica, { sequences: Math.max(1, batch / stages), context, tokensPerSequence: 1, prompts: [] }).total,
    stepTokens,
    cacheTokens: Math.floor(capacity.tokens),
    maxBatch: Math.floor(capacity.sequences),
    saturationBatch: findKnee({ ...request, isl, osl }).efficientBatch,
  };
}
